"""Judges how the runs of a program ended: each by what the program asks for, and the two sides against each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb

from icegil.commands.words import StrEnum
from tools.differ.child import DRAIN, Outcome, status_text, telling_line
from tools.differ.part import FAILED, LEFT, UNDESTROYED
from tools.differ.program import Program

SLACK = 2.0
"""Seconds that a guarded program may take beyond what it takes plain and `--drain-timeout`."""


class How(StrEnum):
    """How a run ended, the gravest last."""

    WELL = "well"
    NOISE = "noise"
    """It printed on stderr what nothing in it asks for; guarded, what it does not print plain either."""
    OUTPUT = "lost output"
    """Guarded: a line is missing on stdout that is there in every plain run, and so it is in most guarded ones."""
    SLOW = "slow"
    """Guarded: it took longer than plain, the longest shutdown and some slack together."""
    STATUS = "wrong status"
    HANG = "hang"
    CRASH = "crash"
    """It was killed by a signal that it did not ask for."""


GRAVITY = list(How).index


LUCK = 0.01
"""How probable it may be, at least, that one side has lost a race more often by chance alone."""


class Verdict(StrEnum):
    """What is to be said of a program."""

    GOOD = "good"
    """It ends guarded as it asks to."""
    STILL = "stands still"
    """By its own doing, plain and guarded."""
    BAD = "bad"
    """It does not end guarded as it asks to; plain, it does not either."""
    WORSE = "worse"
    """It ends plain as it asks to, and guarded not."""


# What icegil says of a shutdown in which something is stuck.
_STUCK = (
    *LEFT,
    r"(icegil: )?the communicator made .* is not destroyed after .* s: .*",
    r"(icegil: )?interrupted while .*",
    r"thread \d+ is in:",
    r"  .*",
)
_UNSEEN = (
    r".*ResourceWarning: nobody has looked at the result of an asynchronous call, which has failed: .*",
    r"  .*",
    r".*ResourceWarning: Enable tracemalloc to get the object allocation traceback",
)

_LEFT = "communicator not destroyed during global destruction"


@dataclass(frozen=True)
class Run:
    """One run, judged."""

    how: How
    outcome: Outcome
    why: str = ""
    """What is wrong, in one line; empty if nothing is."""


@dataclass(frozen=True)
class Comparison:
    """Runs of one program on both sides."""

    program: Program
    plain: tuple[Run, ...]
    guarded: tuple[Run, ...]

    @property
    def verdict(self) -> Verdict:
        """What is to be said of it."""
        if _count(self.guarded, How.WELL) == len(self.guarded):
            return Verdict.GOOD
        if self.program.may_stand_still and all(run.how is How.HANG for run in self.plain) and self._only_hangs:
            return Verdict.STILL
        for ways in ((How.WELL,), (How.WELL, How.NOISE)):
            plain, guarded = _count(self.plain, *ways), _count(self.guarded, *ways)
            # In shares: there may be more runs of one side.
            is_less = guarded * len(self.plain) < plain * len(self.guarded)
            if 2 * plain > len(self.plain) and is_less and not self._may_be_luck(*ways):
                return Verdict.WORSE
        return Verdict.BAD

    @property
    def is_race(self) -> bool:
        """Whether plain ends well in most runs and not in all, and guarded in fewer."""
        plain, guarded = _count(self.plain, How.WELL), _count(self.guarded, How.WELL)
        is_less = guarded * len(self.plain) < plain * len(self.guarded)
        return len(self.plain) < 2 * plain < 2 * len(self.plain) and is_less

    def _may_be_luck(self, *ways: How) -> bool:
        # A race that plain has lost too: whether guarded is this much behind by chance alone (Fisher's exact test).
        plain, guarded = _count(self.plain, *ways), _count(self.guarded, *ways)
        if plain == len(self.plain):
            return False
        runs, well = len(self.plain) + len(self.guarded), plain + guarded
        at_most = sum(
            comb(len(self.guarded), each) * comb(len(self.plain), well - each)
            for each in range(max(0, well - len(self.plain)), guarded + 1)
        )
        return at_most / comb(runs, well) > LUCK

    @property
    def _only_hangs(self) -> bool:
        return {run.how for run in self.guarded} <= {How.WELL, How.HANG}

    @property
    def gravest(self) -> Run:
        """The guarded run that ended worst."""
        return max(self.guarded, key=lambda run: GRAVITY(run.how))

    @property
    def gravest_plain(self) -> Run:
        """The plain run that ended worst."""
        return max(self.plain, key=lambda run: GRAVITY(run.how))

    @property
    def text(self) -> str:
        """How the runs ended, in one line."""
        return f"plain {_counted(self.plain)}; guarded {_counted(self.guarded)}: {self.gravest.why}"


def _count(runs: Iterable[Run], *ways: How) -> int:
    return sum(run.how in ways for run in runs)


def _counted(runs: tuple[Run, ...]) -> str:
    found = Counter(run.how for run in runs)
    return ", ".join(f"{count}/{len(runs)} {how}" for how, count in sorted(found.items(), key=lambda item: item[0]))


@dataclass(frozen=True)
class _Expected:
    """What a guarded run is measured by."""

    said: set[str]
    """The lines on stderr that are there plain, too."""
    kept: set[str]
    """The lines on stdout that are there in each plain run, and missing in most guarded ones: else it is a race."""
    may_be_stuck: bool
    seconds: float


def compare(program: Program, plain: list[Outcome], guarded: list[Outcome]) -> Comparison:
    """Judges these runs. More of them make it more certain what the program prints in each run, and what in some."""
    judged = tuple(_judge_plain(program, outcome) for outcome in plain)
    expected = _Expected(
        said={_same(line) for outcome in plain for line in _lines(outcome.stderr)},
        kept=_kept([run.outcome for run in judged if _is_measure(program, run)]) - _mostly_kept(guarded),
        may_be_stuck=program.is_stuck or any(run.how not in (How.WELL, How.NOISE) for run in judged),
        seconds=max(outcome.seconds for outcome in plain) + DRAIN + SLACK,
    )
    return Comparison(program, judged, tuple(_judge_guarded(program, outcome, expected) for outcome in guarded))


def _is_measure(program: Program, run: Run) -> bool:
    """Whether what this plain run printed is what the program prints that comes to its end.

    Ice says where communicators are left. If the program destroys them all, it was cut short before: Ice ends the
    process for a handler's SystemExit that comes below it. What calls later finds them there; it does not guarded, nor
    plain if the signal comes elsewhere.
    """
    is_cut_short = program.destruction.is_complete and _LEFT in run.outcome.stderr
    return run.how in (How.WELL, How.NOISE) and not is_cut_short


ENDS_BADLY = (How.STATUS, How.HANG, How.CRASH)
"""What a run shows by its end alone, without a plain run beside it."""


def are_alike(one: Run, other: Run) -> bool:
    """Whether two runs ended in one way, and with the same to be said of what they printed or did not."""
    return one.how is other.how and (one.how in ENDS_BADLY or _same(one.why) == _same(other.why))


def _judge_plain(program: Program, outcome: Outcome) -> Run:
    if (ended := judge_end(program, outcome)) is not None:
        return ended
    noise = _noise(outcome, _asked_for(program))
    return Run(How.NOISE, outcome, f"on stderr: {noise[0]}") if noise else Run(How.WELL, outcome)


def _judge_guarded(program: Program, outcome: Outcome, expected: _Expected) -> Run:
    if (ended := judge_end(program, outcome)) is not None:
        return ended
    if outcome.seconds > expected.seconds:
        return Run(How.SLOW, outcome, f"it ended after {outcome.seconds:.1f} s")
    if lost := sorted(expected.kept - _kept([outcome])):
        return Run(How.OUTPUT, outcome, f"lost on stdout: {lost[0]}")
    allowed = [
        *_asked_for(program),
        *(_STUCK if expected.may_be_stuck else ()),
        *_by_design(program, expected.may_be_stuck),
    ]
    noise = [line for line in _noise(outcome, allowed) if _same(line) not in expected.said]
    return Run(How.NOISE, outcome, f"on stderr: {noise[0]}") if noise else Run(How.WELL, outcome)


def judge_end(program: Program, outcome: Outcome) -> Run | None:
    """What is wrong with how it ended, whatever it printed; None if nothing is."""
    if outcome.hung:
        return Run(How.HANG, outcome, f"no end after {outcome.seconds:.0f} s{_where(outcome.stderr)}")
    if outcome.status == program.ending.status:
        return None
    text = f"{status_text(outcome.status)} instead of {status_text(program.ending.status)}"
    if line := telling_line(outcome.stderr):
        text += f": {line}"
    return Run(How.CRASH if outcome.status < 0 else How.STATUS, outcome, text)


def _where(stderr: str) -> str:
    """Where its main thread stood when it was killed, the last that `faulthandler` prints."""
    stacks = re.findall(r"^(?:Current thread|Thread) 0x.*\n((?:  .*\n?)*)", stderr, re.MULTILINE)
    place = re.search(r'File "(?:.*/)?(.+)", line (\d+) in (\S+)', stacks[-1]) if stacks else None
    return f", in {place[3]} ({place[1]}:{place[2]})" if place else ""


def _asked_for(program: Program) -> list[str]:
    return [pattern for each in (*program.parts, program.ending) for pattern in each.stderr]


def _by_design(program: Program, may_be_stuck: bool) -> tuple[str, ...]:
    """What icegil says of communicators that the program has not destroyed, to a program that wants such warnings.

    Those are Python's development mode and `-W error`, in which Python itself says the same of files.
    """
    is_shown = {"dev", "error"} & {*program.options} and (may_be_stuck or not program.destruction.is_complete)
    return (*(UNDESTROYED if is_shown else ()), *(_UNSEEN if "dev" in program.options else ()))


def _noise(outcome: Outcome, allowed: list[str]) -> list[str]:
    expected = re.compile("|".join(f"(?:{pattern})" for pattern in allowed) or "(?!)")
    return [line for line in _lines(outcome.stderr) if not expected.fullmatch(line)]


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _same(line: str) -> str:
    """The line without what differs from run to run: numbers, addresses and the names that Ice makes up."""
    return re.sub(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}|0x[0-9a-f]+|\d+", "#", line)


def _kept(outcomes: list[Outcome]) -> set[str]:
    """What each of these runs printed on stdout."""
    return set.intersection(*map(_printed, outcomes)) if outcomes else set()


def _mostly_kept(outcomes: list[Outcome]) -> set[str]:
    """What at least half of these runs printed on stdout."""
    found = Counter(line for outcome in outcomes for line in _printed(outcome))
    return {line for line, count in found.items() if 2 * count >= len(outcomes)}


def _printed(outcome: Outcome) -> set[str]:
    return {_same(line) for line in _lines(outcome.stdout) if not line.startswith(FAILED)}
