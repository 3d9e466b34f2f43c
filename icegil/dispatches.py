"""Dispatches that wait for a coroutine on an event loop: failed when the loop is dead, or they would never end."""

from __future__ import annotations

import concurrent.futures
import contextlib
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from typing import Any

import icegil._bridge as _bridge
import icegil._compat as _compat
from icegil.errand import log

Future = concurrent.futures.Future[Any]


class _Answer:
    """The answer of a dispatch as a future, for a program that runs a servant's coroutine itself."""

    def __init__(self) -> None:
        self.future = Future()

    def response(self, result: object) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # the program has cancelled it
            self.future.set_result(result)

    def exception(self, error: BaseException) -> None:
        if isinstance(error, concurrent.futures.CancelledError):
            self.future.cancel()
        else:
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                self.future.set_exception(error)


def run_coroutine(self: Any, coroutine: Coroutine[Any, Any, Any]) -> Future:
    """`runCoroutine` of Ice's adapter for asyncio: a dispatch never waits for a loop that will not run again."""
    answer = _Answer()
    _bridge.run_on_loop(coroutine, self._eventLoop, answer)
    return answer.future


def replacements(ice: Any) -> list[tuple[Any, str, Callable[..., Any]]]:
    """What takes the place of Ice's own, each as owner, name and function. On 3.7 nothing: it knows no event loops."""
    adapter = _compat.event_loop_adapter_class()
    if adapter is None:
        return []
    # What Ice itself answers for an object that is not there any more: the one failure that its default settings do not
    # print a warning about.
    home, installed = _compat.dispatch_function()
    _bridge.set_dispatches(installed, run_coroutine, _say_once, ice.ObjectNotExistException)
    found: list[tuple[Any, str, Callable[..., Any]]] = [(adapter, "runCoroutine", run_coroutine)]
    return found if home is None or _bridge.dispatch is None else [*found, (home, "dispatch", _bridge.dispatch)]


def fail_stranded() -> None:
    """The shutdown has begun: fails what waits for a loop that does not run, now and from now on."""
    _bridge.fail_stranded_dispatches()


_dead: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()


def _say_once(loop: AbstractEventLoop) -> None:
    if loop not in _dead:
        _dead.add(loop)
        log.info("coroutine dispatches are failed from now on: their event loop %r is closed or stopped", loop)


_compat.after_fork_in_child(_bridge.leave_dispatches_to_parent)
