"""asyncio: `destroy_async`, `shutdown_completed`, and an event-loop adapter that a closed loop does not trouble."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, cast

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.lifecycle as lifecycle
from icegil.errand import Errand, seconds
from icegil.lifecycle import Life


class _Wait(Coroutine[Any, Any, None]):
    """The wait for an errand, on the event loop that is running now.

    A coroutine to whoever wants one (`asyncio.create_task`), but what it waits for runs already, and it may be thrown
    away: then nobody waits.
    """

    def __init__(self, timeout: float | None, too_late: str) -> None:
        self._too_late = too_late
        self._loop = asyncio.get_running_loop()
        self._errand: Errand | None = None
        self._future: asyncio.Future[bool] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._steps: Generator[Any, Any, None] | None = None
        longest = seconds(timeout, "timeout")
        if longest != math.inf:
            self._timer = self._loop.call_later(longest, self._settle, False)

    def on(self, errand: Errand | None) -> _Wait:
        """Waits for this errand; None is done already."""
        self._errand = errand
        if errand is None:
            self._settle(True)
        else:
            errand.add_done_callback(self._wake)
        return self

    def _wake(self) -> None:  # on the errand's thread
        _call_soon(self._loop, self._settle, True)

    def _settle(self, is_done: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._future.done():
            self._future.set_result(is_done)

    def __await__(self) -> Generator[Any, Any, None]:
        if not (yield from self._future):
            raise TimeoutError(self._too_late)
        if self._errand is not None and self._errand.error is not None:
            raise self._errand.error

    def send(self, value: Any) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(value)

    def throw(self, *error: Any) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.throw(*error)

    def close(self) -> None:
        if self._steps is not None:
            self._steps.close()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object) -> None:
    """As `loop.call_soon_threadsafe`; on a closed loop the call is dropped and counted."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        if not loop.is_closed():
            raise
        _bridge.count_dropped()


def _require_loop(name: str, instead: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(f"icegil.{name} needs a running event loop; without one, call {instead}") from None


def destroy_async(communicator: Any, timeout: float | None = None) -> Coroutine[Any, Any, None]:
    """Destroys a communicator; to be awaited. Callable from any thread that runs an event loop, asyncio's or uvloop's.

    The destruction begins with the call. There is one, however many ask for it; cancelling the wait does not cancel
    it, and neither does closing the loop. When the wait is over, every thread of the communicator has ended.

    Parameters
    ----------
    communicator : Ice.Communicator
        A destroyed one is no error: the wait is over at once.
    timeout : float | None
        Longest wait in seconds, from the call on; None waits without limit.

    Raises
    ------
    TypeError, ValueError
        At the call: `communicator` is no communicator; `timeout` is no number, negative or NaN.
    RuntimeError
        At the call: no event loop runs in this thread. `icegil.destroy` needs none.
    TimeoutError
        When awaited: it takes longer. The destruction goes on.
    """
    life = lifecycle.life_of(communicator)
    seconds(timeout, "timeout")
    _require_loop("destroy_async", "icegil.destroy")
    wait = _Wait(timeout, f"{life} was not destroyed within {timeout} s; it goes on")
    return wait.on(None if life.is_over else life.destroy())


def shutdown_completed(communicator: Any) -> Coroutine[Any, Any, None]:
    """Waits until a communicator is shut down: all its incoming connections closed, all dispatches done; to be awaited.

    As `communicator.waitForShutdown()`, but callable from any thread that runs an event loop. Cancelling the wait, or
    closing the loop, has no effect on the communicator.

    Raises
    ------
    TypeError
        At the call: `communicator` is no communicator.
    RuntimeError
        At the call: no event loop runs in this thread.
    """
    life = lifecycle.life_of(communicator)
    _require_loop("shutdown_completed", "communicator.waitForShutdown")
    return _Wait(None, "").on(None if life.is_over else life.wait_for_shutdown())


# --- What takes the place of Ice's own methods ----------------------------------------------------------------------


def destroyAsync(self: Any) -> Awaitable[None]:
    """Destroys this communicator asynchronously; see `icegil.destroy_async`, which this stands on.

    Returns what Ice itself would: a future of the communicator's event loop, an `Ice.Future` if it has none; on Ice 3.7
    a future of the event loop that runs in the calling thread, if one does.
    """
    return _ice_future(self, lambda life: None if life.is_over else life.destroy())


def shutdownCompleted(self: Any) -> Awaitable[None]:
    """An awaitable that completes when the shutdown of this communicator has; see `icegil.shutdown_completed`."""
    return _ice_future(self, lambda life: None if life.is_over else life.wait_for_shutdown())


def _ice_future(communicator: Any, begin: Callable[[Life], Errand | None]) -> Awaitable[None]:
    future = _new_future()
    adapter = getattr(communicator, "_eventLoopAdapter", None)
    wrapped: Awaitable[None] = adapter.wrapFuture(future) if adapter is not None else _awaitable(future)
    errand = begin(lifecycle.watch(communicator))
    if errand is None:
        future.set_result(None)
    else:
        errand.add_done_callback(lambda: _pass_on(errand, future))
    return wrapped


def _awaitable(future: Any) -> Awaitable[None]:
    # The communicators of Ice 3.7 know of no event loop: the one that runs here is the one that will await.
    ice: Any = sys.modules["Ice"]
    if not _compat.knows_event_loops(ice):
        wrap = ice.wrap_future if _compat.has_futures(ice) else asyncio.wrap_future
        with contextlib.suppress(RuntimeError):
            return cast(Awaitable[None], wrap(future, loop=asyncio.get_running_loop()))
    return cast(Awaitable[None], future)


def _new_future() -> Any:
    ice: Any = sys.modules["Ice"]
    if _compat.has_futures(ice):
        return ice.Future()
    from concurrent.futures import Future

    return Future()


def _pass_on(errand: Errand, future: Any) -> None:
    if errand.error is None:
        future.set_result(None)
    else:
        future.set_exception(errand.error)


async def enter(self: Any) -> Any:
    """`async with communicator:` on Ice 3.7, whose communicators have none."""
    return self


async def leave(self: Any, *_: object) -> None:
    """The end of `async with communicator:` on Ice 3.7. Works on every loop, since there is no adapter either."""
    await destroy_async(self)


class _LateLoop:
    """The little of a loop that `Ice.wrap_future` uses, for a future that may complete when the loop is closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def create_future(self) -> asyncio.Future[Any]:
        return self._loop.create_future()

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        _call_soon(self._loop, callback, *arguments)


def safe_wrap_future(wrap_future: Callable[..., Any]) -> Callable[..., Any]:
    """Ice's `wrap_future`, made safe for completions that come after the loop was closed."""

    def wrap(future: Any, *, loop: asyncio.AbstractEventLoop | None = None) -> Any:
        if isinstance(future, _bridge.Future):
            return _bridge.awaited_on(loop or asyncio.get_event_loop(), future)
        return wrap_future(future, loop=_LateLoop(loop or asyncio.get_event_loop()))

    return wrap


def wrap_on_loop(self: Any, future: Any) -> Any:
    """`wrapFuture` of Ice's adapter for asyncio."""
    if isinstance(future, _bridge.Future):
        return _bridge.awaited_on(self._eventLoop, future)
    return sys.modules["Ice"].wrap_future(future, loop=self._eventLoop)
