"""The shutdown: the steps that take communicators and callbacks down before Python finalizes, and no step is left out.

They begin when every `atexit` handler has run, whoever registered it and when: until then plain Ice is there for all.

1. The gate is open: every communicator is destroyed, all at once.
2. The gate drains: nobody comes in any more, those inside finish.
3. The gate is sealed. If all has ended, nothing is left that could run; what has not is named in the log and given up.
4. Python finalizes. If something was given up, the process leaves right after that.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import math
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.boundary as boundary
import icegil.dispatches as dispatches
import icegil.exits as exits
import icegil.lifecycle as lifecycle
import icegil.making as making
import icegil.redirects as redirects
import icegil.streams as streams
import icegil.threads as threads
from icegil.errand import Errand, log
from icegil.errors import GuardUnavailable
from icegil.lifecycle import Life, State

ROUNDS = 3
"""How many times communicators are looked for that a thread has made while others were being destroyed."""

_planned: Callable[[], tuple[Callable[[], None], ...]] = tuple
_is_registered = False
_afterwards: list[Callable[[], None]] = []


def plan(timeout: Callable[[], float], is_guarded: bool) -> None:
    """Has the shutdown take place at the end of this process, within `timeout()` seconds; replaces an earlier plan."""
    global _planned
    _planned = lambda: Shutdown(timeout(), is_guarded).steps  # noqa: E731
    _compat.at_shutdown(_begin)


def cancel(timeout: float) -> None:
    """There is to be no shutdown, but for icegil's own threads: one may be in a destruction that was begun before."""
    global _planned

    def leave_without_own_threads() -> None:
        if _bridge.drain(timeout):
            _bridge.note_unclean()
            _bridge.leave_right_after_finalization()

    _planned = lambda: (leave_without_own_threads, _bridge.seal)  # noqa: E731


def afterwards(step: Callable[[], None]) -> None:
    """Has `step()` called when all is done, right before Python finalizes."""
    _afterwards.append(step)


def _begin() -> None:
    """Python begins to end, on whatever thread that is: it has not joined any, and not run any handler."""
    global _is_registered
    exits.begin()
    if _is_registered:  # by another thread, which ends the program at the same time
        return
    _is_registered = True
    steps = collections.deque([*_planned(), *_afterwards, _bridge.trace_finalizing])  # 4
    # Once more when the process ends; but after Ctrl-C Python ends it by the signal, and no handler of C's is called.
    steps.append(_bridge.write_trace_before_finalization)
    # The last one that is registered is the first that is called, and the last that `atexit` lets go of: the moment is
    # as late as can be.
    atexit.register(_bridge.LastHandler(exits.begin_handlers, lambda: _take_next(steps)))


def _forget() -> None:
    """In a forked child nothing has begun."""
    global _is_registered
    _is_registered = False


_compat.after_fork_in_child(_forget)


def _take_next(steps: collections.deque[Callable[[], None]]) -> bool:
    """Takes the first step; whether there are more.

    Whatever it raises, the next one is still taken: no thread can be had, a stream is closed, a signal handler raises,
    warnings are errors.
    """
    step = steps.popleft()
    try:
        step()
    except BaseException as error:
        log.warning("a step of the shutdown failed, the others are taken: %r", error, exc_info=log.isEnabledFor(10))
    return bool(steps)


class Shutdown:
    """The steps, in their order."""

    def __init__(self, timeout: float, is_guarded: bool) -> None:
        self._timeout = timeout
        self._begun = self._deadline = 0.0
        self._is_in_callback = False
        self._living: list[Life] = []
        self._undestroyed: list[Life] = []
        self._inside = 0
        self._stuck: list[Life] = []
        self._is_guarded = is_guarded
        self.steps = (
            self._note,
            self._take_redirects_back,
            self._destroy,  # 1
            self._leave_streams,
            self._drain,  # 2
            self._keep_modules,
            self._seal,  # 3
            self._give_up,
            self._report,
            self._clean_up,
            self._count,
            self._warn,
            _compat.leave_garbage_to_finalization,
        )

    def _note(self) -> None:
        self._begun = time.monotonic()
        # In a callback nobody is waited for: no communicator can be destroyed while this very dispatch of it lasts.
        self._is_in_callback = exits.is_in_callback()
        self._deadline = self._begun + (0.0 if self._is_in_callback else self._timeout)
        self._living = [life for life in lifecycle.lives() if not life.is_over]
        self._undestroyed = [life for life in self._living if life.destruction is None]
        if _bridge.is_tracing():
            import icegil.trace as trace

            trace.note_shutdown()

    def _take_redirects_back(self) -> None:
        """Another tool may have taken some since."""
        if self._is_guarded:
            try:
                redirects.put()
            except GuardUnavailable as error:
                log.warning("the guard was lost: %s", error)

    # --- 1. The gate is open -----------------------------------------------------------------------------------------

    def _destroy(self) -> None:
        if self._is_in_callback:
            return
        dispatches.fail_stranded()  # or what waits for a dead event loop would never end
        made = self._living
        for _ in range(ROUNDS):
            self._destroy_all(made)
            made = [life for life in lifecycle.lives() if not life.is_over and life not in self._living]
            self._living += made
            if not made:
                break

    def _destroy_all(self, living: list[Life]) -> None:
        if not boundary.IS_COMPILED:
            self._destroy_without_workers(living)
            return
        # Many threads at once would only fight for the GIL: a few go from one communicator to the next. A destruction
        # that is stuck keeps its thread, so as long as some have not had their turn there are soon twice as many.
        waiting = collections.deque(living)

        def destroy_in_turn() -> None:
            with contextlib.suppress(IndexError):
                while True:
                    waiting.popleft().destroy_now()

        workers = [Errand(destroy_in_turn) for _ in living[:4]]
        slow = time.monotonic() + lifecycle.slow()
        with _interruptible("communicators were being destroyed"):
            while workers and (left := self._deadline - time.monotonic()) > 0:
                if exits.parked and len(_bridge.occupants()) <= len(workers):
                    break  # what is left waits for a dispatch that has called `sys.exit()`
                if time.monotonic() >= slow:
                    slow = math.inf
                    for life in living:
                        life.say_slow()
                left = min(left, slow - time.monotonic())
                if workers[-1].wait(min(0.05, left)):
                    workers.pop()
                elif waiting:
                    workers += [Errand(destroy_in_turn) for _ in workers]

    def _destroy_without_workers(self, living: list[Life]) -> None:
        # Python may start no thread any more: one is kept for what Ice does not do by itself.
        with _interruptible("communicators were being destroyed"):
            for destruction in [life.destroy() for life in living]:
                destruction.wait(max(0.0, self._deadline - time.monotonic()))

    def _leave_streams(self) -> None:
        if self._is_in_callback or any(not life.is_over for life in self._living):
            streams.leave_behind()

    # --- 2. The gate drains ------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._inside = 1  # unless it is found to be empty
        with _interruptible("callbacks were finishing"):
            self._inside = _bridge.drain(max(0.0, self._deadline - time.monotonic()))

    # --- 3. The gate is sealed ---------------------------------------------------------------------------------------

    def _keep_modules(self) -> None:
        # What runs from here on, `__del__` and the clean-up of modules, may still call proxies, and IcePy looks the
        # exceptions that it raises up in modules that are being emptied. What icegil itself consists of is kept with
        # them: that costs the exit less than to take it apart.
        kept = {
            name: vars(module).copy()
            for name, module in list(sys.modules.items())
            if name.partition(".")[0] in ("Ice", "icegil") and isinstance(module, ModuleType)
        }
        _bridge.keep_modules(kept)

    def _seal(self) -> None:
        _bridge.seal()
        # Also those that a thread made in the meantime: at the end of the process nobody would destroy them any more.
        self._stuck = [life for life in lifecycle.lives() if not life.is_over]

    @property
    def _is_clean(self) -> bool:
        return not (self._stuck or self._inside or self._is_in_callback or making.under_way or lifecycle.inherited)

    def _give_up(self) -> None:
        for life in self._stuck:
            life.give_up()
        if not self._is_clean:
            _bridge.note_unclean()
        # A daemon thread that has made some may make one more before Python stops it: `making.noted`.
        if not self._is_clean or any(each.ident in making.threads for each in threading.enumerate() if each.daemon):
            _bridge.leave_right_after_finalization()  # 4

    def _report(self) -> None:
        is_stuck = self._inside or any(life in self._living for life in self._stuck)
        if is_stuck and not (self._is_in_callback or exits.parked):
            lines = [f"not everything ended within {self._timeout:g} s of shutdown; the process leaves without it"]
            lines += [f"{life}: its destruction has not ended" for life in self._stuck if life in self._living]
            lines += threads.stacks()
            streams.warn("\n".join(lines))

    def _clean_up(self) -> None:
        _compat.clean_up_icepy()
        if self._is_clean:
            _bridge.clean_up_icepy()

    # --- What the program had left to icegil -------------------------------------------------------------------------

    def _count(self) -> None:
        lifecycle.tally.destroyed_at_exit = sum(life.state is State.DESTROYED for life in self._undestroyed)
        lifecycle.tally.teardown_seconds = time.monotonic() - self._begun
        for place in _bridge.gil_places():
            log.debug("the GIL was given away at %s", place)

    def _warn(self) -> None:
        """Warns of each communicator that the program did not destroy."""
        for life in () if self._is_in_callback else self._undestroyed:
            message = "this communicator was never destroyed by the program; it was destroyed at exit"
            if life.traceback:
                *calls, last = life.traceback
                message += ". It was made at (most recent call last):\n" + "".join(calls)
                message += last.partition("\n")[0]  # the code of that line is shown with every warning
            filename, line = life.origin
            try:
                warnings.warn_explicit(message, ResourceWarning, filename, line)
            except ResourceWarning as error:  # `-W error`: as Python shows it of a file that was never closed
                _bridge.show_unraisable(error, life.impl)


@contextlib.contextmanager
def _interruptible(what: str) -> Iterator[None]:
    """Ctrl-C, or whatever else a signal handler raises, ends the waiting."""
    try:
        yield
    except BaseException as error:
        by = "" if isinstance(error, KeyboardInterrupt) else f" by {type(error).__name__}"
        log.warning("interrupted%s while %s; leaving without them", by, what)
