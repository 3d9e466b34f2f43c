"""`python -m bench`: measures, and says what came of it."""

import argparse
import json
import resource
import sys
from pathlib import Path

from rich.console import Console

from bench import machine, native, picture, table
from bench.catalogue import ROWS
from bench.results import Result, take
from bench.samples import FAILED, MISSED

PIPE_COLUMNS = 200  # what the widest row needs: where there is no terminal, none is folded


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measures icegil beside plain Ice: every figure a ratio, the two run by turns in fresh processes.",
        allow_abbrev=False,
    )
    parser.add_argument("-n", "--runs", type=int, default=9, metavar="N", help="pairs of runs of each row (9)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls: for a look, not for a verdict")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=[row.name for row in ROWS], help="these rows alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all pairs there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a picture there")
    chosen = parser.parse_args()
    if chosen.runs < 1:
        parser.error("at least one run is needed")
    # A program that crashes is a failed row; its core file is of no use to anybody.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)
    rows = [row for row in ROWS if chosen.only is None or row.name in chosen.only]
    native.build()
    where = machine.describe()
    results: list[Result] = []
    with console.status("") as status:
        for result in take(rows, chosen.runs, chosen.quick, status.update):
            results.append(result)
    table.show(results, where, console)
    if chosen.json:
        facts = {"machine": where, "runs": chosen.runs, "quick": chosen.quick}
        chosen.json.write_text(json.dumps({**facts, "results": [each.as_json() for each in results]}, indent=1) + "\n")
    if chosen.svg:
        chosen.svg.write_text(picture.draw(results, where))
    return 1 if any(result.verdict in (MISSED, FAILED) for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
