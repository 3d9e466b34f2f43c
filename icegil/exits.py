"""Who takes the process out: the main thread as a rule, or a callback that calls `sys.exit()`. It is one thread."""

from __future__ import annotations

import atexit
import sys
import threading

import icegil._bridge as _bridge
import icegil._compat as _compat

_taken = threading.Lock()  # by the thread that runs the handlers, for good
_owner = 0  # its `threading.get_ident()`

parked = 0
"""Callbacks that called `sys.exit()` when another thread was taking the process out."""


def begin() -> None:
    """Python begins to end, on the calling thread: it is about to join threads.

    Does not return if another one is further: it runs the handlers at exit, or has run them.
    """
    if _taken.locked() and _owner != threading.get_ident():
        _leave_it_to_the_other()
    if is_in_callback():
        _compat.do_not_join_main_thread()


def begin_handlers() -> None:
    """The calling thread is about to run the handlers at exit. If another one does already, this one never returns.

    Two threads may join the same ones, and one of them may have to for the other to get on; but two that run the
    handlers would run some of them twice.
    """
    global _owner
    if _taken.acquire(blocking=False):
        _owner = threading.get_ident()
    elif _owner != threading.get_ident():
        _leave_it_to_the_other()


def _leave_it_to_the_other() -> None:
    global parked
    if is_in_callback():
        parked += 1
        _bridge.park_this_thread()
    _wait_for_the_end()


def _wait_for_the_end() -> None:
    """On the main thread, where Ctrl-C still has its say."""
    never = threading.Lock()
    never.acquire()
    never.acquire()


def is_in_callback() -> bool:
    """Whether the calling thread is one of Ice: IcePy calls `Py_Exit` on it when a callback calls `sys.exit()`."""
    return _bridge.is_inside() or threading.get_ident() != threading.main_thread().ident


def is_leaving_callback() -> bool:
    """Whether the calling thread is a callback that runs the handlers at exit: the dispatch it is in never ends."""
    return _owner == threading.get_ident() and is_in_callback()


def finish_in_callback(status: int) -> int:
    """`sys.exit(status)` in a callback: takes Python's last steps but for the finalization; the status to leave with.

    -1 on the main thread: there Python can finalize, and nothing is done. What goes wrong is shown as Python shows it
    (pylifecycle.c, Py_FinalizeEx), which calls nothing of the program's for it but `sys.unraisablehook`.
    """
    if threading.get_ident() == threading.main_thread().ident:
        return -1
    begin()
    for step in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException as error:
            _bridge.show_unraisable(error, step)
    return status if _flush_streams() else 120


def _flush_streams() -> bool:
    """Flushes the standard streams; false if what was written to stdout is lost."""
    is_well = True
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException as error:
            if name == "stdout":
                _bridge.show_unraisable(error, stream)
                is_well = False
    return is_well


def _forget() -> None:
    """In a forked child nobody has begun."""
    global _taken, _owner, parked
    _taken, _owner, parked = threading.Lock(), 0, 0


_compat.after_fork_in_child(_forget)
