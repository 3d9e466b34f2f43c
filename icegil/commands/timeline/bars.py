"""Callbacks as bars: the wide ones each their own, many short ones close together as one bar of their density."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from icegil.commands.timeline.time_axis import Scale
from icegil.commands.timeline.trace import Callback

WIDE = 4.0  # pixels; narrower ones are merged
NEAR = 1.0  # pixels between two that are merged


@dataclass(frozen=True)
class Bar:
    """One callback."""

    callback: Callback
    left: float
    right: float


@dataclass(frozen=True)
class Density:
    """Many callbacks."""

    left: float
    right: float
    begin: float
    end: float
    count: int
    inside: float
    """How long the thread was inside altogether, in microseconds."""
    shares: list[float]
    """Of each pixel from `left` on: the share of the time that the thread was inside."""


def bars(callbacks: Iterable[Callback], scale: Scale, alone: Container[Callback]) -> Iterator[Bar | Density]:
    """What to draw of a thread's callbacks, which follow one another, from left to right. Those `alone` never merge."""
    close: list[Bar] = []
    for callback in callbacks:
        if not scale.shows(callback.begin, scale.window.end if callback.end is None else callback.end):
            continue
        right = scale.right if callback.end is None else scale.x(callback.end)
        bar = Bar(callback, scale.x(callback.begin), right)
        is_narrow = right - bar.left < WIDE and callback.begin_known and callback not in alone
        if close and not (is_narrow and bar.left - close[-1].right < NEAR):
            yield _merged(close, scale)
            close = []
        if is_narrow:
            close.append(bar)
        else:
            yield bar
    if close:
        yield _merged(close, scale)


def _merged(close: list[Bar], scale: Scale) -> Bar | Density:
    if len(close) == 1:
        return close[0]
    left, right = close[0].left, close[-1].right
    shares = [0.0] * (int(right - left) + 1)
    for bar in close:
        first, last = int(bar.left - left), int(bar.right - left)
        for pixel in range(first, last + 1):
            shares[pixel] += max(0.0, min(bar.right, left + pixel + 1) - max(bar.left, left + pixel))
    shares[-1] /= max(right - left - (len(shares) - 1), 0.1)  # the last pixel is not a whole one
    begin, end = close[0].callback.begin, close[-1].callback.end
    inside = sum((bar.callback.end or scale.window.end) - bar.callback.begin for bar in close)
    return Density(left, right, begin, end or scale.window.end, len(close), inside, [min(1.0, each) for each in shares])
