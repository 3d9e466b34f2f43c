"""What icegil shows of itself: plain, frozen values."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from dataclasses import dataclass

import icegil._bridge as _bridge
import icegil.lifecycle as lifecycle
from icegil.lifecycle import State


@dataclass(frozen=True)
class GateStatus:
    """The gate: its state, and totals since the process began (in a forked child: since the fork)."""

    state: str
    """`"open"`, `"draining"` or `"sealed"`."""
    admitted: int
    """Outer entries of native threads that were let in."""
    refused: int
    """Entries turned away."""
    parked: int
    """Threads that were put to sleep for ever."""
    inside: int
    """Threads inside now."""
    most: int
    """Most threads inside at once."""
    dropped: int
    """Completions and dispatches dropped because their event loop was closed."""


@dataclass(frozen=True)
class GilGivenAway:
    """How often a thread gave the GIL away so as not to wait with it inside the Ice runtime."""

    for_lock: int
    for_wait: int
    """For a condition variable."""
    for_join: int
    """For the end of a thread."""


@dataclass(frozen=True)
class Calls:
    """Asynchronous calls of proxies, and the futures that they are answered with, since the process began."""

    begun: int
    under_way: int
    futures: int
    """Futures that are alive, those of a program's own among them."""
    references: str
    """What IcePy was seen to do with the reference to such a future: `"right"`, `"one too many"`; empty: not known."""
    given_back: int
    """References that IcePy took too many, and that were given back."""


@dataclass(frozen=True)
class Status:
    """What icegil has in place; see `icegil.status`."""

    mode: str
    """`"off"`, `"teardown"` or `"guard"`."""
    reason: str
    """Why the mode is not `"guard"`; empty if it is, or if nothing is installed."""
    python: str
    ice: str | None
    """Version of zeroc-ice; None before it was imported."""
    drain_timeout: float
    """Longest time in seconds that a shutdown waits."""
    redirected: tuple[str, ...]
    """Names of the functions that IcePy imports and that lead to icegil."""
    gate: GateStatus
    gil_given_away: GilGivenAway
    calls: Calls
    without: tuple[str, ...]
    """What the guard was told to leave out; see `icegil.install`."""


@dataclass(frozen=True)
class CommunicatorView:
    """One communicator of this process."""

    state: str
    """`"active"`, `"destroying"`, `"destroyed"`, or `"stuck"`: given up at exit."""
    age: float
    """Seconds since it was made, or taken in by `install`."""
    made_at: str
    """Where the program made it: `file:line`, or `before icegil.install()`."""
    traceback: tuple[str, ...]
    """In Python's development mode the stack of that moment, outermost call first; otherwise empty."""


@dataclass(frozen=True)
class CallbackView:
    """One thread that is inside the gate: in a callback, or on its way back from a blocking call of Ice."""

    thread: int
    """As `threading.get_ident()`."""
    native_id: int
    """As `threading.get_native_id()`, `top` and `gdb` have it."""
    name: str
    """Of the Python thread object, if it has one."""
    seconds: float
    """For how long it has been inside, to some milliseconds; counted from the first snapshot of the process on, in
    Python's development mode from `install` on: no callback pays for a clock that nobody reads."""
    stack: tuple[str, ...]
    """Its Python stack, outermost call first, as `traceback` formats it; empty if it runs no Python."""


@dataclass(frozen=True)
class Snapshot:
    """The communicators, the callbacks and the gate at one moment; see `icegil.snapshot`."""

    communicators: tuple[CommunicatorView, ...]
    """Those whose objects live still, oldest first. In a forked child: without the parent's."""
    callbacks: tuple[CallbackView, ...]
    calls: Calls
    gate: GateStatus
    is_finalizing: bool


def gate_status() -> GateStatus:
    """The gate now."""
    return GateStatus(state=_bridge.gate_state(), **_bridge.counters())


def calls() -> Calls:
    """The calls now."""
    counted, found = _bridge.futures(), _bridge.ownership()
    return Calls(
        begun=counted["begun"],
        under_way=counted["begun"] - counted["over"],
        futures=counted["alive"],
        references="" if not found["is_known"] else "one too many" if found["takes_too_many"] else "right",
        given_back=found["given_back"],
    )


def snapshot() -> Snapshot:
    """See `icegil.snapshot`."""
    _bridge.keep_time()
    frames = sys._current_frames()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    now = time.monotonic()
    return Snapshot(
        communicators=tuple(
            CommunicatorView(life.state.value, now - life.made_at, life.place, life.traceback)
            for life in lifecycle.lives()
            if life.state is not State.INHERITED
        ),
        callbacks=tuple(
            CallbackView(
                thread,
                native_id,
                names.get(thread, ""),
                seconds,
                tuple(traceback.format_stack(frames[thread])) if thread in frames else (),
            )
            for thread, native_id, seconds in _bridge.occupants()
        ),
        calls=calls(),
        gate=gate_status(),
        is_finalizing=_bridge.is_finalizing(),
    )
