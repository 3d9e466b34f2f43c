"""`coverage run`: a client with calls under way ends with its own status, and what it ran is on record.

The figures of plain Ice beside these: `python tests/deployments/test_coverage.py -n 20`.
"""

import importlib.util
import sys
from pathlib import Path

import pytest
from processes import PROGRAMS, Process, Side, check, compare, environment, python

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("coverage") is None, reason="coverage is not there: pip install icegil[deployments]"
)

CLIENT = PROGRAMS / "client.py"


def recorded(side: Side, folder: Path, echo: str) -> str:
    """Runs the client, and reads what was recorded."""
    import coverage

    file = folder / f"coverage-{side.name}"
    file.unlink(missing_ok=True)
    words = [python(), "-m", "coverage", "run", "--data-file", str(file), str(CLIENT)]
    with Process(words, environment(side, ECHO=echo), folder) as client:
        short = client.shortfall(3, r"answered\n")
    data = coverage.CoverageData(str(file))
    data.read()
    last = CLIENT.read_text().count("\n")
    return short or ("" if last in (data.lines(str(CLIENT)) or ()) else f"line {last} is not on record")


DEPLOYMENTS = {"coverage run": recorded}


def test_a_client_ends_with_its_own_status_and_what_it_ran_is_on_record(tmp_path: Path) -> None:
    check(recorded, tmp_path)


if __name__ == "__main__":
    sys.exit(compare(DEPLOYMENTS))
