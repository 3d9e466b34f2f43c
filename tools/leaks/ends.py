"""What the operations share: two communicators in one process, servants, requests by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import Ice

NORMAL = Ice.OperationMode.Normal
TCP = "tcp -h 127.0.0.1"
IS_3_6, IS_3_8 = Ice.intVersion() < 30700, Ice.intVersion() >= 30800


def encapsulation(size: int = 0) -> bytes:
    """The arguments of a request, or the results of a reply: so many bytes of zero."""
    return (size + 6).to_bytes(4, "little") + bytes([1, 1]) + bytes(size)


EMPTY = encapsulation()


class Echo(Ice.Blobject):  # type: ignore[misc]
    """Answers each request with its own arguments."""

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        return True, arguments


class Typed(Ice.Locator):  # type: ignore[misc]
    """Has an interface, and answers what every object answers."""

    def findObjectById(self, identity: Any, current: Any) -> Any:
        return None

    def findAdapterById(self, name: str, current: Any) -> Any:
        return None

    def getRegistry(self, current: Any) -> Any:
        return None


class Answers(Ice.Blobject):  # type: ignore[misc]
    """Answers each request with so many bytes."""

    def __init__(self, size: int = 0) -> None:
        super().__init__()
        self._reply = encapsulation(size)

    def ice_invoke(self, arguments: bytes, current: Any) -> Any:
        return True, self._reply


@dataclass(frozen=True)
class Ends:
    """Two communicators, the adapter of one and a proxy of the other."""

    server: Any
    client: Any
    adapter: Any
    proxy: Any
    other: Any
    """A proxy that an `Echo` answers on the same connection: its answer comes after what was asked before."""


def communicator(properties: dict[str, object] | None = None, loop: Any = None, **attributes: Any) -> Any:
    """A communicator with these properties, and these attributes of `Ice.InitializationData`."""
    data = Ice.InitializationData()
    data.properties = Ice.createProperties()
    for name, value in (properties or {}).items():
        data.properties.setProperty(name, str(value))
    for name, value in attributes.items():
        setattr(data, name, value)
    if loop is not None:
        data.eventLoopAdapter = Ice.asyncio.EventLoopAdapter(loop)
    return Ice.Communicator(initData=data) if IS_3_8 else Ice.initialize(data)


@contextmanager
def opened(**how: Any) -> Iterator[Any]:
    """A communicator that is destroyed at the end; those of Ice 3.6 know no `with`, plain."""
    ice = communicator(**how)
    try:
        yield ice
    finally:
        ice.destroy()


UNTIMED: dict[str, object] = (
    {f"Ice.Connection.{end}.{what}Timeout": 0 for end in ("Client", "Server") for what in ("Connect", "Close")}
    if IS_3_8
    else {"Ice.ACM.Timeout": 0}
)
"""Without limits for how long a connection opens, closes, or has nothing to do, and without the timers for that."""

QUIET: dict[str, object] = {"Ice.Warn.Dispatch": 0, "Ice.Warn.Connections": 0}
"""What servants raise is no news here."""

UNTIMED_SERVER: dict[str, Any] = {"properties": {**QUIET, **UNTIMED}}
"""What a server is made with whose connections come and go."""


@contextmanager
def both_ends(
    servant: Any = None, *, endpoints: str = TCP, server: dict[str, Any] | None = None, **client: Any
) -> Iterator[Ends]:
    """A server and its client; `server` and `client` have what their communicators are made with."""
    with opened(**{"properties": QUIET, **(server or {})}) as serving, opened(**client) as asking:
        adapter = serving.createObjectAdapterWithEndpoints("", endpoints)
        yield Ends(serving, asking, *_serve(adapter, servant, asking))


@contextmanager
def one_end(servant: Any = None, **attributes: Any) -> Iterator[Ends]:
    """A server that is its own client, without a connection: the proxy is collocated."""
    with opened(**attributes) as ice:
        adapter = ice.createObjectAdapterWithEndpoints("", TCP)
        yield Ends(ice, ice, *_serve(adapter, servant, ice))


def _serve(adapter: Any, servant: Any, asking: Any) -> tuple[Any, Any, Any]:
    """The adapter, and two proxies of the one that asks."""
    served = {"it": servant or Echo(), "other": Echo()}
    proxies = [adapter.add(each, Ice.stringToIdentity(name)) for name, each in served.items()]
    adapter.activate()
    it, other = (asking.stringToProxy(str(proxy)) for proxy in proxies)
    return adapter, it, other


class Begun:
    """A request of Ice 3.6, which answers with what `end_ice_invoke` wants, not with a future."""

    def __init__(self, proxy: Any, begun: Any) -> None:
        self._proxy, self._begun = proxy, begun

    def result(self) -> object:
        return self._proxy.end_ice_invoke(self._begun)


def invoke(proxy: Any, arguments: bytes = EMPTY, *context: dict[str, str]) -> Any:
    """The future of a request."""
    if IS_3_6:
        return Begun(
            proxy, proxy.begin_ice_invoke("echo", NORMAL, arguments, *([None] * 3 if context else []), *context)
        )
    return proxy.ice_invokeAsync("echo", NORMAL, arguments, *context)


def ask(proxy: Any, arguments: bytes = EMPTY, *context: dict[str, str]) -> Any:
    """What comes of a request that is waited for in Ice."""
    return proxy.ice_invoke("echo", NORMAL, arguments, *context)


def close(connection: Any) -> None:
    """Closes a connection gracefully. Ice 3.8 answers with a future, 3.7 wants to know how, 3.6 whether by force."""
    if IS_3_8:
        connection.close().result()
    elif IS_3_6:
        connection.close(False)
    else:
        connection.close(Ice.ConnectionClose.GracefullyWithWait)


def each(operate: Callable[[], object]) -> Callable[[int], None]:
    """Does an operation so many times, one after the other."""

    def work(count: int) -> None:
        for _ in range(count):
            operate()

    return work


def result(future: Any) -> object:
    """What came of a request."""
    return future.result()


def at_once(begin: Callable[[], Any], end: Callable[[Any], object] = result) -> Callable[[int], None]:
    """Begins so many operations, a hundred at a time, and ends each."""

    def work(count: int) -> None:
        for size in batches(count, 100):
            for begun in [begin() for _ in range(size)]:
                end(begun)

    return work


def batches(count: int, most: int) -> Iterator[int]:
    """So many in all, in parts of that size at most."""
    while count > 0:
        yield min(count, most)
        count -= most


def fails(operate: Callable[[], object], error: type[BaseException] = Ice.Exception) -> Callable[[], None]:
    """An operation that has to raise this."""

    def operation() -> None:
        try:
            operate()
        except error:
            return
        raise AssertionError(f"no {error.__name__} was raised")

    return operation


def failure(error: type[BaseException]) -> Callable[[Any], None]:
    """What asks a future for its result, which has to be this error."""

    def ask(future: Any) -> None:
        fails(future.result, error)()

    return ask
