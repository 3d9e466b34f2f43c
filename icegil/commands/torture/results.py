"""What a campaign found: each run of each scenario on each side, and the same in words."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from icegil.commands.torture.catalogue import Scenario
from icegil.commands.torture.endings import Ending, Kind, Verdict, status_text, telling_line
from icegil.commands.words import StrEnum

LONGEST_STDERR = 10_000
"""Characters that are kept of what a run that fell short wrote on stderr."""

# The time at which Ice's logger wrote a line.
_LOG_PREFIX = re.compile(r"^(-- |!! |\S+: )?\d\d/\d\d/\d\d \d\d:\d\d:\d\d\.\d+ ")
_BARE = re.compile("Fatal Python error: ?(Aborted|Segmentation fault|Bus error|Illegal instruction)?")


class Side(StrEnum):
    """How a scenario is run."""

    PLAIN = "plain"
    """By Python alone."""
    GUARDED = "icegil"
    """By `icegil run`."""


@dataclass(frozen=True)
class Run:
    """One run of one scenario, without what nobody will ask for."""

    status: int
    """Exit status; `-n` for death by signal n."""
    seconds: float
    verdict: Verdict
    stderr: str
    """Empty for a good run; of a long one, the beginning and the end."""

    @property
    def is_good(self) -> bool:
        """Whether it ended as the scenario says."""
        return self.verdict.kind is Kind.OK

    @property
    def message(self) -> str:
        """What tells most about a run that fell short, in one line."""
        if self.verdict.kind is Kind.HANG:
            return self.verdict.text + _where(self.stderr)
        if self.verdict.kind is Kind.SLOW:
            return self.verdict.text
        line = _LOG_PREFIX.sub("", telling_line(self.stderr))
        if bare := _BARE.fullmatch(line):
            # `faulthandler` cannot say more about a signal than that it came, and where.
            return (bare[1] or self.verdict.text) + _where(self.stderr.partition("Current thread")[2])
        return line or self.verdict.text


def run_of(ending: Ending, verdict: Verdict) -> Run:
    """What is kept of an ending."""
    stderr = "" if verdict.kind is Kind.OK else ending.stderr
    if len(stderr) > LONGEST_STDERR:
        half = LONGEST_STDERR // 2
        stderr = f"{stderr[:half]}\n[{len(stderr) - 2 * half} characters left out]\n{stderr[-half:]}"
    return Run(ending.status, ending.seconds, verdict, stderr)


def _where(stderr: str) -> str:
    """Where a hung program stood, by what `faulthandler` printed when it was aborted."""
    place = re.search(r'^  File "(?:.*/)?(.+)", line (\d+) in (\S+)', stderr, re.MULTILINE)
    if place is not None:
        return f", in {place[3]} ({place[1]}:{place[2]})"
    return ", while Python finalized" if "Python runtime state: finalizing" in stderr else ""


@dataclass
class Cell:
    """One scenario on one side."""

    scenario: Scenario
    side: Side
    planned: int
    """Number of runs."""
    runs: list[Run] = field(default_factory=list)
    skipped: str = ""
    """Why the runs that are missing were not made; empty if none are, or if the campaign was stopped."""

    @property
    def good(self) -> int:
        """Number of runs that ended as the scenario says."""
        return sum(run.is_good for run in self.runs)

    @property
    def short(self) -> list[Run]:
        """The runs that fell short, the gravest first."""
        gravity = list(Kind).index
        return sorted((run for run in self.runs if not run.is_good), key=lambda run: -gravity(run.verdict.kind))

    @property
    def left(self) -> int:
        """Number of runs that are still to be made."""
        return 0 if self.skipped else self.planned - len(self.runs)

    @property
    def text(self) -> str:
        """How the runs ended: `20/20 ok`, or `2 ok, 12 crash (SIGSEGV), 3 hang`."""
        if not self.runs:
            return "skipped" if self.skipped else "not run"
        if self.good == len(self.runs):
            parts = [f"{self.good}/{len(self.runs)} ok"]
        else:
            parts = [f"{self.good} ok"] if self.good else []
            parts += [text for kind in reversed(Kind) if (text := self._counted(kind))]
        missing = self.planned - len(self.runs)
        return ", ".join([*parts, f"{missing} not run"] if missing else parts)

    def _counted(self, kind: Kind) -> str:
        found = Counter(status_text(run.status) for run in self.short if run.verdict.kind is kind)
        if kind not in (Kind.CRASH, Kind.STATUS):
            return f"{found.total()} {kind}" if found else ""
        if len(found) < 2:
            return "".join(
                f"{count} crash ({status})" if kind is Kind.CRASH else f"{count} {status}"
                for status, count in found.items()
            )
        return f"{found.total()} {kind} ({', '.join(f'{status} {count}' for status, count in found.most_common())})"


@dataclass
class Results:
    """A whole campaign."""

    begun: datetime
    facts: dict[str, str]
    """What ran where: names and versions."""
    runs_each: int
    at_once: int
    cells: list[Cell]
    seconds: float = 0.0
    """How long it took, or how long it has been going on."""
    was_stopped: bool = False
    """Somebody ended it before all was run."""

    @property
    def sides(self) -> list[Side]:
        """The sides that were asked for, the plain one first."""
        return [side for side in Side if any(cell.side is side for cell in self.cells)]

    @property
    def rows(self) -> list[dict[Side, Cell]]:
        """The cells of each scenario by side."""
        rows: dict[str, dict[Side, Cell]] = {}
        for cell in self.cells:
            rows.setdefault(cell.scenario.name, {})[cell.side] = cell
        return list(rows.values())

    def of(self, side: Side) -> list[Cell]:
        """The cells of one side."""
        return [cell for cell in self.cells if cell.side is side]

    def score(self, side: Side) -> tuple[int, int]:
        """Of one side: the runs that ended as their scenarios say, and all runs."""
        cells = self.of(side)
        return sum(cell.good for cell in cells), sum(len(cell.runs) for cell in cells)

    @property
    def falls_short(self) -> bool:
        """Whether a guarded run did not end as its scenario says."""
        return any(cell.short for cell in self.of(Side.GUARDED))
