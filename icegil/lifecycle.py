"""The lives of communicators: which there are, what has become of each, and who destroys it."""

from __future__ import annotations

import itertools
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from enum import Enum
from typing import Any

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.boundary as boundary
import icegil.exits as exits
import icegil.making as making
import icegil.threads as threads
from icegil.errand import Begin, Errand, log, seconds


class Tally:
    """What became of the communicators of this process."""

    def __init__(self) -> None:
        self.made = 0
        self.destroyed = 0
        self.destroyed_at_exit = 0  # of those destroyed, the ones that the program had left to icegil
        self.teardown_seconds: float | None = None  # how long the teardown took; None before its end


BEFORE = "before icegil.install()"
"""Where a communicator was made that lived already when it was first seen."""


class State(Enum):
    """What has become of a communicator. The value is the word for it in a snapshot."""

    ACTIVE = "active"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"
    STUCK = "stuck"
    """Given up at exit: never waited for. Its destruction may come to an end all the same."""
    INHERITED = "inherited"
    """In a forked child: the parent's, with no threads here. Never destroyed, never waited for, never shown."""


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
        self.state = State.ACTIVE
        self._is_said_slow = False

    @property
    def is_over(self) -> bool:
        """Nothing is left to destroy, or nothing that may be waited for."""
        return self.state not in (State.ACTIVE, State.DESTROYING)

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
                self.destruction = Errand(lambda: self._destroy_watched(_compat.destruction(self.impl)), self._by_ice())
            return self.destruction

    def _by_ice(self) -> Begin | None:
        """How Ice destroys it on a thread of its own, where icegil starts none: on 3.8."""
        destroy = None if boundary.IS_COMPILED else _compat.asynchronous_destroy(self.impl)
        if destroy is None:
            return None

        def begin(done: Callable[[], None]) -> None:
            def end() -> None:
                self._note_destroyed()
                done()

            self._note_destroying()
            destroy(end)

        return begin

    def destroy_here(self, destroy: Callable[[], None]) -> None:
        """`communicator.destroy()` by the program, on its own thread, with the runtime's own `destroy`."""
        if self.state in (State.STUCK, State.INHERITED):
            return
        if exits.is_leaving_callback():  # a handler at exit, which may wait here for the very dispatch that it is in
            self.destroy().wait(SLOW / 2)
        else:
            self._destroy_watched(destroy)

    def say_slow(self) -> None:
        """Says in the log that its destruction takes long, and what it may wait for; once."""
        with _lock:
            is_news, self._is_said_slow = not (self.is_over or self._is_said_slow), True
        if is_news:
            found = "; ".join(threads.places()) or "no callback is inside"
            log.warning("%s is not destroyed after %g s: %s", self, slow(), found)

    def destroy_now(self) -> None:
        """Destroys it on the calling thread, or waits there for the destruction that has begun; errors are logged."""
        begun = self.destruction
        try:
            if begun is None:
                self._destroy(_compat.destruction(self.impl))
            else:
                begun.wait()
        except Exception:
            log.exception("%s could not be destroyed", self)

    def _destroy_watched(self, destroy: Callable[[], object]) -> None:
        """Destroys it here. A native thread says so when that takes long: Python may start none any more."""
        watch = None if self.is_over else _bridge.Watch(slow(), self.say_slow)
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
        with _lock:
            is_news = self.state is State.ACTIVE
            if is_news:
                self.state = State.DESTROYING
        if is_news:
            self.note("destroying")

    def _note_destroyed(self) -> None:
        with _lock:
            is_news = self.state not in (State.DESTROYED, State.INHERITED)
            if is_news:
                self.state = State.DESTROYED
                tally.destroyed += 1
        if is_news:
            self.note("destroyed")

    def give_up(self, state: State = State.STUCK) -> None:
        """It is never waited for from here on, and no destructor of it may join a thread that will never end."""
        with _lock:
            if self.state is not State.DESTROYED:
                self.state = state
        _bridge.keep_alive(self.impl)

    def wait_for_shutdown(self) -> Errand:
        """Begins to wait until the communicator is shut down, or joins the waiting that has begun."""
        with _lock:
            if self.shutdown is None:
                # Off the main thread IcePy waits in one go, whatever the number of milliseconds.
                self.shutdown = Errand(lambda: self.impl.waitForShutdown(500))
            return self.shutdown


SLOW = 1.0
"""Seconds after which a destruction is said to take long, where the program has a handler for its log."""

_ATTRIBUTE = "_icegil_life"
"""Where a communicator has its own."""

_lock = threading.RLock()
_numbers = itertools.count(1)
_lives: weakref.WeakKeyDictionary[Any, Life] = weakref.WeakKeyDictionary()
tally = Tally()
inherited: list[Life] = []
"""In a forked child: the lives of the parent's communicators."""


def slow() -> float:
    """Seconds after which a destruction is said to take long.

    Without a handler Python writes to stderr, where a program that ends well, if slowly, writes nothing.
    """
    return SLOW if log.hasHandlers() else 10 * SLOW


def watch(communicator: Any, is_new: bool = False) -> Life:
    """The life of this communicator, watched from now on if it was not yet; it may have been destroyed before."""
    with _lock:
        # Not from the list: the weak references in there are cleared before a `__del__` that destroys a communicator.
        # Nor by `getattr` and `setattr`, which a class of the program's may have made its own.
        attributes = vars(communicator)
        life: Life | None = attributes.get(_ATTRIBUTE)
        if life is None:
            made_by = making.callers() if is_new else []
            life = attributes[_ATTRIBUTE] = _lives[communicator] = Life(communicator, made_by)
            if not is_new and _compat.is_destroyed(communicator):
                life.state = State.DESTROYED
            tally.made += 1
            life.note("made")
            if boundary.keep_thread is not None and not _compat.can_be_destroyed_at_end(life.impl):
                boundary.keep_thread()
        return life


def lives() -> list[Life]:
    """All that is known of, in the order of their making. Callable from any thread at any time."""
    with _lock:
        return [life for ref in _lives.keyrefs() if (life := _lives.get(ref())) is not None]


def number_alive() -> int:
    """How many there are of this process that are not destroyed."""
    return sum(not life.is_over for life in lives())


def life_of(communicator: object) -> Life:
    """The life of what a caller says is a communicator; TypeError if it is none."""
    ice = sys.modules.get("Ice")
    if ice is None or not isinstance(communicator, _compat.communicator_class(ice)):
        raise TypeError(f"an Ice.Communicator is needed, not {type(communicator).__name__}")
    if not hasattr(communicator, "_impl"):  # of a subclass, say, that does not call `super().__init__()`
        raise TypeError("this Ice.Communicator was never initialized")
    return watch(communicator)


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


def _leave_to_parent() -> None:
    """In a forked child: the parent's communicators have no threads here, so nothing of theirs may be waited for."""
    global _lock, tally
    _compat.forget_parents_threads()
    making.under_way.clear()
    _lock = threading.RLock()
    tally = Tally()
    for life in lives():
        if not life.is_over:
            life.give_up(State.INHERITED)
            inherited.append(life)


_compat.after_fork_in_child(_leave_to_parent)
