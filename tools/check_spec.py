"""Searches the model of the gate (spec/gate.pml) through: the sound one keeps every promise, each broken one does not.

Needs spin, gcc and Python 3.11 or newer with its standard library. Everything is made in a temporary directory. Exit
status 0: all is as it should be; 1: it is not; 2: spin or gcc is missing.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent / "spec" / "gate.pml"

SAFETY = "assertions"
"""The property that is no formula: every assertion holds, and nobody waits for ever who should not."""

# Bounds of one search. One that meets them proves nothing, and counts as failed.
MEGABYTES = 1800
DEPTH = 1_000_000


@dataclass(frozen=True)
class Search:
    """One search: a configuration of the model, a property, and how it should end."""

    name: str
    macros: tuple[str, ...]
    claim: str
    expected: str = "holds"

    @property
    def label(self) -> str:
        """What a printed line begins with."""
        return f"{self.name:<28}{self.claim}"


@dataclass(frozen=True)
class Outcome:
    """How a search ended: `holds`, the kind of error that was found, or why it proves nothing."""

    ending: str
    states: int
    depth: int
    seconds: float


PROGRESS = ("gets_on", "is_woken")

CONFIGURATIONS = {
    "waiting": (("CALLBACKS=2", "PYTHON"), (SAFETY,)),
    "three-callbacks": (("CALLBACKS=3",), (SAFETY,)),
    "entering-again": (("CALLBACKS=2", "ENTRIES=2"), (SAFETY, *PROGRESS)),
    "python-thread": (("CALLBACKS=1", "ENTRIES=2", "PYTHON"), (SAFETY, *PROGRESS)),
    "deadline": (("CALLBACKS=2", "DEADLINE"), (SAFETY, *PROGRESS)),
    "deadline-python": (("CALLBACKS=1", "PYTHON", "DEADLINE"), (SAFETY, *PROGRESS)),
    "finalizer-inside": (("CALLBACKS=2", "FINALIZER_INSIDE"), (SAFETY, *PROGRESS)),
    "handlers": (("CALLBACKS=1", "PYTHON", "HANDLERS"), (SAFETY, *PROGRESS)),
    "handlers-deadline": (("CALLBACKS=1", "PYTHON", "HANDLERS", "DEADLINE"), (SAFETY, *PROGRESS)),
    "locks": (("CALLBACKS=1", "PYTHON", "LOCKS"), (SAFETY, *PROGRESS)),
    "locks-deadline": (("CALLBACKS=1", "PYTHON", "LOCKS", "DEADLINE"), (SAFETY,)),
    "locked-callbacks": (("CALLBACKS=1", "PYTHON", "LOCKS", "LOCKED_CALLBACKS"), (SAFETY, *PROGRESS)),
    "fork": (("CALLBACKS=2", "FORK"), (SAFETY, "child_gets_on")),
    "fork-python": (("CALLBACKS=1", "PYTHON", "FORK"), (SAFETY, "child_gets_on")),
    "fork-deadline": (("CALLBACKS=2", "DEADLINE", "FORK"), (SAFETY,)),
}
"""The sound model: name, macros, what is asked."""

REACHED = {
    "entering-again": ("never_sleeps", "never_undoes", "never_parks"),
    "python-thread": ("never_parks_python",),
    "deadline": ("never_gives_up", "never_parks_nested", "never_nests_when_sealed"),
    "handlers": ("never_waits_for_python",),
    "handlers-deadline": ("never_waits_for_python",),
    "locks": ("never_waits_for_ice", "never_unlocks"),
    "fork": ("never_ends_as_child",),
}
"""Claims that must be violated: the model gets to where the gate matters."""

ASSERTION, DEADLOCK, CYCLE = "assertion violated", "invalid end state", "acceptance cycle"

BROKEN = {
    "CHECK_WITHOUT_COUNT": ("entering-again", SAFETY, ASSERTION),
    "COUNT_WITHOUT_LOOK": ("entering-again", SAFETY, ASSERTION),
    "COUNT_WITHOUT_WAIT": ("entering-again", SAFETY, ASSERTION),
    "CLOSE_WITHOUT_EXCHANGE": ("entering-again", SAFETY, DEADLOCK),
    "REFUSE_WITHOUT_UNDO": ("entering-again", SAFETY, ASSERTION),
    "WAKE_BEFORE_DECREMENT": ("entering-again", SAFETY, DEADLOCK),
    "NOTIFY_WITHOUT_MUTEX": ("entering-again", "is_woken", CYCLE),
    "LEAVE_BEFORE_GIL": ("entering-again", SAFETY, ASSERTION),
    "PARK_WITH_GIL": ("python-thread", SAFETY, ASSERTION),
    "PARK_INSIDE": ("deadline", SAFETY, ASSERTION),
    "DRAIN_WITH_GIL": ("entering-again", "gets_on", CYCLE),
    "REFUSE_FINALIZER": ("python-thread", SAFETY, ASSERTION),
    "WAIT_FOR_ITSELF": ("finalizer-inside", "gets_on", CYCLE),
    "FORK_KEEPS_GATE": ("fork", "child_gets_on", CYCLE),
    "REFUSE_NESTED": ("handlers-deadline", "gets_on", CYCLE),
    "PARK_PYTHON": ("handlers", "gets_on", CYCLE),
    "LOCK_WITH_GIL": ("locked-callbacks", SAFETY, DEADLOCK),
    "WAIT_WITH_LOCK": ("locks", "gets_on", CYCLE),
}
"""Each mistake: the configuration and the property that show it, and what is found."""


def searches_of_configuration(name: str) -> list[Search]:
    """All that is asked of one sound configuration."""
    macros, claims = CONFIGURATIONS[name]
    asked = [Search(name, macros, claim) for claim in claims]
    return asked + [Search(name, macros, claim, ASSERTION) for claim in REACHED.get(name, ())]


def search_of_broken(name: str) -> Search:
    """What shows one mistake."""
    configuration, claim, expected = BROKEN[name]
    macros, _ = CONFIGURATIONS[configuration]
    return Search(name, (*macros, f"BROKEN_{name}"), claim, expected)


def missing_tools() -> str:
    """What is missing and how it is installed; empty if nothing is."""
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    return f"{' and '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}" if missing else ""


class Searcher:
    """Compiles searching programs and runs them; keeps the last one, which mostly serves several claims."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._compiled: tuple[str, ...] = ()

    def run(self, search: Search) -> Outcome:
        """Searches. Raises subprocess.CalledProcessError when spin or gcc does not accept the model."""
        # Where threads vanish, as in a forked child, the order of independent steps must not be reduced, and whoever
        # vanished has not come to its end.
        forks = "FORK" in search.macros
        flags = ["-DSAFETY", "-DNOCLAIM"] if search.claim == SAFETY else []
        flags += ["-DNOREDUCE"] if forks else []
        self._compile([f"-D{macro}" for macro in search.macros], flags)
        options = [f"-m{DEPTH}", *(["-E"] if forks else [])]
        if search.claim != SAFETY:
            options += ["-a", "-f", "-N", search.claim]
        if search.expected in (DEADLOCK, CYCLE):
            options.append("-A")  # what is to be shown is the hang, not an assertion on the way there
        began = time.monotonic()
        done = subprocess.run(["./pan", *options], cwd=self._directory, capture_output=True, text=True)
        return read_outcome(done.stdout + done.stderr, time.monotonic() - began)

    def _compile(self, macros: list[str], flags: list[str]) -> None:
        if (wanted := (*macros, *flags)) == self._compiled:
            return
        self._compiled = ()
        for command in (
            ["spin", "-a", *macros, str(MODEL)],
            # Unoptimised: gcc takes longer to optimise most of these programs than they run.
            ["gcc", "-O0", "-w", f"-DMEMLIM={MEGABYTES}", *flags, "-o", "pan", "pan.c"],
        ):
            subprocess.run(command, cwd=self._directory, capture_output=True, text=True, check=True)
        self._compiled = wanted


def read_outcome(text: str, seconds: float) -> Outcome:
    """What the searching program said, as an Outcome."""

    def number(pattern: str) -> int:
        found = re.search(pattern, text)
        return int(float(found[1])) if found else 0

    ending = "no answer"
    if found := re.search(r"^pan:\d+: (assertion violated|invalid end state|acceptance cycle)", text, re.MULTILINE):
        ending = found[1]
    elif "max search depth too small" in text or "Search not completed" in text:
        ending = "not completed"
    elif re.search(r"errors: 0$", text, re.MULTILINE):
        ending = "holds"
    return Outcome(ending, number(r"([\d.e+]+) states, stored"), number(r"depth reached (\d+)"), seconds)


def check(searches: list[Search]) -> Iterator[tuple[Search, Outcome]]:
    """Runs the searches one after the other."""
    with tempfile.TemporaryDirectory(prefix="icegil-spec-") as directory:
        searcher = Searcher(Path(directory))
        for search in searches:
            yield search, searcher.run(search)


def main() -> int:
    parser = argparse.ArgumentParser(description="Searches the model of the gate through.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="configurations or mistakes; all if none is given")
    names = parser.parse_args().names or [*CONFIGURATIONS, *BROKEN]
    if unknown := [name for name in names if name not in CONFIGURATIONS and name not in BROKEN]:
        parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join([*CONFIGURATIONS, *BROKEN])}")
    if missing := missing_tools():
        print(missing, file=sys.stderr)
        return 2
    searches: list[Search] = []
    for name in names:
        searches += [search_of_broken(name)] if name in BROKEN else searches_of_configuration(name)
    failed = 0
    began = time.monotonic()
    try:
        for search, outcome in check(searches):
            is_good = outcome.ending == search.expected
            failed += not is_good
            verdict = outcome.ending if outcome.ending == "holds" else f"{outcome.ending}, as it should be"
            if not is_good:
                verdict = f"FAILED: {outcome.ending}; expected: {search.expected}"
            figures = f"{outcome.states:>10,} states  depth {outcome.depth:>7,}  {outcome.seconds:5.1f} s"
            print(f"{search.label:<46}{figures}  {verdict}", flush=True)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd)}\n{error.stdout}{error.stderr}", file=sys.stderr)
        return 1
    print(f"{len(searches)} searches in {time.monotonic() - began:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
