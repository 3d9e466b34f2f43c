"""Which communicators live, who destroys them, and the shutdown: the steps that take them down before Python goes."""

from __future__ import annotations

import atexit
import collections
import contextlib
import io
import itertools
import math
import os
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from icegil import _bridge, _compat, dispatches
from icegil.errand import Errand, log, seconds


class Tally:
    """What became of the communicators of this process."""

    def __init__(self) -> None:
        self.made = 0
        self.destroyed = 0
        self.destroyed_at_exit = 0  # of those destroyed, the ones that the program had left to icegil
        self.teardown_seconds: float | None = None  # how long the teardown took; None before its end


BEFORE = "before icegil.install()"
"""Where a communicator was made that lived already when it was first seen."""


class Life:
    """What is known of one communicator."""

    def __init__(self, communicator: Any, made_by: list[traceback.FrameSummary]) -> None:
        self._communicator = weakref.ref(communicator)
        self.number = next(_numbers)
        self.impl = communicator._impl
        self.made_at = time.monotonic()
        self.made_by = made_by  # innermost call first; empty if nobody saw it
        self.destruction: Errand | None = None
        self.shutdown: Errand | None = None
        self.is_being_destroyed = False
        self.is_destroyed = False
        self.is_given_up = False  # stuck at exit, or left behind by fork(): never waited for
        self.is_inherited = False  # in a forked child: the parent's
        self._is_said_slow = False

    @property
    def is_over(self) -> bool:
        """Nothing is left to destroy, or nothing that may be waited for."""
        return self.is_destroyed or self.is_given_up

    @property
    def state(self) -> str:
        """`"active"`, `"destroying"`, `"destroyed"`, or `"stuck"`: given up at exit."""
        if self.is_destroyed:
            return "destroyed"
        return "stuck" if self.is_given_up else "destroying" if self.is_being_destroyed else "active"

    @property
    def place(self) -> str:
        """Where the program made it: `file:line`, or `BEFORE`."""
        filename, line = self.origin
        return f"{filename}:{line}" if self.made_by else filename

    @property
    def origin(self) -> tuple[str, int]:
        """File and line of the place."""
        return (self.made_by[0].filename, self.made_by[0].lineno or 0) if self.made_by else (BEFORE, 0)

    @property
    def traceback(self) -> tuple[str, ...]:
        """In Python's development mode the calls by which it was made, outermost first; otherwise empty."""
        calls = reversed(self.made_by) if sys.flags.dev_mode else ()
        return tuple(traceback.StackSummary.from_list(calls).format())

    def __str__(self) -> str:
        return f"the communicator made {'at ' if self.made_by else ''}{self.place}"

    def note(self, event: str) -> None:
        """Notes in the timeline that it was "made", is "destroying" or is "destroyed"."""
        if _bridge.is_tracing():
            _bridge.trace_communicator(event, self.number, self.place.encode(errors="backslashreplace"))

    def destroy(self) -> Errand:
        """Begins the destruction, or joins the one that has begun."""
        with _lock:
            if self.destruction is None:
                self.destruction = Errand(lambda: self._destroy_watched(self.impl.destroy))
            return self.destruction

    def destroy_here(self, destroy: Callable[[], None]) -> None:
        """`communicator.destroy()` by the program, on its own thread, with the runtime's own `destroy`."""
        if not self.is_given_up:
            self._destroy_watched(destroy)

    def say_slow(self) -> None:
        """Says in the log that its destruction takes long, and what it may wait for; once."""
        with _lock:
            is_news, self._is_said_slow = not (self.is_over or self._is_said_slow), True
        if is_news:
            lines = [f"thread {native_id} is in {_place(stack)}" for native_id, stack in _native_stacks()]
            found = "; ".join(lines) or "no callback is inside"
            log.warning("%s is not destroyed after %g s: %s", self, SLOW, found)

    def destroy_now(self) -> None:
        """Destroys it on the calling thread, or waits there for the destruction that has begun; errors are logged."""
        begun = self.destruction
        try:
            if begun is None:
                self._destroy(self.impl.destroy)
            else:
                begun.wait()
        except Exception:
            log.exception("%s could not be destroyed", self)

    def _destroy_watched(self, destroy: Callable[[], object]) -> None:
        """Destroys it here. A native thread says so when that takes long: Python may start none any more."""
        watch = None if self.is_over else _bridge.Watch(SLOW, self.say_slow)
        try:
            self._destroy(destroy)
        finally:
            if watch is not None:
                watch.end()

    def _destroy(self, destroy: Callable[[], object]) -> None:
        self._note_destroying()
        destroy()
        self._note_destroyed()

    def _note_destroying(self) -> None:
        if not self.is_being_destroyed:
            self.is_being_destroyed = True
            self.note("destroying")

    def _note_destroyed(self) -> None:
        with _lock:
            was_destroyed, self.is_destroyed = self.is_destroyed, True
            tally.destroyed += not was_destroyed
        if not was_destroyed:
            self.note("destroyed")

    def wait_for_shutdown(self) -> Errand:
        """Begins to wait until the communicator is shut down, or joins the waiting that has begun."""
        with _lock:
            if self.shutdown is None:
                # Off the main thread IcePy waits in one go, whatever the number of milliseconds.
                self.shutdown = Errand(lambda: self.impl.waitForShutdown(500))
            return self.shutdown


SLOW = 1.0
"""Seconds after which a destruction is said to take long."""

_lock = threading.RLock()
_numbers = itertools.count(1)
_lives: weakref.WeakKeyDictionary[Any, Life] = weakref.WeakKeyDictionary()
_inherited: list[Life] = []
tally = Tally()


_BOTTOM = "icegil.commands.program"
"""The module whose frames lie below those of a program that `icegil run` runs."""


def _callers() -> list[traceback.FrameSummary]:
    """Where the program is, innermost first: one frame, all of them in Python's development mode."""
    own = [os.path.dirname(sys.modules[name].__file__ or "") for name in ("icegil", "Ice")]
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != _BOTTOM:
        filename = frame.f_code.co_filename
        if os.path.dirname(filename) not in own and filename != "<frozen runpy>":  # which is `python -m`
            found.append(traceback.FrameSummary(filename, frame.f_lineno, frame.f_code.co_name))
            if not sys.flags.dev_mode:
                break
        frame = frame.f_back
    return found


def watch(communicator: Any, is_new: bool = False) -> Life:
    """The life of this communicator, watched from now on if it was not yet; it may have been destroyed before."""
    with _lock:
        life = _lives.get(communicator)
        if life is None:
            life = _lives[communicator] = Life(communicator, _callers() if is_new else [])
            life.is_destroyed = not is_new and _compat.is_destroyed(communicator)
            tally.made += 1
            life.note("made")
        return life


def lives() -> list[Life]:
    """All that is known of, in the order of their making. Callable from any thread at any time."""
    with _lock:
        return [life for ref in _lives.keyrefs() if (life := _lives.get(ref())) is not None]


def life_of(communicator: object) -> Life:
    """The life of what a caller says is a communicator; TypeError if it is none."""
    ice = sys.modules.get("Ice")
    if ice is None or not isinstance(communicator, _compat.communicator_class(ice)):
        raise TypeError(f"an Ice.Communicator is needed, not {type(communicator).__name__}")
    if not hasattr(communicator, "_impl"):  # of a subclass, say, that does not call `super().__init__()`
        raise TypeError("this Ice.Communicator was never initialized")
    return watch(communicator)


def name_thread() -> None:
    """Gives the calling thread, one of Ice's, a name that tells it in logs and debuggers."""
    threading.current_thread().name = f"Ice-{threading.get_native_id()}"


def destroy(communicator: Any, timeout: float | None = None) -> None:
    """Destroys a communicator and waits until all its threads have ended. Callable from any thread.

    Unlike `communicator.destroy()` the wait can be bounded, and Ctrl-C interrupts it.

    Parameters
    ----------
    communicator : Ice.Communicator
        A destroyed one is no error: returns at once.
    timeout : float | None
        Longest wait in seconds; None waits without limit.

    Raises
    ------
    TypeError, ValueError
        `communicator` is no communicator; `timeout` is no number, negative or NaN.
    TimeoutError
        It takes longer. The destruction goes on.
    """
    longest = seconds(timeout, "timeout")
    life = life_of(communicator)
    if life.is_over:
        return
    destruction = life.destroy()
    if not destruction.wait(longest):
        raise TimeoutError(f"{life} was not destroyed within {timeout} s; it goes on")
    if destruction.error is not None:
        raise destruction.error


# --- The shutdown ---------------------------------------------------------------------------------------------------


def teardown(timeout: float) -> None:
    """Takes everything down before Python finalizes, within `timeout` seconds; an `atexit` handler.

    A communicator that is stuck, or a thread, cannot hold the process up: it is named in the log, kept alive, and the
    process leaves right after Python's finalization, with its own exit status.
    """
    deadline = time.monotonic() + timeout
    living = [life for life in lives() if not life.is_over]
    undestroyed = [life for life in living if life.destruction is None]
    if _is_in_callback():
        # `sys.exit()` in a servant: no communicator can be destroyed while one of its dispatches is this very one.
        _bridge.drain(0)
        _seal()
        _give_up(living)
        return
    # 1. The gate is open: destroy every communicator, all at once. What waits for a dead event loop is failed first.
    dispatches.fail_stranded()
    _destroy_all(living, deadline)
    if any(not life.is_over for life in living):
        _leave_streams_behind()
    # 2. The gate drains: nobody comes in any more, those inside finish.
    inside = _drain(deadline)
    # 3. The gate is sealed.
    _seal()
    stuck = [life for life in living if not life.is_over]
    if stuck or inside:
        _report_unclean(stuck, timeout)
    if stuck or inside or _inherited:
        _give_up(stuck)
    else:
        _bridge.clean_up_icepy()
    tally.destroyed_at_exit = sum(life.is_destroyed for life in undestroyed)
    _warn_of_undestroyed(undestroyed)


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


def before_threads_are_joined() -> None:
    """To be called as Python begins its shutdown, on whatever thread that is."""
    if _is_in_callback():
        _compat.do_not_join_main_thread()


def _is_in_callback() -> bool:
    """Whether Python is being finalized by a thread of Ice: IcePy calls `Py_Exit` on it."""
    return _bridge.is_inside() or threading.get_ident() != threading.main_thread().ident


def _seal() -> None:
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


def _destroy_all(living: list[Life], deadline: float) -> None:
    # Many threads at once would only fight for the GIL: a few go from one communicator to the next. A destruction that
    # is stuck keeps its thread, so as long as some have not had their turn there are soon twice as many.
    waiting = collections.deque(living)

    def destroy_in_turn() -> None:
        with contextlib.suppress(IndexError):
            while True:
                waiting.popleft().destroy_now()

    workers = [Errand(destroy_in_turn) for _ in living[:4]]
    slow = time.monotonic() + SLOW
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


def _drain(deadline: float) -> int:
    try:
        return _bridge.drain(max(0.0, deadline - time.monotonic()))
    except KeyboardInterrupt:
        log.warning("interrupted while callbacks were finishing; leaving without them")
        return len(_bridge.occupants())


def _report_unclean(stuck: list[Life], timeout: float) -> None:
    lines = [f"not everything ended within {timeout:g} s of shutdown; the process leaves without it"]
    lines += [f"{life}: its destruction has not ended" for life in stuck]
    lines += _foreign_stacks()
    log.warning("\n".join(lines))


def _foreign_stacks() -> list[str]:
    lines = []
    for native_id, stack in _native_stacks():
        lines.append(f"thread {native_id} is in:")
        lines += [line.rstrip("\n") for line in stack.format()]
    return lines


def _native_stacks() -> list[tuple[str, traceback.StackSummary]]:
    """The Python stacks of the native threads, but for the bridge's own: whoever is inside the gate is among them."""
    native_ids = {thread: native_id for thread, native_id, _ in _bridge.occupants()}
    pythons = {t.ident for t in threading.enumerate() if not isinstance(t, threading._DummyThread)}
    found = []
    for thread, frame in sys._current_frames().items():
        stack = traceback.extract_stack(frame)
        if thread not in pythons and thread != threading.get_ident() and stack[0].filename != __file__:
            found.append((str(native_ids.get(thread, hex(thread))), stack))
    return found


def _place(stack: traceback.StackSummary) -> str:
    """The innermost call that is not the standard library's waiting."""
    waiting = ("threading.py", "queue.py", "selectors.py")
    calls = [call for call in stack if os.path.basename(call.filename) not in waiting] or list(stack)
    return f"{calls[-1].name} ({calls[-1].filename}:{calls[-1].lineno})"


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


def _give_up(stuck: list[Life]) -> None:
    # No destructor may join a thread that will never end.
    for life in stuck:
        life.is_given_up = True
        _bridge.keep_alive(life.impl)
    _bridge.leave_right_after_finalization()


def _warn_of_undestroyed(undestroyed: list[Life]) -> None:
    for life in undestroyed:
        message = "this communicator was never destroyed by the program; it was destroyed at exit"
        if life.traceback:
            *calls, last = life.traceback
            message += ". It was made at (most recent call last):\n" + "".join(calls)
            message += last.partition("\n")[0]  # the code of that line is shown with every warning
        filename, line = life.origin
        warnings.warn_explicit(message, ResourceWarning, filename, line)


def _leave_to_parent() -> None:
    """In a forked child: the parent's communicators have no threads here, so nothing of theirs may be waited for."""
    global _lock, tally
    _lock = threading.RLock()
    tally = Tally()
    for life in lives():
        if not life.is_over:
            life.is_given_up = life.is_inherited = True
            _bridge.keep_alive(life.impl)
            _inherited.append(life)
    dispatches.forget_all()


os.register_at_fork(after_in_child=_leave_to_parent)
