"""The shutdown: the steps that take communicators and callbacks down before Python finalizes, and no step is left out.

1. The gate is open: every communicator is destroyed, all at once.
2. The gate drains: nobody comes in any more, those inside finish.
3. The gate is sealed. If all has ended, nothing is left that could run; what has not is named in the log and given up.
4. Python finalizes. If something was given up, the process leaves right after that.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import io
import math
import sys
import threading
import time
import warnings
from types import ModuleType

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.dispatches as dispatches
import icegil.lifecycle as lifecycle
import icegil.threads as threads
from icegil.errand import Errand, log
from icegil.lifecycle import Life, State


def teardown(timeout: float) -> None:
    """Takes everything down before Python finalizes, within `timeout` seconds; an `atexit` handler.

    A communicator that is stuck, or a thread, cannot hold the process up: it is named in the log, kept alive, and the
    process leaves right after Python's finalization, with its own exit status.
    """
    deadline = time.monotonic() + timeout
    living = [life for life in lifecycle.lives() if not life.is_over]
    undestroyed = [life for life in living if life.destruction is None]
    if _is_in_callback():
        _leave_callback(living)
        return
    _destroy_all(living, deadline)  # 1
    inside = _drain(deadline)  # 2
    _seal(living, inside, timeout)  # 3
    _tell_of_undestroyed(undestroyed)


# --- `sys.exit()` in a callback ---------------------------------------------------------------------------------------


def before_threads_are_joined() -> None:
    """To be called as Python begins its shutdown, on whatever thread that is."""
    if _is_in_callback():
        _compat.do_not_join_main_thread()


def _is_in_callback() -> bool:
    """Whether Python is being finalized by a thread of Ice: IcePy calls `Py_Exit` on it."""
    return _bridge.is_inside() or threading.get_ident() != threading.main_thread().ident


def _leave_callback(living: list[Life]) -> None:
    """Steps 2 and 3 with nobody waited for: no communicator can be destroyed while this very dispatch of it lasts."""
    _bridge.drain(0)
    _seal_gate()
    _give_up(living)


def finish_in_callback() -> bool:
    """`sys.exit()` in a callback: takes Python's last steps but for the finalization; whether that was done.

    On the main thread nothing is done: there Python can finalize.
    """
    if threading.get_ident() == threading.main_thread().ident:
        return False
    for step in (threading._shutdown, atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):  # type: ignore[attr-defined]
        try:
            step()
        except BaseException:
            sys.excepthook(*sys.exc_info())
    return True


# --- 1. The gate is open ----------------------------------------------------------------------------------------------


def _destroy_all(living: list[Life], deadline: float) -> None:
    dispatches.fail_stranded()  # or what waits for a dead event loop would never end
    _destroy_in_turns(living, deadline)
    if any(not life.is_over for life in living):
        _leave_streams_behind()


def _destroy_in_turns(living: list[Life], deadline: float) -> None:
    # Many threads at once would only fight for the GIL: a few go from one communicator to the next. A destruction that
    # is stuck keeps its thread, so as long as some have not had their turn there are soon twice as many.
    waiting = collections.deque(living)

    def destroy_in_turn() -> None:
        with contextlib.suppress(IndexError):
            while True:
                waiting.popleft().destroy_now()

    workers = [Errand(destroy_in_turn) for _ in living[:4]]
    slow = time.monotonic() + lifecycle.SLOW
    try:
        while workers and (left := deadline - time.monotonic()) > 0:
            if time.monotonic() >= slow:
                slow = math.inf
                for life in living:
                    life.say_slow()
            left = min(left, slow - time.monotonic())
            if workers[-1].wait(min(0.05, left) if waiting else left):
                workers.pop()
            elif waiting:
                workers += [Errand(destroy_in_turn) for _ in workers]
    except KeyboardInterrupt:
        log.warning("interrupted while communicators were being destroyed; leaving without them")


def _leave_streams_behind() -> None:
    """Takes the standard streams away from stuck threads, which may be stopped with the lock of one in hand.

    CPython flushes the streams as it finalizes, and ends the process with a fatal error when it cannot get that lock
    (bufferedio.c, _enter_buffered_busy). The new ones have no buffer and no lock, as under `python -u`.
    """
    for name in ("stdout", "stderr"):
        old = getattr(sys, name)
        if type(old) is not io.TextIOWrapper or type(old.buffer) is not io.BufferedWriter:
            continue
        Errand(old.flush).wait(0.2)  # on a thread of its own: whoever reads a full pipe may not read on
        _bridge.keep_alive(old)
        raw = io.FileIO(old.fileno(), "w", closefd=False)
        new = io.TextIOWrapper(raw, old.encoding, old.errors, write_through=True)
        for each in (name, f"__{name}__"):
            if getattr(sys, each) is old:
                setattr(sys, each, new)


# --- 2. The gate drains -----------------------------------------------------------------------------------------------


def _drain(deadline: float) -> int:
    """How many are left inside."""
    try:
        return _bridge.drain(max(0.0, deadline - time.monotonic()))
    except KeyboardInterrupt:
        log.warning("interrupted while callbacks were finishing; leaving without them")
        return len(_bridge.occupants())


# --- 3. The gate is sealed --------------------------------------------------------------------------------------------


def _seal(living: list[Life], inside: int, timeout: float) -> None:
    _seal_gate()
    stuck = [life for life in living if not life.is_over]
    if stuck or inside:
        _report_unclean(stuck, timeout)
    if stuck or inside or lifecycle.inherited:
        _give_up(stuck)
    else:
        _bridge.clean_up_icepy()


def _seal_gate() -> None:
    # What runs from here on, `__del__` and the clean-up of modules, may still call proxies, and IcePy looks the
    # exceptions that it raises up in modules that are being emptied. What icegil itself consists of is kept with them:
    # that costs the exit less than to take it apart.
    packages = _compat.packages_needed_last()
    kept = {
        name: vars(module).copy()
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in packages and isinstance(module, ModuleType)
    }
    _bridge.keep_modules(kept)
    _bridge.seal()


def _report_unclean(stuck: list[Life], timeout: float) -> None:
    lines = [f"not everything ended within {timeout:g} s of shutdown; the process leaves without it"]
    lines += [f"{life}: its destruction has not ended" for life in stuck]
    lines += threads.stacks()
    log.warning("\n".join(lines))


def _give_up(stuck: list[Life]) -> None:
    for life in stuck:
        life.give_up()
    _bridge.leave_right_after_finalization()  # 4


# --- What the program had left to icegil ------------------------------------------------------------------------------


def _tell_of_undestroyed(undestroyed: list[Life]) -> None:
    """Counts what was destroyed at exit, and warns of each that the program did not destroy."""
    lifecycle.tally.destroyed_at_exit = sum(life.state is State.DESTROYED for life in undestroyed)
    for life in undestroyed:
        message = "this communicator was never destroyed by the program; it was destroyed at exit"
        if life.traceback:
            *calls, last = life.traceback
            message += ". It was made at (most recent call last):\n" + "".join(calls)
            message += last.partition("\n")[0]  # the code of that line is shown with every warning
        filename, line = life.origin
        warnings.warn_explicit(message, ResourceWarning, filename, line)
