"""What was found of an operation, and whether that will do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import Ice

from icegil.commands.words import StrEnum
from tools.leaks.children import ChildFailed, Effort, Side, measure
from tools.leaks.measuring import Kept
from tools.leaks.operation import Operation

NOT_IN_3_6 = re.compile(r"AttributeError: .* has no attribute '\w+'(\. Did you mean.*)?$")
"""How a child ends on Ice 3.6 whose operation is written with what that has not."""

BYTES = 8.0
"""Kept of each operation, above which it is no noise."""
BLOCK = 24.0
"""malloc gives no smaller block than one of more bytes: what is kept of each operation is more than this."""
OBJECTS = 0.01
"""Python objects, likewise."""
LONGER = (1, 4, 12)
"""How many times the operations are done, in one child after the other, until what is kept is noise."""
MOST_SECONDS = 60.0
"""After which a child with one time the operations is taken to stand still."""
MUCH = 64 * 1024
"""Bytes that no window grows by without something being kept."""


class Verdict(StrEnum):
    """What is to be said of an operation, guarded."""

    CLEAN = "keeps nothing"
    KEEPS = "keeps something"
    KNOWN = "known"
    FAILED = "failed"
    SKIPPED = "left out"


@dataclass(frozen=True)
class Result:
    """An operation, and what each side keeps, or why that is not known."""

    operation: Operation
    sides: dict[Side, Kept | str]

    @property
    def verdict(self) -> Verdict:
        """That of the guarded side. What plain Ice keeps is only shown."""
        guarded = self.sides.get(Side.GUARDED)
        if self.missing:
            return Verdict.SKIPPED
        if not isinstance(guarded, Kept):
            return Verdict.FAILED
        if is_noise(guarded):
            return Verdict.CLEAN
        return Verdict.KNOWN if self.operation.known else Verdict.KEEPS

    @property
    def missing(self) -> str:
        """What the operation needs that is not there; nothing if it could be measured."""
        guarded = self.sides.get(Side.GUARDED)
        if Ice.intVersion() < 30700 and isinstance(guarded, str) and NOT_IN_3_6.search(guarded):
            return guarded.partition("AttributeError: ")[2]
        return self.operation.missing

    @property
    def is_bad(self) -> bool:
        """Whether a run with this one fails."""
        return self.verdict in (Verdict.KEEPS, Verdict.FAILED)

    @property
    def is_less_than_a_block(self) -> bool:
        """Whether it is shown as something kept, and cannot be a block of malloc's for each operation."""
        guarded = self.sides.get(Side.GUARDED)
        return isinstance(guarded, Kept) and guarded.bytes <= BLOCK and guarded.objects <= OBJECTS

    def as_json(self) -> dict[str, object]:
        """All there is, for a file."""
        sides = {side.value: kept.as_json() if isinstance(kept, Kept) else kept for side, kept in self.sides.items()}
        about = {"known": self.operation.known, "missing": self.missing}
        return {"operation": self.operation.name, "verdict": self.verdict.value, **about, **sides}


def is_noise(kept: Kept) -> bool:
    """Whether this may have come about without anything being kept. Resident memory is too rough to say so."""
    return kept.bytes <= BYTES and kept.objects <= OBJECTS


@dataclass(frozen=True)
class Measuring:
    """How results are come by."""

    module: str
    """Which has the operations."""
    sides: tuple[Side, ...]
    effort: Effort
    at_once: int
    """Children."""

    def take(self, operations: Sequence[Operation], tell: Callable[[str], None]) -> Iterator[Result]:
        """Measures all, and tells of each before it begins. The results come in their order."""

        def measured(operation: Operation) -> Result:
            found: dict[Side, Kept | str] = {}
            for side in self.sides if not operation.missing else ():
                tell(f"{operation.name}, {side}")
                found[side] = self._of_side(operation, side)
            return Result(operation, found)

        with ThreadPoolExecutor(self.at_once) as pool:
            yield from pool.map(measured, operations)

    def _of_side(self, operation: Operation, side: Side) -> Kept | str:
        """What is kept. If it is little more than noise, more operations tell whether it is noise."""
        count = self.effort.count(operation.count)
        found: list[Kept] = []
        try:
            for times in LONGER:
                windows, seconds = self.effort.windows, times * MOST_SECONDS
                kept = measure(side, operation.name, times * count, windows, module=self.module, seconds=seconds)
                found.append(kept)
                if is_noise(kept) or kept.bytes * count > MUCH:
                    break
        except ChildFailed as failed:
            return str(failed)
        return min(found, key=lambda each: each.bytes)
