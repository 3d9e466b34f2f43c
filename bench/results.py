"""Takes the rows, and keeps what came of them."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench import instructions
from bench.children import ChildFailed
from bench.rows import Figure, Row
from bench.samples import FAILED, NOISY, SKIPPED, Samples


@dataclass(frozen=True)
class Result:
    """One figure of one row: its samples, or why there are none."""

    row: Row
    figure: Figure
    samples: Samples | None
    instructions: float | None = None
    """Ours / beside; counted where the times cannot tell."""
    remark: str = ""

    @property
    def verdict(self) -> str:
        if self.samples is None:
            return SKIPPED if self.row.missing else FAILED
        return self.samples.verdict(self.figure.target)

    def as_json(self) -> dict[str, object]:
        target = self.figure.target
        facts: dict[str, object] = {
            "row": self.row.name,
            "figure": self.figure.name,
            "unit": self.figure.unit,
            "beside_is": self.row.beside_name(self.figure),
            "target": target and {"bound": target.bound, "at_least": target.at_least, "of_ratio": target.of_ratio},
            "verdict": self.verdict,
            "instructions_ratio": self.instructions,
            "remark": self.remark,
        }
        if self.samples is not None:
            quartiles = self.samples.spread(self.figure.is_ratio)
            facts |= {"beside": self.samples.beside, "ours": self.samples.ours}
            facts |= {"quartiles": quartiles, "quartiles_are_of_ratio": self.figure.is_ratio}
            facts |= {"pairs": self.samples.pairs}
        return facts


def take(rows: Iterable[Row], runs: int, quick: bool, progress: Callable[[str], None]) -> Iterator[Result]:
    """Measures row after row. A row that fails costs nothing but itself."""
    for row in rows:
        if row.missing:
            yield Result(row, row.figures[0], None, remark=row.missing)
            continue
        taken: dict[Figure, list[tuple[float, float]]] = {}
        error = ""
        try:
            for i, pairs in enumerate(row.pairs(runs, quick)):
                progress(f"{row.name}: run {i + 1}")
                for figure, pair in pairs.items():
                    taken.setdefault(figure, []).append(pair)
        except ChildFailed as failed:
            error = str(failed)
        if not taken:
            yield Result(row, row.figures[0], None, remark=error)
            continue
        results = [Result(row, figure, Samples(tuple(pairs)), remark=error) for figure, pairs in taken.items()]
        if any(result.verdict == NOISY for result in results):
            progress(f"{row.name}: counting instructions")
            counted, remark = _count(row)
            results = [
                Result(row, result.figure, result.samples, counted, error or remark)
                if result.verdict == NOISY
                else result
                for result in results
            ]
        yield from results


def _count(row: Row) -> tuple[float | None, str]:
    try:
        counted = instructions.ratio(row)
    except (ChildFailed, subprocess.TimeoutExpired) as failed:
        return None, f"instructions could not be counted: {failed}"
    if counted is None:
        counter = instructions.counter()
        return None, "instructions say nothing about it" if counter else "nothing here can count instructions"
    return counted, f"instructions counted by {instructions.counter()}; those of the kernel are not among them"
