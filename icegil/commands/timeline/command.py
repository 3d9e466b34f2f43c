"""The `icegil timeline` command: from a trace file to a picture of it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from icegil.commands.timeline.drawing import svg
from icegil.commands.timeline.page import html
from icegil.commands.timeline.reading import NotATrace, read
from icegil.commands.timeline.time_axis import Window, moment
from icegil.commands.timeline.trace import Trace

FORMATS: dict[str, Callable[[Trace, Window | None], str]] = {".svg": svg, ".html": html}


def timeline(source: str, target: str, begin: float | None, end: float | None) -> None:
    """Draws the trace in file `source` into file `target`, from second `begin` to second `end`. Or SystemExit(2)."""
    draw = FORMATS.get(Path(target).suffix.lower())
    if draw is None:
        _fail(f"{target}: what to draw is told by the end of the name; give it .svg or .html")
    try:
        trace = read(Path(source))
    except OSError as error:
        _fail(f"{source}: {error.strerror}; a trace is recorded with `icegil run --trace FILE`")
    except NotATrace as error:
        _fail(f"{source}: {error}; a trace is recorded with `icegil run --trace FILE`")
    picture = draw(trace, _window(trace, begin, end))
    try:
        Path(target).write_text(picture, encoding="utf-8")
    except OSError as error:
        _fail(f"{target}: {error.strerror}; choose another place with -o")


def _window(trace: Trace, begin: float | None, end: float | None) -> Window | None:
    """None if the command line asked for no part of the trace."""
    if begin is None and end is None:
        return None
    first = trace.begin if begin is None else begin * 1e6
    last = trace.end if end is None else end * 1e6
    if max(first, trace.begin) >= min(last, trace.end):
        _fail(
            f"nothing to draw from {moment(first)} to {moment(last)}; the trace goes from {moment(trace.begin)} to "
            f"{moment(trace.end)}, and --from and --to are in seconds"
        )
    return Window(max(first, trace.begin), min(last, trace.end))


def _fail(message: str) -> NoReturn:
    print(f"icegil timeline: {message}", file=sys.stderr)
    sys.exit(2)
