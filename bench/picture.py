"""The results as a picture for a README: pairs of bars, what stands beside and icegil."""

from collections.abc import Iterable
from html import escape

from bench import machine as machine_
from bench.results import Result
from bench.table import TIMES, amount

WIDTH, MARGIN = 760, 24
LABEL, BARS = 250, 330
BAR, GAP, HEAD, FOOT = 13, 16, 74, 34
GREY, BLUE, INK, FAINT = "#a8b0b8", "#2471b5", "#1f2933", "#68737d"
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"

# What the picture shows, in order: row, figure, how it is called there.
SHOWN = (
    ("asynchronous", "calls per second", "asynchronous calls, both ends"),
    ("asynchronous", "processor time per call", "processor time of one of them"),
    ("asynchronous-client", "calls per second", "asynchronous calls, client only"),
    ("synchronous", "calls per second", "synchronous calls"),
    ("dispatch-1", "processor time per call", "processor time of one dispatch"),
    ("coroutine-asyncio", "processor time per call", "one coroutine, asyncio"),
    ("coroutine-uvloop", "processor time per call", "one coroutine, uvloop"),
    ("crossing", "one crossing / stock", "one crossing into Python"),
    ("exit-100", "time to exit", "exit with 100 communicators"),
    ("exit-300", "time to exit", "exit with 300 communicators"),
)


def draw(results: Iterable[Result], machine: dict[str, str]) -> str:
    """The picture as SVG: a white sheet, so that it reads on a dark page too."""
    found = {(result.row.name, result.figure.name): result for result in results if result.samples is not None}
    shown = [(title, found[row, figure]) for row, figure, title in SHOWN if (row, figure) in found]
    pairs = [_pair(HEAD + i * (2 * BAR + GAP), title, result) for i, (title, result) in enumerate(shown)]
    height = HEAD + len(shown) * (2 * BAR + GAP) + FOOT
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
            f"viewBox='0 0 {WIDTH} {height}' role='img' {FONT}>",
            "<title>icegil beside plain Ice for Python</title>",
            f"<rect width='{WIDTH}' height='{height}' rx='8' fill='white'/>",
            _text(MARGIN, 32, "icegil beside plain Ice for Python", size=18, weight=600),
            _text(MARGIN, 53, machine_.in_short(machine), size=11, ink=FAINT),
            *_legend(),
            *pairs,
            _text(
                MARGIN,
                height - 14,
                "Medians of runs by turns. Each pair of bars has its own scale.",
                size=11,
                ink=FAINT,
            ),
            "</svg>\n",
        ]
    )


def _legend() -> list[str]:
    x = WIDTH - MARGIN - 130
    parts = []
    for place, (ink, name) in enumerate(((GREY, "plain Ice"), (BLUE, "icegil"))):
        left = x + 76 * place
        parts += [f"<rect x='{left}' y='22' width='11' height='11' rx='2' fill='{ink}'/>", _text(left + 16, 32, name)]
    return parts


def _pair(top: float, title: str, result: Result) -> str:
    samples, unit = result.samples, result.figure.unit
    assert samples is not None
    _, ratio, _ = samples.spread(of_ratio=True)
    longest = max(samples.beside, samples.ours)
    better = "more is better" if unit == "/s" else "less is better"
    parts = [
        _text(MARGIN, top + 11, title, size=12),
        _text(MARGIN, top + 25, better, size=10, ink=FAINT),
        _text(WIDTH - MARGIN, top + BAR + 5, f"{TIMES} {ratio:.2f}", size=15, weight=600, anchor="end"),
    ]
    for place, (value, ink) in enumerate(((samples.beside, GREY), (samples.ours, BLUE))):
        y, length = top + place * (BAR + 1), BARS * value / longest
        parts.append(f"<rect x='{LABEL}' y='{y}' width='{length:.1f}' height='{BAR}' rx='2' fill='{ink}'/>")
        parts.append(_text(LABEL + length + 6, y + 10, amount(value, unit), size=10, ink=FAINT))
    return "\n".join(parts)


def _text(
    x: float, y: float, text: str, *, size: int = 12, ink: str = INK, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' fill='{ink}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
