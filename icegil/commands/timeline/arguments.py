"""What `icegil timeline` can be told on the command line. Loads nothing more before it is really called."""

import argparse
import math
from typing import Any


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the subcommand."""
    parser = commands.add_parser(
        "timeline",
        help="draw a trace that was recorded with run --trace",
        description="Draws a trace that was recorded with `icegil run --trace`: who was inside a callback when, what "
        "the gate did, and what held the shutdown up. FILE.svg is a picture; FILE.html can be zoomed in a browser.",
        epilog="Exit status: 2 if there is no such trace or the picture cannot be written, else 0.",
        allow_abbrev=False,
    )
    parser.add_argument("trace", metavar="TRACE.json", help="the recorded trace")
    parser.add_argument("-o", dest="output", metavar="FILE", required=True, help="where to, FILE.svg or FILE.html")
    parser.add_argument(
        "--from", dest="begin", metavar="S", type=_seconds, help="draw from this second of the trace on"
    )
    parser.add_argument("--to", dest="end", metavar="S", type=_seconds, help="draw up to this second of the trace")
    parser.set_defaults(parser=parser, command=_timeline)


def _timeline(chosen: argparse.Namespace) -> None:
    from icegil.commands.timeline.command import timeline

    timeline(chosen.trace, chosen.output, chosen.begin, chosen.end)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value
