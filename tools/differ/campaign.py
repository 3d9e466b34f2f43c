"""A campaign: programs of many seeds, several at once; those that fail are reduced, one of each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from tools.differ.child import Laboratory
from tools.differ.destructions import DESTRUCTIONS
from tools.differ.endings import ENDINGS
from tools.differ.judging import Comparison, Verdict, are_alike
from tools.differ.program import Program, Way
from tools.differ.reduction import reduce
from tools.differ.trial import try_out


@dataclass
class Finding:
    """A program that fails."""

    comparison: Comparison
    reduced: Program
    """What it takes to fail."""
    number: int
    like: list[Comparison] = field(default_factory=list)
    """Others that have all of this in them and fail likewise."""

    def explains(self, other: Comparison) -> bool:
        """Whether another program has all in it that makes this one fail, and fails likewise."""
        mine, program = self.comparison, other.program
        return (
            mine.verdict in (other.verdict, Verdict.WORSE)
            and are_alike(mine.gravest, other.gravest)
            and {part.name for part in self.reduced.parts} <= {part.name for part in program.parts}
            and self.reduced.ending in (ENDINGS[0], program.ending)
            and self.reduced.destruction in (*DESTRUCTIONS[:2], program.destruction)
            and self.reduced.way in (Way.RUN, program.way)
        )


class Campaign:
    """Tries programs out, and keeps what came of each."""

    def __init__(self, laboratory: Laboratory, at_once: int, reduces: bool) -> None:
        self.comparisons: list[Comparison] = []
        self.findings: list[Finding] = []
        self.seconds = 0.0
        self._laboratory = laboratory
        self._at_once = at_once
        self._reduces = reduces
        self._lock = threading.Lock()

    def run(self, programs: Iterator[Program], told: Callable[[Comparison, Finding | None], None]) -> None:
        """Tries these programs out; tells of each, with the finding if it is a new one.

        Whatever is raised meanwhile ends the child processes first.
        """
        begun = time.monotonic()
        running: set[Future[tuple[Comparison, Finding | None]]] = set()
        with ThreadPoolExecutor(self._at_once) as pool:
            try:
                while True:
                    while len(running) < self._at_once and (program := next(programs, None)) is not None:
                        running.add(pool.submit(self._try_out, program))
                    if not running:
                        break
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        comparison, finding = future.result()
                        self.comparisons.append(comparison)
                        self.seconds = time.monotonic() - begun
                        told(comparison, finding)
            except BaseException:
                self._laboratory.children.end_all()
                raise

    def _try_out(self, program: Program) -> tuple[Comparison, Finding | None]:
        comparison = try_out(program, self._laboratory)
        if comparison.verdict in (Verdict.GOOD, Verdict.STILL) or self._is_known(comparison):
            return comparison, None
        reduced = reduce(comparison, self._laboratory) if self._reduces else program
        with self._lock:
            finding = Finding(comparison, reduced, len(self.findings) + 1)
            self.findings.append(finding)
        return comparison, finding

    def _is_known(self, comparison: Comparison) -> bool:
        with self._lock:
            for finding in self.findings:
                if finding.explains(comparison):
                    finding.like.append(comparison)
                    return True
        return False
