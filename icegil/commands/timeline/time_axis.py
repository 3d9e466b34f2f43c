"""Times as people read them, and where they are in a picture. Times are in microseconds, places in pixels."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

SECOND = 1e6
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_STEPS = [factor * 10.0**power for power in range(-1, 7) for factor in (1, 2, 5)] + [
    10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, *(24 * HOUR * 2.0**power for power in range(40)),
]  # fmt: skip


@dataclass(frozen=True)
class Window:
    """The part of a trace that is drawn."""

    begin: float
    end: float


@dataclass(frozen=True)
class Scale:
    """Where a window's times are."""

    window: Window
    left: float
    width: float

    @property
    def right(self) -> float:
        return self.left + self.width

    def x(self, time: float) -> float:
        """A time outside of the window is at its edge."""
        share = (time - self.window.begin) / (self.window.end - self.window.begin)
        return self.left + self.width * min(max(share, 0.0), 1.0)

    def shows(self, begin: float, end: float | None = None) -> bool:
        """Whether any of what goes from `begin` to `end`, or just happens at `begin`, is in the window."""
        return begin <= self.window.end and (begin if end is None else end) >= self.window.begin

    def ticks(self, apart: float) -> Iterator[tuple[float, str]]:
        """Round times, at least `apart` pixels from each other, and what to write there."""
        least = (self.window.end - self.window.begin) * apart / self.width
        step = next(step for step in _STEPS if step >= least)
        for number in range(math.ceil(self.window.begin / step), math.floor(self.window.end / step) + 1):
            yield number * step, _label(number * step, step, self.window.end)


def _label(time: float, step: float, largest: float) -> str:
    if largest >= 10 * MINUTE:
        return _clock(time, step)
    unit, name = (1.0, "µs") if largest < 1e3 else (1e3, "ms") if largest < SECOND else (SECOND, "s")
    return f"{time / unit:.{_decimals(step / unit)}f} {name}"


def _clock(time: float, step: float) -> str:
    minutes, seconds = divmod(round(time / SECOND, 7), 60)
    hours, minutes = divmod(minutes, 60)
    decimals = _decimals(step / SECOND)
    text = f"{seconds:0{decimals + 3 if decimals else 2}.{decimals}f}"
    return f"{hours:.0f}:{minutes:02.0f}:{text}" if hours else f"{minutes:.0f}:{text}"


def _decimals(step: float) -> int:
    return max(0, -math.floor(math.log10(step) + 1e-9))


def moment(time: float) -> str:
    """A time of the trace, to the microsecond, in the seconds of `--from` and `--to`."""
    return f"{time / SECOND:.6f}".rstrip("0").rstrip(".") + " s"


def duration(length: float) -> str:
    """To three digits."""
    if length >= 10 * MINUTE:
        minutes, seconds = divmod(round(length / SECOND), 60)
        return f"{minutes} min {seconds} s"
    for unit, name in ((SECOND, "s"), (1e3, "ms")):
        if length >= unit * 0.9995:
            return f"{_three_digits(length / unit)} {name}"
    return f"{_three_digits(length)} µs"


def _three_digits(value: float) -> str:
    decimals = 2 - min(2, math.floor(math.log10(value))) if value >= 1 else 2
    return f"{value:.{decimals}f}".removesuffix(".00")
