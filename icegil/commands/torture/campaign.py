"""Runs scenarios many times, plain and guarded, several at once."""

import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timezone
from types import ModuleType

import icegil.boundary as boundary
import icegil.versions as versions
from icegil.commands.torture.catalogue import Scenario
from icegil.commands.torture.endings import PATIENCE, Children, Kind, command, judge, run
from icegil.commands.torture.results import Cell, Results, Run, Side, run_of

HANGS_ENOUGH = 3
"""After so many hangs of a plain scenario the rest of its plain runs is left out: each costs half a minute."""


class Campaign:
    """Runs of scenarios, and what has come of them so far. For one thread.

    Parameters
    ----------
    scenarios : list[Scenario]
        What to run.
    sides : list[Side]
        How to run it.
    runs : int
        How often each scenario is run on each side.
    at_once : int
        How many child processes run at the same time.
    ice : module
        The installed Ice. Scenarios that need something that it does not have are skipped.
    """

    def __init__(self, scenarios: list[Scenario], sides: list[Side], runs: int, at_once: int, ice: ModuleType) -> None:
        facts = {
            "icegil": versions.ICEGIL,
            "zeroc-ice": ice.stringVersion(),
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": sys.executable,
            "platform": platform.platform(),
        }
        cells = [
            Cell(scenario, side, runs, skipped=scenario.missing(ice) or _missing_guard(scenario, side))
            for scenario in scenarios
            for side in sides
        ]
        self.results = Results(datetime.now(timezone.utc), facts, runs, at_once, cells)
        self._children = Children()

    @property
    def done(self) -> int:
        """Number of runs that have ended."""
        return sum(len(cell.runs) for cell in self.results.cells)

    @property
    def total(self) -> int:
        """Number of runs, those included that are still to be made."""
        return self.done + sum(cell.left for cell in self.results.cells)

    @property
    def seconds_left(self) -> float | None:
        """About how long it will go on; None before the first run has ended."""
        if not self.done:
            return None
        on_average = {side: _seconds_each(self.results.of(side)) for side in self.results.sides}
        expected = sum(cell.left * (_seconds_each([cell]) or on_average[cell.side]) for cell in self.results.cells)
        return expected / self.results.at_once

    def run(self, told: Callable[[Cell, Run], object]) -> None:
        """Makes all runs and tells of each. Whatever is raised meanwhile ends the child processes first."""
        begun = time.monotonic()
        # In rounds, not scenario by scenario: stopped half-way, it has seen a bit of everything.
        cells = self._rounds()
        running: dict[Future[Run], Cell] = {}
        with ThreadPoolExecutor(self.results.at_once) as pool:
            try:
                while True:
                    while len(running) < self.results.at_once and (cell := next(cells, None)) is not None:
                        running[pool.submit(self._run_once, cell)] = cell
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        cell = running.pop(future)
                        cell.runs.append(future.result())
                        self.results.seconds = time.monotonic() - begun
                        told(cell, cell.runs[-1])
            except BaseException:
                self.results.was_stopped = True
                self._children.end_all()
                raise

    def _rounds(self) -> Iterator[Cell]:
        for _ in range(self.results.runs_each):
            for cell in self.results.cells:
                if cell.side is Side.PLAIN and _hangs(cell) >= HANGS_ENOUGH:
                    cell.skipped = f"it hung {_hangs(cell)} times, which is enough"
                if not cell.skipped:
                    yield cell

    def _run_once(self, cell: Cell) -> Run:
        words = command(cell.scenario, cell.side is Side.GUARDED)
        # A plain program that hangs is what is to be shown; one that hangs under icegil is to be understood.
        is_unexpected = cell.side is Side.GUARDED
        ending = run(words, cell.scenario.within * PATIENCE, children=self._children, native_stacks=is_unexpected)
        return run_of(ending, judge(ending, cell.scenario))


def _missing_guard(scenario: Scenario, side: Side) -> str:
    is_missing = scenario.needs_guard and side is Side.GUARDED and not boundary.IS_COMPILED
    return "there is no guard here" if is_missing else ""


def _hangs(cell: Cell) -> int:
    return sum(run.verdict.kind is Kind.HANG for run in cell.runs)


def _seconds_each(cells: list[Cell]) -> float:
    runs = [run.seconds for cell in cells for run in cell.runs]
    return sum(runs) / len(runs) if runs else 0.0
