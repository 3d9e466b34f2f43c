"""`python -m tools.differ`: the command line, and what is shown on the way."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tools.differ import report
from tools.differ.campaign import Campaign, Finding
from tools.differ.child import ROOT, Laboratory, target_of, with_icegil
from tools.differ.judging import Comparison, Verdict
from tools.differ.part import Target
from tools.differ.program import Program, draw

FOLDER = ROOT / "build" / "differ"
LINES = 20
"""About how many lines of progress where there is no terminal."""


class Progress:
    """How far the campaign has come: one line that is written over on a terminal, a line now and then elsewhere."""

    def __init__(self, campaign: Campaign, laboratory: Laboratory, planned: int | None, folder: Path) -> None:
        self._campaign, self._laboratory, self._folder = campaign, laboratory, folder
        self._planned = planned
        self._is_terminal = sys.stderr.isatty()
        self._every = max(1, planned // LINES) if planned else 50

    def __call__(self, comparison: Comparison, finding: Finding | None) -> None:
        """One more program was tried out."""
        if finding is not None:
            self.clear()
            print(report.line(finding, report.write(finding, self._laboratory, self._folder)), flush=True)
        done = len(self._campaign.comparisons)
        if self._is_terminal or done % self._every == 0:
            verdicts = Counter(each.verdict for each in self._campaign.comparisons)
            counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict)
            text = f"{done}/{self._planned or '...'} programs, {self._campaign.seconds:.0f} s: {counts}"
            end = "" if self._is_terminal else "\n"
            print(f"{self._start}{text}", end=end, file=sys.stderr, flush=True)

    @property
    def _start(self) -> str:
        return "\r\033[K" if self._is_terminal else ""

    def clear(self) -> None:
        """Takes the line away."""
        print(self._start, end="", file=sys.stderr, flush=True)


def programs(seeds: Iterator[int], target: Target, word: str) -> Iterator[Program]:
    """The programs of these seeds that have a part, a destruction or an ending with this word in its name."""
    return (program for program in (draw(seed, target) for seed in seeds) if word in program.names)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="differ",
        description="Makes random programs, runs each plain and under icegil, and says where icegil does worse.",
        epilog="Exit status: 1 if a program does worse under icegil than plain.",
    )
    parser.add_argument("-n", type=int, help="programs to try out (300; with --minutes, as many as there is time for)")
    parser.add_argument("--seed", type=int, help="the first seed, each program takes the next (one that is new)")
    parser.add_argument("--minutes", type=float, help="begin no program after that time")
    parser.add_argument("-j", type=int, default=(os.cpu_count() or 1) + 1, help="programs at once (%(default)s)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs the programs (this one)")
    parser.add_argument("--with", dest="word", default="", help="only programs that have this in the name of a part")
    parser.add_argument("--whole", action="store_true", help="do not reduce what fails")
    return parser


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    first = secrets.randbelow(1_000_000_000) if asked.seed is None else asked.seed
    planned = 300 if asked.n is None and asked.minutes is None else asked.n
    target = target_of(asked.python)
    print(f"CPython {'.'.join(map(str, target.python))}, Ice {target.ice}; seeds from {first} on", flush=True)
    laboratory = Laboratory(with_icegil(asked.python, FOLDER / f"python{'.'.join(map(str, target.python))}"))
    campaign = Campaign(laboratory, asked.j, reduces=not asked.whole)
    progress = Progress(campaign, laboratory, planned, FOLDER)
    drawn = _limited(programs(count(first), target, asked.word), planned, asked.minutes)
    status = 0
    # Whoever starts this in the background may have SIGINT ignored, and the programs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        campaign.run(drawn, progress)
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    progress.clear()
    print(report.summary(campaign))
    is_worse = any(each.verdict is Verdict.WORSE for each in campaign.comparisons)
    return status or int(is_worse)


def _limited(drawn: Iterator[Program], most: int | None, minutes: float | None) -> Iterator[Program]:
    end = None if minutes is None else time.monotonic() + 60 * minutes
    for number, program in enumerate(drawn):
        if number == most or (end is not None and time.monotonic() >= end):
            return
        yield program


if __name__ == "__main__":
    sys.exit(main())
