"""What is made and goes again: connections, object adapters, communicators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count as numbers
from threading import Semaphore
from typing import Any

import Ice

from tools.leaks.ends import (
    IS_3_8,
    QUIET,
    TCP,
    UNTIMED,
    UNTIMED_SERVER,
    Echo,
    both_ends,
    close,
    communicator,
    each,
    invoke,
)
from tools.leaks.operation import Work, operation

TIMED = (
    "Ice's timers for the opening and the closing of a connection stay where they are until they are due, after 10 s"
    if IS_3_8
    else "Ice's monitor of idle connections lets a closed one go when its timer runs, each 30 s"
)


def _connections(use: Callable[[Any, Any], object], timed: bool = False) -> Iterator[Work]:
    number = numbers()
    limits: dict[str, object] = {} if timed else UNTIMED
    with both_ends(server={"properties": {**QUIET, **limits}}, properties=limits) as ends:

        def operate() -> None:
            # A connection of its own, and under a name whose length stays the same.
            proxy = ends.proxy.ice_connectionId(f"{next(number):09}")
            use(proxy, proxy.ice_getConnection())

        yield each(operate)


@operation("connection opened and closed, with the usual time limits", count=300, known=TIMED)
def timed_connection() -> Iterator[Work]:
    yield from _connections(lambda proxy, connection: close(connection), timed=True)


@operation("connection opened and closed", count=300)
def connection() -> Iterator[Work]:
    yield from _connections(lambda proxy, connection: close(connection))


@operation("connection opened, used and closed", count=300)
def used_connection() -> Iterator[Work]:
    def use(proxy: Any, connection: Any) -> None:
        proxy.ice_ping()
        close(connection)

    yield from _connections(use)


def _told_of_its_end(end: Callable[[Any], object]) -> Iterator[Work]:
    closed = Semaphore(0)

    def use(proxy: Any, connection: Any) -> None:
        connection.setCloseCallback(lambda connection: closed.release())
        end(connection)
        closed.acquire()

    yield from _connections(use)


@operation("connection with a close callback", count=300)
def close_callback() -> Iterator[Work]:
    yield from _told_of_its_end(close)


@operation("connection with a close callback, closed at once", count=300)
def close_callback_at_once() -> Iterator[Work]:
    def end(connection: Any) -> None:
        if hasattr(connection, "abort"):
            connection.abort()
        else:
            connection.close(Ice.ConnectionClose.Forcefully)

    yield from _told_of_its_end(end)


@operation("what a connection says of itself")
def connection_info() -> Iterator[Work]:
    with both_ends() as ends:
        connection = ends.proxy.ice_getConnection()

        def look() -> None:
            connection.getInfo()
            connection.getEndpoint().getInfo()
            connection.toString()
            connection.type()

        yield each(look)


def _adapters(endpoints: str, *, activates: bool, name: str = "") -> Iterator[Work]:
    with communicator() as ice:

        def make() -> None:
            adapter = (
                ice.createObjectAdapterWithEndpoints(name, endpoints) if endpoints else ice.createObjectAdapter("")
            )
            if activates:
                adapter.add(Echo(), Ice.stringToIdentity("it"))
                adapter.activate()
            adapter.destroy()

        yield each(make)


@operation("object adapter without endpoints")
def adapter_without_endpoints() -> Iterator[Work]:
    yield from _adapters("", activates=False)


@operation("object adapter with an endpoint, without a name")
def adapter() -> Iterator[Work]:
    yield from _adapters(TCP, activates=False)


@operation("object adapter with an endpoint and a name")
def adapter_with_name() -> Iterator[Work]:
    yield from _adapters(TCP, activates=False, name="Named")


@operation("object adapter with an endpoint and a name, activated")
def adapter_activated() -> Iterator[Work]:
    yield from _adapters(TCP, activates=True, name="Named")


@operation("communicator", count=200)
def plain_communicator() -> Iterator[Work]:
    yield each(lambda: communicator().destroy())


@operation("communicator with a call", count=200)
def communicator_with_a_call() -> Iterator[Work]:
    with both_ends(server=UNTIMED_SERVER) as ends:
        address = str(ends.proxy)

        def make() -> None:
            with communicator() as ice:
                ice.stringToProxy(address).ice_ping()

        yield each(make)


@operation("communicator with an asynchronous call", count=200)
def communicator_with_an_asynchronous_call() -> Iterator[Work]:
    with both_ends(server=UNTIMED_SERVER) as ends:
        address = str(ends.proxy)

        def make() -> None:
            with communicator() as ice:
                invoke(ice.stringToProxy(address)).result()

        yield each(make)


@operation("communicator that serves a call", count=200)
def communicator_that_serves() -> Iterator[Work]:
    def make() -> None:
        with both_ends() as ends:
            ends.proxy.ice_ping()

    yield each(make)
