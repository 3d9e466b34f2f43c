"""How servants answer, and how they are found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import Ice

from tools.leaks.ends import EMPTY, Echo, ask, both_ends, each, fails, invoke
from tools.leaks.operation import Work, operation


class Coroutine(Ice.Blobject):  # type: ignore[misc]
    """Answers by a coroutine."""

    async def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        return True, arguments


class RaisingCoroutine(Ice.Blobject):  # type: ignore[misc]
    """Fails in a coroutine."""

    async def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        raise Ice.ObjectNotExistException


class WaitingCoroutine(Ice.Blobject):  # type: ignore[misc]
    """Answers by a coroutine that waits in between, on a loop."""

    async def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        await asyncio.sleep(0)
        return True, arguments


@operation("coroutine servant without a loop", ice=("Future",))
def coroutine() -> Iterator[Work]:
    with both_ends(Coroutine()) as ends:
        yield each(lambda: ask(ends.proxy))


@operation("coroutine servant that raises")
def raising_coroutine() -> Iterator[Work]:
    with both_ends(RaisingCoroutine()) as ends:
        yield each(fails(lambda: ask(ends.proxy)))


def _on_loop(servant: Any, loop: asyncio.AbstractEventLoop) -> Iterator[Work]:
    thread = Thread(target=loop.run_forever)
    thread.start()
    with both_ends(servant, server={"loop": loop}) as ends:
        yield each(lambda: ask(ends.proxy))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@operation("coroutine servant on asyncio", ice=("asyncio",))
def coroutine_on_asyncio() -> Iterator[Work]:
    yield from _on_loop(WaitingCoroutine(), asyncio.new_event_loop())


@operation("coroutine servant on uvloop", ice=("asyncio",), module="uvloop")
def coroutine_on_uvloop() -> Iterator[Work]:
    import uvloop

    yield from _on_loop(WaitingCoroutine(), uvloop.new_event_loop())


class Later(Ice.Blobject):  # type: ignore[misc]
    """Answers by a future that a thread completes."""

    def __init__(self, questions: SimpleQueue[Any]) -> None:
        super().__init__()
        self._questions = questions

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        future = Ice.Future()
        self._questions.put((future, arguments))
        return future


def _answered_by_a_thread(error: BaseException | None) -> Iterator[Work]:
    questions: SimpleQueue[Any] = SimpleQueue()

    def answer() -> None:
        while (question := questions.get()) is not None:
            future, arguments = question
            if error is None:
                future.set_result((True, arguments))
            else:
                future.set_exception(Ice.ObjectNotExistException())
            del question, future

    thread = Thread(target=answer)
    thread.start()
    with both_ends(Later(questions)) as ends:
        yield each(fails(lambda: ask(ends.proxy)) if error else lambda: ask(ends.proxy))
    questions.put(None)
    thread.join()


@operation("servant that answers by a future", ice=("Future",))
def by_future() -> Iterator[Work]:
    yield from _answered_by_a_thread(None)


@operation("servant that fails by a future")
def fails_by_future() -> Iterator[Work]:
    yield from _answered_by_a_thread(Ice.ObjectNotExistException())


class Forwards(Ice.Blobject):  # type: ignore[misc]
    """Answers by the future of a request to somebody else."""

    target: Any = None

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        return invoke(self.target, arguments)


@operation("servant that answers by the future of a request", ice=("Future",))
def forwards() -> Iterator[Work]:
    servant = Forwards()
    with both_ends() as behind, both_ends(servant) as ends:
        servant.target = behind.proxy
        yield each(lambda: ask(ends.proxy))


@operation("servant that uses current")
def uses_current() -> Iterator[Work]:
    class Curious(Echo):
        def ice_invoke(self, arguments: bytes, current: Any) -> Any:
            current.con.getInfo()
            current.con.toString()
            current.adapter.getName()
            return bool(current.ctx and current.id and current.operation), arguments

    with both_ends(Curious()) as ends:
        yield each(lambda: ask(ends.proxy, EMPTY, {"who": "it"}))


@operation("servant added and removed")
def added_and_removed() -> Iterator[Work]:
    identity = Ice.stringToIdentity("added")
    with both_ends() as ends:

        def change() -> None:
            ends.adapter.add(Echo(), identity)
            ends.adapter.addFacet(Echo(), identity, "facet")
            ends.adapter.find(identity)
            ends.adapter.findAllFacets(identity)
            ends.adapter.removeAllFacets(identity)
            ends.adapter.remove(ends.adapter.addWithUUID(Echo()).ice_getIdentity())

        yield each(change)


@operation("default servant added, called and removed")
def default_servant() -> Iterator[Work]:
    with both_ends() as ends:
        proxy = ends.proxy.ice_identity(Ice.stringToIdentity("category/other"))

        def change() -> None:
            ends.adapter.addDefaultServant(Echo(), "category")
            ends.adapter.findDefaultServant("category")
            proxy.ice_ping()
            ends.adapter.removeDefaultServant("category")

        yield each(change)


class Locator(Ice.ServantLocator):  # type: ignore[misc]
    """Makes a servant for each request."""

    def locate(self, current: Any) -> Any:
        return Echo(), object()

    def finished(self, current: Any, servant: Any, cookie: Any) -> None:
        pass

    def deactivate(self, category: str) -> None:
        pass


class LocatesNothing(Locator):
    """Has no servant."""

    def locate(self, current: Any) -> Any:
        return None


class RaisesOnLocate(Locator):
    """Fails to make one."""

    def locate(self, current: Any) -> Any:
        raise ValueError


def _located(locator: Any, *, is_found: bool) -> Iterator[Work]:
    with both_ends() as ends:
        ends.adapter.addServantLocator(locator, "category")
        proxy = ends.proxy.ice_identity(Ice.stringToIdentity("category/other"))
        yield each(proxy.ice_ping if is_found else fails(proxy.ice_ping))


@operation("servant locator")
def servant_locator() -> Iterator[Work]:
    yield from _located(Locator(), is_found=True)


@operation("servant locator without a servant")
def servant_locator_without() -> Iterator[Work]:
    yield from _located(LocatesNothing(), is_found=False)


@operation("servant locator that raises")
def servant_locator_raises() -> Iterator[Work]:
    yield from _located(RaisesOnLocate(), is_found=False)


@operation("servant locator added and removed")
def servant_locator_added() -> Iterator[Work]:
    with both_ends() as ends:

        def change() -> None:
            ends.adapter.addServantLocator(Locator(), "category")
            ends.adapter.findServantLocator("category")
            ends.adapter.removeServantLocator("category")

        yield each(change)


class CallsBack(Ice.Blobject):  # type: ignore[misc]
    """Calls its client back over the connection, and answers when that has answered."""

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        return invoke(current.con.createProxy(Ice.stringToIdentity("callback")), arguments)


@operation("callback over the client's connection", ice=("Future",))
def bidirectional() -> Iterator[Work]:
    with both_ends(CallsBack()) as ends:
        adapter = ends.client.createObjectAdapter("")
        adapter.add(Echo(), Ice.stringToIdentity("callback"))
        ends.proxy.ice_getConnection().setAdapter(adapter)
        yield each(lambda: ask(ends.proxy))
