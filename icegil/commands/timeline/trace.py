"""What a trace holds. Times are in microseconds since its recording began."""

from dataclasses import dataclass, field

from icegil.commands.words import StrEnum


class State(StrEnum):
    """What the gate does."""

    OPEN = "open"
    DRAINING = "draining"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class GateState:
    state: State
    begin: float
    end: float
    thread: int
    """The native id of the thread that brought it about."""


@dataclass(slots=True, eq=False)
class Callback:
    """A native thread's stay inside, from its outer entry to its leaving."""

    begin: float
    """If it is not known: the last moment at which the thread was not yet inside."""
    end: float | None = None
    """None: it was open when the trace ended."""
    begin_known: bool = True


@dataclass(slots=True, eq=False)
class Thread:
    native_id: int
    name: str = ""
    callbacks: list[Callback] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    parked: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name} ({self.native_id})" if self.name else f"thread {self.native_id}"


@dataclass(slots=True, eq=False)
class Communicator:
    name: str
    made: float | None = None
    """None: before what is left of the trace."""
    destroying: float | None = None
    destroyed: float | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    begin: float
    end: float
    threads: list[Thread]
    """By their native ids: mostly as they were started, the main thread first."""
    communicators: list[Communicator]
    gate: list[GateState]
    """One after the other, without holes; empty if the trace does not speak of the gate."""
    shutdown: float | None
    """When it began: `atexit` handlers ran."""
    finalizing: float | None
    """When CPython began to finalize."""
    facts: dict[str, str]
    """The versions of icegil, python and ice."""
    dropped_events: int
    clean: bool | None
    """What the shutdown said of itself; None if it did not get that far."""
