"""What icegil shows of itself: plain, frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GateStatus:
    """The gate: its state, and totals since the process began (in a forked child: since the fork)."""

    state: str
    """`"open"`, `"draining"` or `"sealed"`."""
    admitted: int
    """Outer entries of native threads that were let in."""
    refused: int
    """Entries turned away, parked ones included."""
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
    """Longest time in seconds that a shutdown may take."""
    redirected: tuple[str, ...]
    """Names of the functions that IcePy imports and that lead to icegil."""
    gate: GateStatus
    gil_given_away: GilGivenAway
