"""What a communicator is made with: loggers, hooks, executors, properties, implicit contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from threading import Semaphore
from typing import Any

import Ice

from tools.leaks.ends import IS_3_8, TCP, UNTIMED, UNTIMED_SERVER, ask, both_ends, close, communicator, each, invoke
from tools.leaks.operation import Work, operation


class Logger(Ice.Logger):  # type: ignore[misc]
    """Takes no notice."""

    def trace(self, category: str, message: str) -> None:
        pass

    def print(self, message: str) -> None:
        pass

    _print = warning = error = print

    def getPrefix(self) -> str:
        return ""

    def cloneWithPrefix(self, prefix: str) -> Logger:
        return Logger()


@operation("logger in Python, called from Python")
def logger() -> Iterator[Work]:
    with communicator(logger=Logger()) as ice:

        def log() -> None:
            ice.getLogger().trace("category", "message")
            ice.getLogger().cloneWithPrefix("prefix")

        yield each(log)


@operation("logger in Python, called by Ice")
def logger_called_by_ice() -> Iterator[Work]:
    with both_ends(properties={"Ice.Trace.Protocol": 2}, logger=Logger()) as ends:
        yield each(lambda: ask(ends.proxy))


@operation("logger of Ice, called from Python")
def logger_of_ice() -> Iterator[Work]:
    with communicator({"Ice.LogFile": "/dev/null"}) as ice:

        def log() -> None:
            ice.getLogger().trace("category", "message")
            ice.getLogger().cloneWithPrefix("prefix").getPrefix()

        yield each(log)


def _execute(call: Callable[[], None], connection: Any) -> None:
    call()


EXECUTOR: dict[str, Any] = {"executor": _execute, "dispatcher": _execute}  # the older name is Ice 3.7's


@operation("call through an executor")
def executor() -> Iterator[Work]:
    with both_ends(server=EXECUTOR, **EXECUTOR) as ends:
        yield each(lambda: ask(ends.proxy))


@operation("asynchronous call through an executor")
def executor_asynchronous() -> Iterator[Work]:
    with both_ends(server=EXECUTOR, **EXECUTOR) as ends:
        yield each(lambda: invoke(ends.proxy).result())


def _made(**attributes: Callable[[], Any]) -> Iterator[Work]:
    """Communicators with what these make for each."""
    with both_ends(server=UNTIMED_SERVER) as ends:
        address = str(ends.proxy)

        def make() -> None:
            with communicator(**{name: made() for name, made in attributes.items()}) as ice:
                ice.stringToProxy(address).ice_ping()

        yield each(make)


@operation("communicator with thread hooks and a logger", count=200)
def communicator_with_hooks() -> Iterator[Work]:
    yield from _made(logger=Logger, threadStart=lambda: lambda: None, threadStop=lambda: lambda: None)


@operation(
    "communicator with an executor",
    count=200,
    known="" if IS_3_8 else "IcePy never frees its object for the dispatcher of a communicator (`communicatorDealloc`)",
)
def communicator_with_executor() -> Iterator[Work]:
    def executor() -> Callable[[Callable[[], None], Any], None]:
        return lambda call, connection: call()

    yield from _made(executor=executor, dispatcher=executor)


class Updated(getattr(Ice, "PropertiesAdminUpdateCallback", object)):  # type: ignore[misc]  # Ice 3.7 wants one
    """Is told of each update."""

    def __init__(self, told: Semaphore) -> None:
        super().__init__()
        self._told = told

    def __call__(self, changes: dict[str, str]) -> None:
        self._told.release()

    updated = __call__  # and calls this


def _administered(operate: Callable[[Any, Any], object]) -> Iterator[Work]:
    with communicator({"Ice.Admin.Enabled": 1}) as server, communicator() as client:
        adapter = server.createObjectAdapterWithEndpoints("", TCP)
        admin = server.createAdmin(adapter, Ice.stringToIdentity("admin"))
        adapter.activate()
        facet = client.stringToProxy(str(admin)).ice_facet("Properties")
        yield each(lambda: operate(server, Ice.PropertiesAdminPrx.uncheckedCast(facet)))


@operation("properties asked for and set by the administrative object")
def properties_admin() -> Iterator[Work]:
    def both(server: Any, properties: Any) -> None:
        properties.setProperties({"Number": "one"})
        properties.getPropertiesForPrefix("")
        properties.getProperty("Number")

    yield from _administered(both)


@operation("properties asked for and set asynchronously")
def properties_admin_asynchronous() -> Iterator[Work]:
    def both(server: Any, properties: Any) -> None:
        properties.setPropertiesAsync({"Number": "one"}).result()
        properties.getPropertiesForPrefixAsync("").result()

    yield from _administered(both)


def _told_of_updates(*, by_one: bool) -> Iterator[Work]:
    told, numbers = Semaphore(0), count(1)
    facets: list[Any] = []

    def change(server: Any, properties: Any) -> None:
        if not (by_one and facets):
            facets[:] = [server.findAdminFacet("Properties")]
        callback = Updated(told)
        facets[0].addUpdateCallback(callback)
        properties.setProperties({"Number": f"{next(numbers):09}"})
        told.acquire()
        if not by_one:
            facets[:] = [server.findAdminFacet("Properties")]
        facets[0].removeUpdateCallback(callback)

    yield from _administered(change)


@operation(
    "callback told of a property's update, added and removed",
    known="" if IS_3_8 else "IcePy's object for the facet keeps a removed callback until it goes itself",
)
def update_callback() -> Iterator[Work]:
    yield from _told_of_updates(by_one=True)


@operation(
    "callback told of a property's update, removed by another facet object",
    count=50,
    known="IcePy's object for the facet keeps the list of callbacks, and the next `findAdminFacet` makes another",
)
def update_callback_of_another() -> Iterator[Work]:
    yield from _told_of_updates(by_one=False)


@operation("properties in the process")
def properties() -> Iterator[Work]:
    def change() -> None:
        made = Ice.createProperties(["--Ice.Trace.Network=1"])
        made.setProperty("Some.Name", "value")
        made.getPropertiesForPrefix("Some")
        made.getPropertyAsList("Some.Name")
        made.clone().getCommandLineOptions()

    yield each(change)


def _implicit(kind: str, operate: Callable[[Any, Any], object]) -> Iterator[Work]:
    with both_ends(properties={"Ice.ImplicitContext": kind}) as ends:
        yield each(lambda: operate(ends.client.getImplicitContext(), ends.proxy))


def _put_and_call(context: Any, proxy: Any) -> None:
    context.put("who", "it")
    context.get("who")
    context.getContext()
    proxy.ice_ping()
    context.remove("who")
    context.setContext({})


@operation("implicit context, shared")
def implicit_context() -> Iterator[Work]:
    yield from _implicit("Shared", _put_and_call)


@operation("implicit context, of each thread")
def implicit_context_of_each_thread() -> Iterator[Work]:
    yield from _implicit("PerThread", _put_and_call)


@operation("heartbeat callback", count=300, ice=("ACMHeartbeat",))
def heartbeat_callback() -> Iterator[Work]:
    heard = Semaphore(0)
    number = [0]
    with both_ends(server=UNTIMED_SERVER, properties=UNTIMED) as ends:

        def beat() -> None:
            number[0] += 1
            connection = ends.proxy.ice_connectionId(f"{number[0]:09}").ice_getConnection()
            connection.setHeartbeatCallback(lambda connection: heard.release())
            connection.heartbeat()
            close(connection)

        yield each(beat)
