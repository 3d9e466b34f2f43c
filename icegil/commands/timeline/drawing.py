"""A trace as an SVG document: what it says of the shutdown, the whole of it, and the shutdown enlarged."""

from collections.abc import Callable
from xml.etree.ElementTree import Element, indent, tostring

from icegil.commands.timeline.elements import (
    LETTER,
    counted,
    document,
    horizontal,
    number,
    path,
    rectangle,
    set_height,
    text,
    vertical,
)
from icegil.commands.timeline.panel import Panel
from icegil.commands.timeline.shutdown import Shutdown
from icegil.commands.timeline.time_axis import Scale, Window, duration, moment
from icegil.commands.timeline.trace import Trace

WIDTH = 1200
TOP = 84
MARGIN = 20
LEFT, RIGHT = 250, WIDTH - 40  # between them is the time
ROW, LOW_ROW = 28, 16
SHORT = 0.25  # a shutdown that takes less of the trace is enlarged


def svg(trace: Trace, window: Window | None) -> str:
    """An SVG document that shows a part of the trace; with None all of it, and the shutdown enlarged if it is short."""
    shutdown = Shutdown(trace)
    headline = shutdown.headline(trace)
    drawn = document(WIDTH, headline, _description(trace, shutdown))
    text(drawn, MARGIN, 36, headline if len(headline) <= 110 else headline[:109] + "…", "title")
    text(drawn, MARGIN, 56, _facts(trace), "small")
    part = _enlarged(trace, shutdown) if window is None else None
    shown = window or Window(trace.begin, trace.end)
    _heading(drawn, TOP, f"From {moment(shown.begin)} to {moment(shown.end)}" if window else _whole(trace))
    panel = _panel(drawn, trace, shutdown, shown, top=TOP, row=LOW_ROW if part else ROW)
    if part is not None:
        top = panel.bottom + 26
        _enlargement(drawn, panel, part, top)
        _heading(drawn, top, "The shutdown, enlarged")
        panel = _panel(drawn, trace, shutdown, part, top=top, row=ROW)
    set_height(drawn, _legend(drawn, panel.bottom + 22) + 16)
    indent(drawn, space="")
    return tostring(drawn, encoding="unicode") + "\n"


def _heading(svg: Element, top: float, words: str) -> None:
    text(svg, MARGIN, top + 13, words, "head")


def _whole(trace: Trace) -> str:
    return f"The whole trace, {duration(trace.end - trace.begin)}"


def _panel(svg: Element, trace: Trace, shutdown: Shutdown, window: Window, *, top: float, row: float) -> Panel:
    return Panel(svg, trace, shutdown, Scale(window, LEFT, RIGHT - LEFT), top=top, row=row)


def _enlargement(svg: Element, above: Panel, part: Window, top: float) -> None:
    """Leads the eye from a part of the panel above to the panel below, which begins at `top`."""
    left, right = above.scale.x(part.begin), above.scale.x(part.end)
    corners: list[tuple[float, float]] = [(left, above.top), (right, above.top), (right, above.lanes_bottom)]
    corners += [(RIGHT, top), (LEFT, top), (left, above.lanes_bottom)]
    path(svg, "M" + "L".join(f"{number(x)} {number(y)}" for x, y in corners) + "z", "part")


def _enlarged(trace: Trace, shutdown: Shutdown) -> Window | None:
    """The part of the trace that is worth another panel."""
    if shutdown.begin is None:
        return None
    length = max(trace.end - shutdown.begin, 1.0)
    if length >= SHORT * (trace.end - trace.begin):
        return None
    return Window(shutdown.begin - 0.08 * length, trace.end)


def _facts(trace: Trace) -> str:
    callbacks = sum(len(thread.callbacks) for thread in trace.threads)
    names = {"icegil": "icegil", "python": "Python", "ice": "Ice"}
    facts = ", ".join(f"{names[name]} {value}" for name, value in trace.facts.items())
    counts = {"thread": len(trace.threads), "callback": callbacks, "communicator": len(trace.communicators)}
    facts += "; " + ", ".join(counted(count, name) for name, count in counts.items())
    if trace.dropped_events:
        facts += f"; the {counted(trace.dropped_events, 'oldest event')} overwritten"
    return facts


def _description(trace: Trace, shutdown: Shutdown) -> str:
    held_up = "".join(f" Held up by {reason}." for reason in shutdown.reasons(trace))
    return f"A lane for each thread and communicator, from {moment(trace.begin)} to {moment(trace.end)}.{held_up}"


def _legend(svg: Element, top: float) -> float:
    """What the marks mean; where it ends."""
    x, middle = float(MARGIN), top + 8
    for words, draw in _LEGEND:
        width = 28 + len(words) * LETTER * 0.86 + 20
        if x + width > WIDTH - MARGIN:
            x, middle = float(MARGIN), middle + 20
        draw(svg, x, middle)
        text(svg, x + 28, middle + 4, words, "small")
        x += width
    return middle + 10


def _bar(*looks: str, height: float = 12) -> Callable[[Element, float, float], None]:
    def draw(svg: Element, x: float, y: float) -> None:
        for look in looks:
            rectangle(svg, (x, y - height / 2, 22, height), look)

    return draw


def _density(svg: Element, x: float, y: float) -> None:
    rectangle(svg, (x, y - 6, 22, 12), "many")
    path(svg, f"M{number(x)} {number(y + 6)}v-3h4v-4h3v2h4v3h3v-6h3v-3h2v4h3v7z", "cb")


def _cross(svg: Element, x: float, y: float) -> None:
    path(svg, f"M{number(x + 7)} {number(y - 4)}l8 8m0-8l-8 8", "mark")


def _pause(svg: Element, x: float, y: float) -> None:
    path(svg, f"M{number(x + 3)} {number(y - 5)}v10m5-10v10", "mark")
    horizontal(svg, y, x + 12, x + 24, "asleep")


def _destroyed(svg: Element, x: float, y: float) -> None:
    rectangle(svg, (x, y - 6, 22, 12), "destroying")
    vertical(svg, x + 22, y - 6, y + 6, "cap")


_LEGEND: list[tuple[str, Callable[[Element, float, float], None]]] = [
    ("inside a callback", _bar("cb")),
    ("many short callbacks: the higher, the more of the time inside", _density),
    ("beginning not known", _bar("cut")),
    ("held the shutdown up", _bar("held", "hatch")),
    ("refused at the gate", _cross),
    ("parked: sleeps until the process ends", _pause),
    ("a communicator", _bar("alive", height=6)),
    ("being destroyed, until destroyed", _destroyed),
    ("shuts Python down", _bar("waits")),
]
