"""Errands: blocking calls of Ice on native threads, and how long to wait for them."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import icegil._bridge as _bridge

if TYPE_CHECKING:
    from numbers import Real
    from typing import TypeGuard

Begin = Callable[[Callable[[], None]], object]
"""Begins something that goes on by itself, and calls what it is given when that is over."""

log = logging.getLogger("icegil")


def seconds(value: object, name: str) -> float:
    """`value` as a number of seconds, `math.inf` for None; TypeError or ValueError that names the argument."""
    if value is None:
        return math.inf
    if not _is_real(value):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:  # longer than anybody waits
        number = -math.inf if value < 0 else math.inf
    if math.isnan(number) or number < 0:
        raise ValueError(f"{name} must not be negative or NaN: {value}")
    return number


def _is_real(value: object) -> TypeGuard[Real]:
    if isinstance(value, int | float):
        return True
    from numbers import Real  # for a fraction, say: too much to load and to free for every program

    return isinstance(value, Real)


class Errand:
    """One blocking call on a native thread, however many wait for it. Usable from any thread."""

    def __init__(self, work: Callable[[], object], begin: Begin | None = None) -> None:
        """Does `work()`; or has it done by `begin(done)`, which returns at once."""
        self.error: BaseException | None = None
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        if begin is not None:
            begin(lambda: self._complete(None))
        elif _bridge.gate_state() == "open":
            _bridge.call_on_native_thread(work, self._complete)
        else:  # no native thread is admitted any more: the finalizer does its errands itself
            self._complete(_error_of(work))

    def _complete(self, error: BaseException | None) -> None:
        self.error = error
        with self._lock:
            self._finished.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._call(callback)

    def add_done_callback(self, callback: Callable[[], object]) -> None:
        """Has `callback()` called when the errand is done: on its thread, or here and now if it is done already."""
        with self._lock:
            if not self._finished.is_set():
                self._callbacks.append(callback)
                return
        self._call(callback)

    @staticmethod
    def _call(callback: Callable[[], object]) -> None:
        error = _error_of(callback)
        if error is not None:
            log.error("a completion callback failed", exc_info=error)

    @property
    def is_done(self) -> bool:
        """Whether the call has returned, or raised."""
        return self._finished.is_set()

    def wait(self, timeout: float = math.inf) -> bool:
        """Waits up to `timeout` seconds; whether the errand is done. Ctrl-C ends the waiting."""
        return self._finished.wait(min(timeout, threading.TIMEOUT_MAX))


def _error_of(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except BaseException as error:
        return error
    return None
