"""Runs the shutdown scenarios with a debug build of icegil whose threads are delayed at its named points, seed by seed.

What the points are and what a seed decides stands in include/icegil/schedule.hpp. Each run has a seed of its own. Exit
status 1 if one falls short; its seed is printed, with the command that repeats it. The operating system still has its
say: a seed makes an ending likely, not certain, so that command runs it several times.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count, repeat
from pathlib import Path

import Ice

from icegil.commands.torture.catalogue import SCENARIOS, Scenario, scenarios
from icegil.commands.torture.endings import PATIENCE, Ending, command, run, shortfall

ROOT = Path(__file__).resolve().parent.parent
OF_THE_API = ROOT / "tests" / "scenarios"
SEEDS = 8
"""Seeds for each scenario; over all of them some 600."""
SLOW_NOTICE = re.compile(r"^the communicator made at .* is not destroyed after .*\n", re.MULTILINE)
"""What icegil says of a destruction that takes a second, as it may where threads are delayed on purpose."""


@dataclass(frozen=True)
class Shortfall:
    """A run that did not end as its scenario says."""

    scenario: Scenario
    seed: int
    why: str
    ending: Ending

    @property
    def text(self) -> str:
        """What it was, how to see it again, and what it left on stderr."""
        again = f'make schedules ARGS="--seed {self.seed} -n 20 {self.scenario.name}"'
        return f"seed {self.seed}, {self.scenario.name}: {self.why}\n    again: {again}\n{self.ending.stderr}".rstrip()


def build(tree: Path = ROOT) -> Path:
    """A debug build of the whole package, beside the one in the tree; where it can be imported from."""
    words = [sys.executable, "setup.py", "-q", "build", "--build-base", "build/debug"]
    environment = {**os.environ, "ICEGIL_DEBUG": "1"}
    done = subprocess.run(words, cwd=tree, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the debug build failed:\n{done.stdout}{done.stderr}")
    (built,) = (tree / "build" / "debug").glob(f"lib*-{sys.implementation.cache_tag}")
    return built


def known() -> list[Scenario]:
    """All scenarios that this Ice has what they need for."""
    return [each for each in scenarios() + scenarios(OF_THE_API) if not each.missing(Ice)]


def search(
    chosen: list[Scenario], seeds: Iterator[int], rounds: int, at_once: int, built: Path
) -> Iterator[Shortfall | None]:
    """Runs each scenario `rounds` times, each time with the next seed. Tells of each run, None if it ended well."""

    def one(scenario: Scenario, seed: int) -> Shortfall | None:
        environment = {
            "ICEGIL_SCHEDULE": str(seed),
            "PYTHONPATH": os.pathsep.join((str(SCENARIOS), str(built))),
            "PYTHONSAFEPATH": "1",  # or `python -m` finds the build in the tree first
        }
        words = command(scenario, guarded=scenario.path.parent == SCENARIOS)
        ending = run(words, scenario.within * PATIENCE, environment)
        why = shortfall(replace(ending, stderr=SLOW_NOTICE.sub("", ending.stderr)), scenario)
        return Shortfall(scenario, seed, why, ending) if why else None

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(one, chosen * rounds, seeds)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the scenarios on schedules that seeds decide.")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help="what to run; all if none is given")
    parser.add_argument("-n", type=int, default=SEEDS, help="runs of each scenario (%(default)s)")
    parser.add_argument("-j", type=int, default=(os.cpu_count() or 1) + 1, help="runs at once (%(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first seed; each run takes the next (%(default)s)")
    parser.add_argument("--seed", type=int, help="the same seed for every run")
    asked = parser.parse_args()
    chosen = [each for each in known() if not asked.names or each.name in asked.names]
    if unknown := set(asked.names) - {each.name for each in chosen}:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    built = build()
    begun = time.monotonic()
    seeds = count(asked.first) if asked.seed is None else repeat(asked.seed)
    failed = 0
    for found in search(chosen, seeds, asked.n, asked.j, built):
        if found is not None:
            failed += 1
            print(found.text, flush=True)
    print(
        f"{len(chosen) * asked.n} runs of {len(chosen)} scenarios in {time.monotonic() - begun:.0f} s, {failed} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
