"""What programs are made of: parts, destructions, endings."""

from __future__ import annotations

from dataclasses import dataclass

FAILED = "failed: "
"""How a line begins that a program prints when something in it fails: nobody misses that line."""

UNDESTROYED = (
    r".*ResourceWarning: this communicator was never destroyed by the program.*",
    r"Exception ignored in: <IcePy.Communicator object at .*>",
    r"Traceback \(most recent call last\):",
    r"  .*",
)
"""What icegil says of a communicator that is left to it, to a program that wants such warnings."""

LEFT = (
    r"(icegil: )?not everything ended within .* s of shutdown; the process leaves without it",
    r"the communicator made .*: its destruction has not ended",
)
"""What icegil says of a shutdown that did not come to its end, which may go through a handler of the program's."""

UNDESTROYED_WITHOUT_THREADS = (
    r"(icegil: )?a step of the shutdown failed, the others are taken: BlockingIOError\(.*no native thread .*",
    *LEFT,
)
"""What icegil says where it can start no thread for the destruction of a communicator that is left to it."""


@dataclass(frozen=True)
class Target:
    """The pair of versions that programs are made for."""

    python: tuple[int, int]
    ice: int
    """As `Ice.intVersion()`."""

    def has(self, need: str) -> bool:
        """Whether a pair is as a part needs it: `""`, `"Ice 3.7"` or `"Ice 3.8"`."""
        return need in ("", f"Ice 3.{self.ice // 100 % 100}")


@dataclass(frozen=True)
class Part:
    """Some lines of a program.

    `{{a|b|c}}` in them is one of these, as the seed decides. The frame in which they stand (program.py) gives them
    `ice`, the communicator that serves; `adapter`, its object adapter; `client`, the communicator of `proxy`, which
    may be the same; `communicators`, the list of those to destroy; and `call()`, `call_async()`, `serve()` and
    `communicator()`.
    """

    name: str
    body: str = ""
    """Lines for which all of that is there."""
    early: str = ""
    """Lines above `import Ice`."""
    data: str = ""
    """Lines that set what `data`, the `Ice.InitializationData` of `ice`, and `settings`, its properties, hold."""
    options: tuple[str, ...] = ()
    """Python's own."""
    stderr: tuple[str, ...] = ()
    """Regular expressions for the lines that it may print there."""
    group: str = ""
    """No program has two parts of one group."""
    need: str = ""
    """What the pair must be; see `Target.has`."""
    weight: float = 1.0
    """How likely it is in a program, beside the others."""
    spawns: bool = False
    """It starts processes that import the program: the rest of it stands under `if __name__ == "__main__"`."""
    is_stuck: bool = False
    """It leaves something behind that never ends: a shutdown may have to leave without it, a program stand still."""
    may_stand_still: bool = False
    """With some others the program stands still by its own doing, a child of it that calls what only its parent has."""
    prints: bool = False
    """Threads of it print all the time."""
    flushes_in_child: bool = False
    """A forked child of it flushes stdout, and waits for ever for a lock that a thread of the parent's had: 11 of 295
    forks beside servants that print, plain, and 10 of 338 under icegil. No program has that and `prints`."""


@dataclass(frozen=True)
class Destruction:
    """How a program destroys its communicators."""

    name: str
    before: str = ""
    """Lines that stand before the ending, right after the communicators were made."""
    last: str = ""
    """Lines that stand right before the ending, or in a `finally` around it."""
    early: str = ""
    need: str = ""
    weight: float = 1.0
    is_complete: bool = True
    """Whether each communicator is destroyed before the program's last `atexit` handler ends."""


@dataclass(frozen=True)
class Ending:
    """How a program ends."""

    name: str
    body: str
    status: int
    """The exit status that it asks for; `-n` for death by signal n."""
    stderr: tuple[str, ...] = ()
    """Regular expressions for the lines that it may print there."""
    early: str = ""
    need: str = ""
    weight: float = 1.0
    uses_ice: bool = False
    """The communicators must not be destroyed before it."""
