"""`python -m tools.leaks`: the command line."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import sys
from pathlib import Path

from rich.console import Console

from icegil.commands import screen
from tools.leaks import table
from tools.leaks.children import Effort, Side
from tools.leaks.operation import OPERATIONS
from tools.leaks.results import Measuring

OURS = "tools.leaks.operations"
SHORT = Effort(windows=3, part=0.5)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="leaks",
        description="Measures what each kind of operation keeps, plain and under icegil, on this interpreter.",
        epilog="Exit status: 1 if an operation keeps something under icegil, or fails there.",
        allow_abbrev=False,
    )
    parser.add_argument("--short", action="store_true", help="icegil's side alone, and half the operations: for CI")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, help="operations measured at once (%(default)s)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only operations that have this in their name")
    parser.add_argument("--list", action="store_true", help="name the operations, and measure nothing")
    parser.add_argument("--operations", default=OURS, metavar="MODULE", help="those of this module instead")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there, for docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    importlib.import_module(asked.operations)
    chosen = [each for each in OPERATIONS.values() if asked.only.casefold() in each.name.casefold()]
    if not chosen:
        parser.error(f"no operation has {asked.only!r} in its name")
    if asked.list:
        print("\n".join(each.name for each in chosen))
        return 0
    # A child that crashes is a failed row; its core file is of no use to anybody.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    sides, effort = ((Side.GUARDED,), SHORT) if asked.short else (tuple(Side), Effort())
    with Console(stderr=True).status("") as status:
        results = list(Measuring(asked.operations, sides, effort, asked.j).take(chosen, status.update))
    table.show(results, screen.on(sys.stdout))
    if asked.markdown:
        asked.markdown.write_text(table.markdown(results))
    if asked.json:
        facts = {"versions": table.versions(), "short": asked.short}
        asked.json.write_text(json.dumps({**facts, "results": [each.as_json() for each in results]}, indent=1) + "\n")
    # Other work on a machine can be seen in a figure or two. Half the operations say no more than this.
    return int(any(each.is_bad and not (asked.short and each.is_less_than_a_block) for each in results))


if __name__ == "__main__":
    sys.exit(main())
