"""Requests without a reply: oneways, datagrams, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import Ice

from tools.leaks.ends import TCP, Ends, ask, at_once, both_ends, each, invoke, one_end
from tools.leaks.operation import Work, operation

COMPRESS = [Ice.CompressBatch.BasedOnProxy] if hasattr(Ice, "CompressBatch") else []  # 3.6 does not ask


def _answered_after(ends: Ends, work: Work) -> Work:
    """Does the work, and has the server answer something that comes after all of it."""

    def both(count: int) -> None:
        work(count)
        ends.other.ice_ping()

    return both


@operation("asynchronous oneway")
def oneway() -> Iterator[Work]:
    with both_ends() as ends:
        proxy = ends.proxy.ice_oneway()
        yield _answered_after(ends, each(lambda: invoke(proxy).result()))


@operation("asynchronous oneway, a hundred at once")
def hundred_at_once() -> Iterator[Work]:
    with both_ends() as ends:
        proxy = ends.proxy.ice_oneway()
        yield _answered_after(ends, at_once(lambda: invoke(proxy)))


@operation("asynchronous oneway, collocated")
def collocated() -> Iterator[Work]:
    with one_end() as ends:
        proxy = ends.proxy.ice_oneway()
        yield _answered_after(ends, each(lambda: invoke(proxy).result()))


@operation("asynchronous datagram")
def datagram() -> Iterator[Work]:
    with both_ends(endpoints=f"{TCP}:udp -h 127.0.0.1") as ends:
        proxy = ends.proxy.ice_datagram()
        yield each(lambda: invoke(proxy).result())


@operation("synchronous datagram")
def synchronous_datagram() -> Iterator[Work]:
    with both_ends(endpoints=f"{TCP}:udp -h 127.0.0.1") as ends:
        proxy = ends.proxy.ice_datagram()
        yield each(lambda: ask(proxy))


def _batches(flush: Callable[[Ends, Any], object], **more: Any) -> Iterator[Work]:
    with both_ends(**more) as ends:
        batch = ends.proxy.ice_batchOneway()
        fixed = batch.ice_fixed(ends.proxy.ice_getConnection())

        def operate() -> None:
            for each_batch in (batch, fixed):
                each_batch.ice_ping()
                each_batch.ice_ping()
            flush(ends, batch)
            ends.proxy.ice_getCachedConnection().flushBatchRequests(*COMPRESS)

        yield _answered_after(ends, each(operate))


@operation("batch, flushed by its proxy and by the connection")
def batch() -> Iterator[Work]:
    yield from _batches(lambda ends, batch: batch.ice_flushBatchRequests())


@operation("batch, flushed by its proxy asynchronously")
def batch_asynchronous() -> Iterator[Work]:
    yield from _batches(lambda ends, batch: batch.ice_flushBatchRequestsAsync().result())


@operation("batch, flushed by the connection asynchronously")
def batch_connection() -> Iterator[Work]:
    yield from _batches(
        lambda ends, batch: (
            ends.proxy.ice_getCachedConnection().flushBatchRequestsAsync(*COMPRESS).result(),
            batch.ice_flushBatchRequests(),
        )
    )


@operation("batch, flushed by the communicator")
def batch_communicator() -> Iterator[Work]:
    yield from _batches(lambda ends, batch: (ends.client.flushBatchRequests(*COMPRESS), batch.ice_flushBatchRequests()))


@operation("batch, flushed by the communicator asynchronously")
def batch_communicator_asynchronous() -> Iterator[Work]:
    yield from _batches(
        lambda ends, batch: (
            ends.client.flushBatchRequestsAsync(*COMPRESS).result(),
            batch.ice_flushBatchRequests(),
        )
    )


@operation("asynchronous flush with nothing to flush")
def nothing_to_flush() -> Iterator[Work]:
    with both_ends() as ends:
        batch = ends.proxy.ice_batchOneway()
        batch.ice_ping()
        batch.ice_flushBatchRequests()
        yield each(lambda: batch.ice_flushBatchRequestsAsync().result())


@operation("request put into a batch asynchronously")
def batch_request() -> Iterator[Work]:
    with both_ends() as ends:
        batch = ends.proxy.ice_batchOneway()

        def work(count: int) -> None:
            for _ in range(count):
                invoke(batch)
            batch.ice_flushBatchRequests()
            ends.other.ice_ping()

        yield work


@operation("batch with an interceptor")
def batch_with_interceptor() -> Iterator[Work]:
    def intercept(request: Any, count: int, size: int) -> None:
        request.getOperation()
        request.getProxy()
        request.enqueue()

    yield from _batches(lambda ends, batch: batch.ice_flushBatchRequests(), batchRequestInterceptor=intercept)
