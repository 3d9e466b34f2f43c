"""The boundary where there is no compiled one: macOS, Windows, musl. It has the same names, and no guard.

What C++ threads do is not seen from here: nobody is counted, refused or parked, the gate is a word. The threads are
Python's, as long as it starts some; from 3.12 on it starts none at its end. `icegil/_bridge.pyi` says what each name
means; what only the guard, the compiled futures and the timeline use is not here.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import sys
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, NoReturn

from icegil._bridge_threads import call_on_native_thread, keep_thread  # noqa: F401

_state = "open"
_dropped = 0


def is_finalizing() -> bool:
    return _state != "open" or sys.is_finalizing()


def gate_state() -> str:
    return _state


def counters() -> dict[str, int]:
    return dict.fromkeys(("admitted", "refused", "parked", "inside", "most"), 0) | {"dropped": _dropped}


def count_dropped() -> None:
    global _dropped
    _dropped += 1


def occupants() -> list[tuple[int, int, float]]:
    return []


def is_inside() -> bool:
    return False


def keep_time() -> None:
    pass


def gil_given_away() -> dict[str, int]:
    return {"for_lock": 0, "for_wait": 0, "for_join": 0}


def gil_places() -> list[str]:
    return []


class Watch:
    """Would need a thread for each destruction: nobody says here that one is slow."""

    def __init__(self, seconds: float, late: Callable[[], object]) -> None:
        pass

    def end(self) -> None:
        pass


# --- The end --------------------------------------------------------------------------------------------------------


PAUSE = 0.005  # seconds: as long as a thread waits before it asks for the GIL
LONGEST_RETURN = 0.2  # seconds


def drain(timeout: float, /) -> int:
    """Lets the other threads of Python's have the GIL, until none of them has moved meanwhile.

    The destructions have ended their calls. Whoever is not back when Python finalizes is ended amid C++, and the
    process with it. Who is in C++ is not seen from here: for a thread that always moves the wait is in vain, and short.
    """
    global _state
    _state = "draining"
    end = time.monotonic() + min(timeout, LONGEST_RETURN)
    before: dict[int, tuple[int, int]] = {}
    while (now := _places()) != before and time.monotonic() < end:
        before = now
        time.sleep(PAUSE)
    return 0


def _places() -> dict[int, tuple[int, int]]:
    """Where the other threads of Python's are."""
    here = threading.get_ident()
    frames = sys._current_frames().items()
    return {thread: (id(frame), frame.f_lasti) for thread, frame in frames if thread != here}


def seal() -> None:
    global _state
    _state = "sealed"


class LastHandler:
    """As the compiled one; between its steps a signal handler may raise, which ends them."""

    def __init__(self, first: Callable[[], None], next_step: Callable[[], bool]) -> None:
        self._first = first
        self._next_step = next_step

    def __call__(self) -> None:
        self._first()

    def __del__(self) -> None:
        while self._next_step():
            pass


def keep_modules(modules: dict[str, dict[str, object]], /) -> None:
    pass


def clean_up_icepy() -> None:
    pass


def keep_alive(thing: object, /) -> None:
    with contextlib.suppress(ImportError):  # a Python may be built without it
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def note_unclean() -> None:
    pass


def leave_right_after_finalization() -> None:
    """Not to be had: a thread that is stuck is there while Python finalizes, as it is with plain Ice."""


def show_unraisable(error: BaseException, thing: object, /) -> None:
    class Raises:
        def __del__(self) -> None:
            raise error

    Raises()


def park_this_thread() -> NoReturn:
    never = threading.Lock()
    never.acquire()
    while True:
        never.acquire()


# --- Dispatches of coroutines ---------------------------------------------------------------------------------------

_dispatches: set[_Dispatch] = set()
_dispatches_end = False
_say_dead: Callable[[Any], None] = print
_stranded: type[Exception] = Exception

dispatch = None  # Ice's own stays in place


def set_dispatches(
    installed: Callable[..., Any],
    run_coroutine: Callable[..., Any],
    say: Callable[[Any], None],
    stranded: type[Exception],
    /,
) -> None:
    global _say_dead, _stranded
    _say_dead, _stranded = say, stranded


class _Dispatch:
    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: AbstractEventLoop, answer: Any) -> None:
        self._coroutine = coroutine
        self._context = contextvars.copy_context()
        self._answer = answer
        self._task: Any = None
        self.loop = loop

    def begin(self) -> None:
        """On the loop's thread."""
        try:
            self._task = self._context.run(self.loop.create_task, self._coroutine)
            self._task.add_done_callback(self._end)
        except Exception as error:
            self._fail(error)

    def _end(self, task: Any) -> None:
        if task.cancelled():
            self._fail(CancelledError())
        elif (error := task.exception()) is not None:
            self._fail(error)
        elif (answer := self._take_answer()) is not None:
            answer.response(task.result())

    def _take_answer(self) -> Any:
        answer, self._answer = self._answer, None
        _dispatches.discard(self)
        return answer

    def _fail(self, error: BaseException) -> None:
        answer = self._take_answer()
        if answer is not None:
            answer.exception(error)

    def drop(self) -> None:
        """Its loop is dead: the coroutine is never resumed."""
        if self._answer is None:
            return
        if self._task is not None:
            self._task._log_destroy_pending = False
        if inspect.getcoroutinestate(self._coroutine) == inspect.CORO_CREATED:
            self._coroutine.close()
        _say_dead(self.loop)
        count_dropped()
        self._fail(_stranded())


def _is_dead(loop: AbstractEventLoop) -> bool:
    return loop.is_closed() or (_dispatches_end and not loop.is_running())


def run_on_loop(coroutine: Coroutine[Any, Any, Any], loop: AbstractEventLoop, answer: Any, /) -> None:
    dispatch = _Dispatch(coroutine, loop, answer)
    _dispatches.add(dispatch)
    with contextlib.suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(dispatch.begin)
    if _is_dead(loop):
        dispatch.drop()


def fail_stranded_dispatches() -> None:
    global _dispatches_end
    _dispatches_end = True
    for dispatch in list(_dispatches):
        if _is_dead(dispatch.loop):
            dispatch.drop()


def leave_dispatches_to_parent() -> None:
    global _dispatches_end
    _dispatches_end = False
    _dispatches.clear()


# --- Compiled futures, and the timeline: not here -------------------------------------------------------------------


class Future:
    """No future is one of these."""


def futures() -> dict[str, int]:
    return {"alive": 0, "begun": 0, "over": 0}


def ownership() -> dict[str, Any]:
    return {"is_known": False, "takes_too_many": False, "given_back": 0}


def is_tracing() -> bool:
    return False


def start_trace(capacity: int, own_name: Callable[[], str], /) -> NoReturn:
    raise NotImplementedError("the timeline is recorded by icegil's extension, which is not built for this platform")


def stop_trace() -> None:
    pass


def trace_finalizing() -> None:
    pass


def write_trace_before_finalization() -> None:
    pass
