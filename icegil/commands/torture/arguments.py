"""What `icegil torture` can be told on the command line. Loads nothing more before it is really called."""

import argparse
import os
from typing import Any


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the subcommand."""
    parser = commands.add_parser(
        "torture",
        help="run the shutdown scenarios, plain and guarded, and show how they end",
        description="Runs each scenario many times in child processes, by Python alone and by `icegil run`, and shows "
        "how they end. Ctrl-C stops it and shows what there is.",
        epilog="Exit status: 1 if a guarded run did not end as its scenario says, else 0; 130 after Ctrl-C.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "-n", dest="runs", metavar="N", type=_count, default=5, help="runs of each scenario on each side (%(default)s)"
    )
    sides = parser.add_mutually_exclusive_group()
    for flag, names, text in (
        ("--stock", ["plain"], "plain runs only"),
        ("--guarded", ["icegil"], "guarded runs only"),
        ("--both", ["plain", "icegil"], "plain and guarded runs (the default)"),
    ):
        sides.add_argument(flag, dest="sides", action="store_const", const=names, help=text)
    parser.add_argument(
        "-j",
        dest="at_once",
        metavar="J",
        type=_count,
        default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        help="child processes at once (as many as there are processors)",
    )
    parser.add_argument(
        "--times",
        metavar="T",
        type=_count,
        default=1,
        help="give each scenario T times the time that it names: on an emulated processor, say (%(default)s)",
    )
    parser.add_argument("--json", metavar="FILE", help="write all results to FILE, each run's status, seconds, verdict")
    parser.add_argument("--junit", metavar="FILE", help="write the results to FILE as JUnit XML")
    parser.add_argument("--svg", metavar="FILE", help="write the results to FILE as a picture, a heat map")
    parser.add_argument("--list", action="store_true", help="list the scenarios and run none")
    parser.add_argument("scenarios", metavar="SCENARIO", nargs="*", help="names of scenarios (all of them)")
    parser.set_defaults(command=lambda chosen: _torture(parser, chosen), sides=["plain", "icegil"])


def _torture(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    from icegil.commands.torture.command import torture

    torture(parser, chosen)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return number
