"""Requests that fail: by the servant, by a time, by whoever asked, by there being nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import Ice

from tools.leaks.ends import (
    EMPTY,
    UNTIMED,
    UNTIMED_SERVER,
    Echo,
    ask,
    batches,
    both_ends,
    communicator,
    each,
    fails,
    failure,
    invoke,
)
from tools.leaks.operation import Work, operation


class Raises(Ice.Blobject):  # type: ignore[misc]
    """Answers with what this makes, or raises it."""

    def __init__(self, error: type[BaseException]) -> None:
        super().__init__()
        self._error = error

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        raise self._error()


def _raised(error: type[BaseException], *, asynchronously: bool) -> Iterator[Work]:
    with both_ends(Raises(error)) as ends:
        if asynchronously:
            yield each(fails(lambda: invoke(ends.proxy).result()))
        else:
            yield each(fails(lambda: ask(ends.proxy)))


@operation("servant raises a local exception, asynchronous")
def local_exception_asynchronous() -> Iterator[Work]:
    yield from _raised(Ice.ObjectNotExistException, asynchronously=True)


@operation("servant raises a local exception, synchronous")
def local_exception() -> Iterator[Work]:
    yield from _raised(Ice.ObjectNotExistException, asynchronously=False)


@operation("servant raises an unknown local exception, asynchronous")
def unknown_local_exception() -> Iterator[Work]:
    yield from _raised(Ice.ConnectionLostException, asynchronously=True)


@operation("servant raises a Python exception, asynchronous")
def python_exception_asynchronous() -> Iterator[Work]:
    yield from _raised(ValueError, asynchronously=True)


@operation("servant raises a Python exception, synchronous")
def python_exception() -> Iterator[Work]:
    yield from _raised(ValueError, asynchronously=False)


@operation("no such object, asynchronous")
def no_such_object_asynchronous() -> Iterator[Work]:
    with both_ends() as ends:
        proxy = ends.proxy.ice_identity(Ice.stringToIdentity("nobody"))
        yield each(fails(lambda: invoke(proxy).result(), Ice.ObjectNotExistException))


@operation("no such object, synchronous")
def no_such_object() -> Iterator[Work]:
    with both_ends() as ends:
        proxy = ends.proxy.ice_identity(Ice.stringToIdentity("nobody"))
        yield each(fails(proxy.ice_ping, Ice.ObjectNotExistException))


class Withholds(Ice.Blobject):  # type: ignore[misc]
    """Answers with futures, which it puts into a queue."""

    def __init__(self, futures: SimpleQueue[Any]) -> None:
        super().__init__()
        self._futures = futures

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        future = Ice.Future()
        self._futures.put(future)
        return future


@operation("cancelled", ice=("Future",))
def cancelled() -> Iterator[Work]:
    withheld: SimpleQueue[Any] = SimpleQueue()
    with both_ends(Withholds(withheld)) as ends:
        look = failure(Ice.InvocationCanceledException)

        def work(count: int) -> None:
            for size in batches(count, 100):
                futures = [invoke(ends.proxy) for _ in range(size)]
                answers = [withheld.get() for _ in range(size)]
                for future in futures:
                    future.cancel()
                    look(future)
                for answer in answers:
                    answer.set_result((True, EMPTY))
            ends.other.ice_ping()

        yield work


@operation("cancelled, and answered nevertheless", ice=("Future",))
def cancelled_late() -> Iterator[Work]:
    with both_ends() as ends:

        def work(count: int) -> None:
            for _ in range(count):
                invoke(ends.proxy).cancel()
            ends.other.ice_ping()

        yield work


def _timed_out(*, asynchronously: bool) -> Iterator[Work]:
    withheld: SimpleQueue[Any] = SimpleQueue()
    with both_ends(Withholds(withheld)) as ends:
        ends.proxy.ice_getConnection()
        proxy = ends.proxy.ice_invocationTimeout(10 if asynchronously else 1)
        look = failure(Ice.InvocationTimeoutException)

        def work(count: int) -> None:
            for size in batches(count, 50):  # a connection of Ice 3.8 takes no more than 100 at once
                if asynchronously:
                    for future in [invoke(proxy) for _ in range(size)]:
                        look(future)
                else:
                    each(fails(lambda: ask(proxy), Ice.InvocationTimeoutException))(size)
                ends.other.ice_ping()  # what was sent at all has come by then
                while not withheld.empty():
                    withheld.get().set_result((True, EMPTY))
            ends.other.ice_ping()

        yield work


@operation("timed out, asynchronous", ice=("Future",))
def timed_out_asynchronous() -> Iterator[Work]:
    yield from _timed_out(asynchronously=True)


@operation("timed out, synchronous", count=300, ice=("Future",))
def timed_out() -> Iterator[Work]:
    yield from _timed_out(asynchronously=False)


def _refused(*, asynchronously: bool) -> Iterator[Work]:
    with socket.socket() as silent, communicator(UNTIMED) as ice:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        proxy = ice.stringToProxy(f"nobody:tcp -h 127.0.0.1 -p {silent.getsockname()[1]}")
        call = (lambda: invoke(proxy).result()) if asynchronously else proxy.ice_ping
        yield each(fails(call, Ice.ConnectionRefusedException))


@operation("connection refused, asynchronous")
def refused_asynchronous() -> Iterator[Work]:
    yield from _refused(asynchronously=True)


@operation("connection refused, synchronous")
def refused() -> Iterator[Work]:
    yield from _refused(asynchronously=False)


class Closes(Echo):
    """Closes the connection without an answer."""

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        if hasattr(current.con, "abort"):
            current.con.abort()
        else:
            current.con.close(Ice.ConnectionClose.Forcefully)
        return True, arguments


@operation("connection lost, asynchronous", count=300)
def lost() -> Iterator[Work]:
    with both_ends(Closes(), server=UNTIMED_SERVER, properties=UNTIMED) as ends:
        yield each(fails(lambda: invoke(ends.proxy).result()))
