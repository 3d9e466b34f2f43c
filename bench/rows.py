"""What a row of the bench is: the ways of running one program that are compared, and the figures that come of it."""

import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench import children
from bench.children import Side
from bench.samples import Target


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    key: str
    """What the program calls it."""
    unit: str
    target: Target | None = None
    beside: str = ""
    """What the program calls the one that stands beside, if it measures both in one process."""
    beside_name: str = ""
    """What stands beside, if that is not the row's first way."""

    @property
    def is_ratio(self) -> bool:
        """Whether the ratio is what counts, not the figure itself."""
        return self.target is None or self.target.of_ratio


@dataclass(frozen=True)
class Way:
    """One way of running a row's program."""

    side: Side
    arguments: tuple[str, ...]
    """`{calls}` stands for how many of what is measured; the fewer, the quicker and the less exact."""

    def words(self, calls: int) -> list[str]:
        return [argument.format(calls=calls) for argument in self.arguments]


@dataclass(frozen=True)
class Row:
    """One program, run many times, and what it measures."""

    name: str
    program: str
    figures: tuple[Figure, ...]
    ways: tuple[Way, ...]
    """What stands beside, then ours; a single one for a program that measures both in one process."""
    calls: int = 0
    quick_calls: int = 0
    counted_calls: int = 0
    """For a count of instructions, which takes a hundred times as long; 0 where it would say nothing."""
    counted_ways: tuple[Way, ...] = ()
    """Where they are others than `ways`."""
    counted_without: str = ""
    """Counts one run less another with this argument, which has the program leave out what is measured."""
    most_runs: int | None = None
    turns: int = 1
    """Runs of each way that make one pair, by their medians: more than one where a run is short and its noise wide."""
    on_one_processor: bool = False
    """Program, threads and servers: what it takes to wake a processor that sleeps is not in the figures then."""

    def pairs(self, runs: int, quick: bool) -> Iterator[dict[Figure, tuple[float, float]]]:
        """Runs the ways by turns, each in a fresh process, the one that goes first alternating."""
        calls = self.quick_calls if quick else self.calls
        for i in range(min(runs, self.most_runs or runs)):
            with children.on_one_processor() if self.on_one_processor else contextlib.nullcontext():
                turns = [self._turn(calls, i * self.turns + j) for j in range(self.turns)]
            yield {
                figure: (
                    statistics.median(first[figure.beside or figure.key] for first, _ in turns),
                    statistics.median(last[figure.key] for _, last in turns),
                )
                for figure in self.figures
                if figure.key in turns[0][1]
            }

    def _turn(self, calls: int, number: int) -> tuple[dict[str, float], dict[str, float]]:
        """What each way reports, with one hash seed."""
        in_turn = list(enumerate(self.ways))[:: -1 if number % 2 else 1]
        reports = {place: children.run(way.side, self.program, way.words(calls), number) for place, way in in_turn}
        return reports[0], reports[len(self.ways) - 1]

    @property
    def missing(self) -> str:
        """Why one of its ways cannot be taken here; empty if they can."""
        return "; ".join(filter(None, (way.side.missing for way in self.ways)))

    def beside_name(self, figure: Figure) -> str:
        return figure.beside_name or self.ways[0].side.name
