"""Dispatches that wait for a coroutine on an event loop: failed when the loop is dead, or they would never end."""

import concurrent.futures
import contextlib
import inspect
import sys
from asyncio import AbstractEventLoop
from collections.abc import Coroutine
from typing import Any, NamedTuple

from icegil import _bridge

Future = concurrent.futures.Future[Any]


class _Dispatch(NamedTuple):
    """A dispatch that waits for a coroutine on an event loop."""

    coroutine: Coroutine[Any, Any, Any]
    loop: AbstractEventLoop


_pending: dict[Future, _Dispatch] = {}
_is_shutting_down = False


def watch(future: Future, coroutine: Coroutine[Any, Any, Any], loop: AbstractEventLoop) -> None:
    """Remembers that a dispatch waits for `future`, the result of a coroutine that only `loop` can run."""
    _pending[future] = _Dispatch(coroutine, loop)
    future.add_done_callback(lambda done: _pending.pop(done, None))
    if is_dead(loop):  # since it was asked last: nobody may look at this one any more
        _strand(future, coroutine)


def fail_stranded() -> None:
    """The shutdown has begun: fails what waits for a loop that does not run, now and from now on."""
    global _is_shutting_down
    _is_shutting_down = True
    for future, dispatch in list(_pending.items()):
        if is_dead(dispatch.loop):
            _strand(future, dispatch.coroutine)


def is_dead(loop: AbstractEventLoop) -> bool:
    """Whether nothing that is scheduled on `loop` will run any more."""
    return loop.is_closed() or (_is_shutting_down and not loop.is_running())


def stranded() -> Future:
    """The future of a dispatch whose event loop is dead: failed."""
    future = Future()
    _fail(future)
    return future


def _strand(future: Future, coroutine: Coroutine[Any, Any, Any]) -> None:
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()  # or Python complains that it was never awaited
    _fail(future)


def _fail(future: Future) -> None:
    # What Ice itself answers for an object that is not there any more: the one failure that its default settings do not
    # print a warning about.
    _bridge.count_dropped()
    with contextlib.suppress(concurrent.futures.InvalidStateError):  # it was cancelled, or failed, in the meantime
        future.set_exception(sys.modules["Ice"].ObjectNotExistException())


def forget_all() -> None:
    """In a forked child: the dispatches are the parent's."""
    global _is_shutting_down
    _is_shutting_down = False
    _pending.clear()
