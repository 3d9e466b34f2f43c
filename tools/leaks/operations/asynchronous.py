"""Asynchronous requests that are answered."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Semaphore
from typing import Any

from tools.leaks.ends import (
    EMPTY,
    NORMAL,
    Answers,
    Typed,
    at_once,
    batches,
    both_ends,
    each,
    encapsulation,
    invoke,
    one_end,
)
from tools.leaks.operation import Work, operation


@operation("asynchronous two-way, empty")
def empty() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(lambda: invoke(ends.proxy).result())


@operation("asynchronous two-way, a hundred at once")
def hundred_at_once() -> Iterator[Work]:
    with both_ends() as ends:
        yield at_once(lambda: invoke(ends.proxy))


def _replies(size: int) -> Iterator[Work]:
    with both_ends(Answers(size)) as ends:
        yield each(lambda: invoke(ends.proxy).result())


@operation("asynchronous two-way, reply of 1 kB")
def reply_of_1_kb() -> Iterator[Work]:
    yield from _replies(1000)


@operation("asynchronous two-way, reply of 100 kB", count=500)
def reply_of_100_kb() -> Iterator[Work]:
    yield from _replies(100_000)


@operation("asynchronous two-way, reply of 1 MB", count=100)
def reply_of_1_mb() -> Iterator[Work]:
    yield from _replies(1_000_000)


def _requests(size: int) -> Iterator[Work]:
    arguments = encapsulation(size)
    with both_ends(Answers()) as ends:
        yield each(lambda: invoke(ends.proxy, arguments).result())


@operation("asynchronous two-way, request of 1 kB")
def request_of_1_kb() -> Iterator[Work]:
    yield from _requests(1000)


@operation("asynchronous two-way, request of 1 MB", count=100)
def request_of_1_mb() -> Iterator[Work]:
    yield from _requests(1_000_000)


@operation("asynchronous two-way, with a context")
def with_context() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(lambda: invoke(ends.proxy, EMPTY, {"who": "it"}).result())


@operation("asynchronous two-way, over WebSocket")
def over_web_socket() -> Iterator[Work]:
    with both_ends(endpoints="ws -h 127.0.0.1") as ends:
        yield each(lambda: invoke(ends.proxy).result())


@operation("asynchronous two-way, collocated")
def collocated() -> Iterator[Work]:
    with one_end() as ends:
        yield each(lambda: invoke(ends.proxy).result())


@operation("ice_pingAsync")
def ping() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(lambda: ends.proxy.ice_pingAsync().result())


@operation("ice_idsAsync, ice_isAAsync")
def ids() -> Iterator[Work]:
    with both_ends(Typed()) as ends:

        def both() -> None:
            ends.proxy.ice_idsAsync().result()
            ends.proxy.ice_isAAsync("::Ice::Object").result()

        yield each(both)


@operation("ice_getConnectionAsync")
def get_connection() -> Iterator[Work]:
    with both_ends() as ends:
        yield each(lambda: ends.proxy.ice_getConnectionAsync().result())


@operation("result never looked at")
def result_never_looked_at() -> Iterator[Work]:
    with both_ends() as ends:

        def work(count: int) -> None:
            for _ in range(count):
                invoke(ends.proxy)
            ends.other.ice_ping()  # whose answer comes after all others

        yield work


@operation("done callback")
def done_callback() -> Iterator[Work]:
    done = Semaphore(0)
    with both_ends() as ends:

        def work(count: int) -> None:
            for size in batches(count, 100):
                for _ in range(size):
                    invoke(ends.proxy).add_done_callback(lambda future: done.release())
                for _ in range(size):
                    done.acquire()

        yield work


@operation("sent callback")
def sent_callback() -> Iterator[Work]:
    sent = Semaphore(0)
    with both_ends() as ends:

        def work(count: int) -> None:
            for size in batches(count, 100):
                futures = [invoke(ends.proxy) for _ in range(size)]
                for future in futures:
                    future.add_sent_callback(lambda *arguments: sent.release())
                for future in futures:
                    sent.acquire()
                    future.result()

        yield work


@operation("begin_ and end_", ice=("AsyncResult",))
def begin_and_end() -> Iterator[Work]:
    with both_ends() as ends:
        yield at_once(
            lambda: ends.proxy.begin_ice_invoke("echo", NORMAL, EMPTY),
            ends.proxy.end_ice_invoke,
        )


@operation("begin_ with callbacks", ice=("AsyncResult",))
def begin_with_callbacks() -> Iterator[Work]:
    done = Semaphore(0)

    def release(*arguments: Any) -> None:
        done.release()

    with both_ends() as ends:

        def work(count: int) -> None:
            for size in batches(count, 100):
                for _ in range(size):
                    ends.proxy.begin_ice_ping(_response=release, _ex=release, _sent=release)
                for _ in range(2 * size):
                    done.acquire()

        yield work
