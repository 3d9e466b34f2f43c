"""Dispatches that wait for a coroutine on an event loop: failed when the loop is dead, or they would never end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import inspect
import os
import sys
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Coroutine
from typing import Any

import icegil._bridge as _bridge
from icegil.errand import log

Future = concurrent.futures.Future[Any]


class _Dispatch:
    """A dispatch that waits for a coroutine on an event loop; as `asyncio.run_coroutine_threadsafe`, with an end.

    The task is this object's: when the loop has died under it, nobody is told that it "was destroyed but is pending".
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.future = Future()  # the answer: what Ice waits for
        self._coroutine = coroutine
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:  # on the loop's thread
        if self.future.done():
            return
        try:
            self._task = self.loop.create_task(self._coroutine)
            self._task.add_done_callback(self._answer)
        except Exception as error:
            self.future.set_exception(error)

    def _answer(self, task: asyncio.Task[Any]) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # stranded in the meantime
            if task.cancelled():
                self.future.cancel()
            elif task.exception() is not None:
                self.future.set_exception(task.exception())
            else:
                self.future.set_result(task.result())

    def strand(self) -> None:
        """Fails the dispatch; its coroutine is never resumed."""
        if self._task is not None:
            self._task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.run does with its own
        if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CREATED:
            self._coroutine.close()  # or Python complains that it was never awaited
        _say_once(self.loop)
        # What Ice itself answers for an object that is not there any more: the one failure that its default settings do
        # not print a warning about.
        _bridge.count_dropped()
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # it was cancelled, or failed, in the meantime
            self.future.set_exception(sys.modules["Ice"].ObjectNotExistException())


_pending: set[_Dispatch] = set()
_dead: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()
_is_shutting_down = False


def start(coroutine: Coroutine[Any, Any, Any], loop: AbstractEventLoop) -> Future:
    """Runs the coroutine of a dispatch on `loop`; the future of its result. From any thread."""
    dispatch = _Dispatch(coroutine, loop)
    _pending.add(dispatch)
    dispatch.future.add_done_callback(lambda _: _pending.discard(dispatch))
    try:
        if not is_dead(loop):
            loop.call_soon_threadsafe(dispatch.start)
    except RuntimeError:
        if not loop.is_closed():
            raise
    if is_dead(loop):  # asked last, once it is in the list: nobody may look at this one any more
        dispatch.strand()
    return dispatch.future


def fail_stranded() -> None:
    """The shutdown has begun: fails what waits for a loop that does not run, now and from now on."""
    global _is_shutting_down
    _is_shutting_down = True
    for dispatch in list(_pending):
        if is_dead(dispatch.loop):
            dispatch.strand()


def is_dead(loop: AbstractEventLoop) -> bool:
    """Whether nothing that is scheduled on `loop` will run any more."""
    return loop.is_closed() or (_is_shutting_down and not loop.is_running())


def _say_once(loop: AbstractEventLoop) -> None:
    if loop not in _dead:
        _dead.add(loop)
        log.info("coroutine dispatches are failed from now on: their event loop %r is closed or stopped", loop)


def _leave_to_parent() -> None:
    """In a forked child: the dispatches are the parent's."""
    global _is_shutting_down
    _is_shutting_down = False
    _pending.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
