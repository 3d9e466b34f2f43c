"""`coverage run`: a client with calls under way ends with its own status, and what it ran is on record.

The figures of plain Ice beside these: `python tests/deployments/test_coverage.py -n 20`.
"""

import sys
from pathlib import Path

from deployment import PROGRAMS, Process, Runs, Side, check, compare, fixture, python
from echo import beside_echo, judged, missing

MISSING = missing("coverage")

CLIENT = PROGRAMS / "client.py"


def recorded(side: Side, folder: Path, echo: str) -> str:
    """Runs the client, and reads what was recorded."""
    import coverage

    file = folder / f"coverage-{side.name}"
    file.unlink(missing_ok=True)
    words = [python(), "-m", "coverage", "run", "--data-file", str(file), str(CLIENT)]
    with Process(folder, words, side, ECHO=echo) as client:
        short = judged(client, 3, r"answered\n")
    data = coverage.CoverageData(str(file))
    data.read()
    last = CLIENT.read_text().count("\n")
    return short or ("" if last in (data.lines(str(CLIENT)) or ()) else f"line {last} is not on record")


deployed = beside_echo({"coverage run": recorded})
runs = fixture(deployed, MISSING)


def test_a_client_ends_with_its_own_status_and_what_it_ran_is_on_record(runs: Runs) -> None:
    check(runs["coverage run"])


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING))
