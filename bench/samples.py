"""What many pairs of figures say together: the median ratio, its spread, and whether a target is met.

`pyperf` has statistics for the values of one benchmark after the other. Here a value is a ratio of two that were taken
side by side, on a machine whose speed may change from one minute to the next, so the few lines are our own.
"""

import statistics
from dataclasses import dataclass

MET, MISSED, NOISY, FAILED, SKIPPED, NONE = "met", "missed", "too noisy to tell", "failed", "not measured", ""


@dataclass(frozen=True)
class Target:
    """A bound on the ratio, or on the figure itself."""

    bound: float
    at_least: bool = False
    of_ratio: bool = True

    def holds(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Samples:
    """The pairs of one figure: what stands beside, and ours."""

    pairs: tuple[tuple[float, float], ...]

    @property
    def beside(self) -> float:
        return statistics.median(beside for beside, _ in self.pairs)

    @property
    def ours(self) -> float:
        return statistics.median(ours for _, ours in self.pairs)

    def values(self, of_ratio: bool) -> list[float]:
        """What a target is held against: the ratio of each pair, or our figure of each."""
        return [ours / beside if of_ratio else ours for beside, ours in self.pairs]

    def spread(self, of_ratio: bool) -> tuple[float, float, float]:
        """Lower quartile, median, upper quartile."""
        values = self.values(of_ratio)
        if len(values) == 1:
            return values[0], values[0], values[0]
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return low, middle, high

    def verdict(self, target: Target | None) -> str:
        """Whether the quartiles are on one side of the target, and on which."""
        if target is None:
            return NONE
        low, _, high = self.spread(target.of_ratio)
        if target.holds(low) != target.holds(high):
            return NOISY
        return MET if target.holds(low) else MISSED
