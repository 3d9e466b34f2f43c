"""Synchronous requests."""

from __future__ import annotations

from collections.abc import Iterator

from tools.leaks.ends import Answers, Typed, ask, both_ends, each, encapsulation, one_end
from tools.leaks.operation import Work, operation


@operation("synchronous two-way, empty")
def empty() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(lambda: ask(ends.proxy))


@operation("synchronous two-way, reply of 100 kB", count=500)
def reply_of_100_kb() -> Iterator[Work]:
    with both_ends(Answers(100_000)) as ends:
        yield each(lambda: ask(ends.proxy))


@operation("synchronous two-way, request of 100 kB", count=500)
def request_of_100_kb() -> Iterator[Work]:
    arguments = encapsulation(100_000)
    with both_ends(Answers()) as ends:
        yield each(lambda: ask(ends.proxy, arguments))


@operation("synchronous two-way, collocated")
def collocated() -> Iterator[Work]:
    with one_end() as ends:
        yield each(lambda: ask(ends.proxy))


@operation("ice_ping, ice_ids, ice_isA")
def ping() -> Iterator[Work]:
    with both_ends(Typed()) as ends:

        def every() -> None:
            ends.other.ice_ping()
            ends.proxy.ice_ids()
            ends.proxy.ice_isA("::Ice::Object")

        yield each(every)


@operation("synchronous oneway")
def oneway() -> Iterator[Work]:
    with both_ends() as ends:
        oneway = ends.proxy.ice_oneway()

        def work(count: int) -> None:
            for _ in range(count):
                ask(oneway)
            ends.other.ice_ping()

        yield work


@operation("ice_getConnection")
def get_connection() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(ends.proxy.ice_getConnection)
