"""What an operation keeps: readings before and after windows of so many of them."""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass
from itertools import pairwise

from tools.leaks.memory import read
from tools.leaks.operation import Operation

WARM = 500
"""Operations after which threads and buffers are what they stay, if there are to be as many at all."""


@dataclass(frozen=True)
class Kept:
    """What is kept of each operation."""

    bytes: float
    """That malloc has given out."""
    resident: float
    """Bytes in resident memory: seen from outside, so with what is no block of malloc's, and rough."""
    objects: float
    """That the garbage collector of Python knows."""

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def measure(operation: Operation, count: int, windows: int) -> Kept:
    """Warms up, then takes so many windows of so many operations."""
    readings = Readings(windows + 1)
    with operation.prepare() as work:
        # Twice: the first reading is the first time for things, too.
        for _ in range(2):
            work(max(count, min(operation.count, WARM)))
            read()
        readings.take()
        for _ in range(windows):
            work(count)
            readings.take()
    return Kept(*(figure / count for figure in readings.growth()))


class Readings:
    """Readings one after the other, in room that is there before the first: they are no part of what they see."""

    def __init__(self, most: int) -> None:
        self._figures = [array("q", bytes(8 * most)) for _ in range(3)]
        self._taken = 0

    def take(self) -> None:
        """One more."""
        for figures, value in zip(self._figures, read(), strict=True):
            figures[self._taken] = value
        self._taken += 1

    def growth(self) -> list[int]:
        """The lower quartile of the windows, for each figure.

        What is made once and for all is in some of them, what is kept each time is in all. Not the smallest: something
        that came back just then would hide what is kept.
        """
        windows = [sorted(after - before for before, after in pairwise(figures)) for figures in self._figures]
        return [each[len(each) // 4] for each in windows]
