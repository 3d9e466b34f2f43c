"""Who calls: a callback, threads of Python, tasks of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import Ice

from tools.leaks.ends import UNTIMED_SERVER, Ends, batches, both_ends, communicator, each, invoke
from tools.leaks.operation import Work, operation


@operation("asynchronous two-way from a callback")
def from_a_callback() -> Iterator[Work]:
    with both_ends() as ends:

        def work(count: int) -> None:
            left, done = count, Event()

            def answered(future: Any) -> None:
                nonlocal left
                left -= 1
                if left:
                    invoke(ends.proxy).add_done_callback(answered)
                else:
                    done.set()

            invoke(ends.proxy).add_done_callback(answered)
            done.wait()

        yield work


def _in_thread(work: Callable[[], None]) -> None:
    thread = Thread(target=work)
    thread.start()
    thread.join()


@operation("asynchronous two-way from a thread of Python")
def from_a_thread() -> Iterator[Work]:
    with both_ends() as ends:
        yield lambda count: _in_thread(lambda: each(lambda: invoke(ends.proxy).result())(count))


@operation("a thread of Python that makes one asynchronous call and one synchronous", count=500)
def thread_for_each() -> Iterator[Work]:
    with both_ends() as ends:

        def call() -> None:
            invoke(ends.proxy).result()
            ends.proxy.ice_ping()

        yield each(lambda: _in_thread(call))


def _on_loop(
    loop: asyncio.AbstractEventLoop, call: Callable[[Ends], Awaitable[object]], *, adapts: bool, together: int = 1
) -> Iterator[Work]:
    with both_ends(loop=loop if adapts else None) as ends:

        async def calls(count: int) -> None:
            for size in batches(count, together):
                await asyncio.gather(*[call(ends) for _ in range(size)])
            await asyncio.sleep(0)  # for the loop to let go of what it has just done

        async def one_by_one(count: int) -> None:
            for _ in range(count):
                await call(ends)
            await asyncio.sleep(0)

        yield lambda count: loop.run_until_complete((calls if together > 1 else one_by_one)(count))
    loop.close()


@operation("await with an adapter to asyncio", ice=("asyncio",))
def awaited() -> Iterator[Work]:
    yield from _on_loop(asyncio.new_event_loop(), lambda ends: invoke(ends.proxy), adapts=True)


@operation("await with an adapter to asyncio, a hundred at once", ice=("asyncio",))
def awaited_together() -> Iterator[Work]:
    yield from _on_loop(asyncio.new_event_loop(), lambda ends: invoke(ends.proxy), adapts=True, together=100)


@operation("await with an adapter to uvloop", ice=("asyncio",), module="uvloop")
def awaited_on_uvloop() -> Iterator[Work]:
    import uvloop

    yield from _on_loop(uvloop.new_event_loop(), lambda ends: invoke(ends.proxy), adapts=True)


def _wrapped(ends: Ends) -> Awaitable[object]:
    return Ice.wrap_future(invoke(ends.proxy), loop=asyncio.get_running_loop())  # type: ignore[no-any-return]


@operation("await of Ice.wrap_future")
def wrapped() -> Iterator[Work]:
    yield from _on_loop(asyncio.new_event_loop(), _wrapped, adapts=False)


@operation("await of Ice.wrap_future, a hundred at once")
def wrapped_together() -> Iterator[Work]:
    yield from _on_loop(asyncio.new_event_loop(), _wrapped, adapts=False, together=100)


@operation("await of Ice.wrap_future on uvloop", module="uvloop")
def wrapped_on_uvloop() -> Iterator[Work]:
    import uvloop

    yield from _on_loop(uvloop.new_event_loop(), _wrapped, adapts=False)


async def _cancelled(ends: Ends) -> None:
    task = asyncio.create_task(_task(ends))
    await asyncio.sleep(0)  # for it to begin
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _task(ends: Ends) -> None:
    await invoke(ends.proxy)


@operation("task cancelled while it waits", ice=("asyncio",))
def cancelled_task() -> Iterator[Work]:
    yield from _on_loop(asyncio.new_event_loop(), _cancelled, adapts=True)


@operation("async with a communicator", count=200, ice=("asyncio",))
def async_with() -> Iterator[Work]:
    loop = asyncio.new_event_loop()
    with both_ends(server=UNTIMED_SERVER) as ends:
        address = str(ends.proxy)

        async def make(count: int) -> None:
            for _ in range(count):
                async with communicator(loop=loop) as ice:
                    await invoke(ice.stringToProxy(address))
            await asyncio.sleep(0)

        yield lambda count: loop.run_until_complete(make(count))
    loop.close()
