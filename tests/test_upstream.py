"""docs/upstream.md: its table names each program of docs/upstream, and what it calls cured is."""

import re
from pathlib import Path

import Ice
import pytest
from children import ROOT, python

DOCS = Path(ROOT, "docs")
PAGE = (DOCS / "upstream.md").read_text(encoding="utf-8")
PROGRAMS = sorted((DOCS / "upstream").glob("*.py"))

# The table at the top: the program, and what its row says last.
VERDICTS = dict(re.findall(r"^\| \[(\w+\.py)\]\(upstream/\1\) \|.*\| (cured|not cured) \|$", PAGE, re.MULTILINE))
CURED = [program for program in PROGRAMS if VERDICTS.get(program.name) == "cured"]


def test_the_table_names_each_program_and_no_other() -> None:
    assert list(VERDICTS) == list(dict.fromkeys(VERDICTS))
    assert sorted(VERDICTS) == [program.name for program in PROGRAMS]


def test_links_lead_to_programs() -> None:
    linked = set(re.findall(r"\(upstream/([^)]+)\)", PAGE)) - {""}
    assert linked == {program.name for program in PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_is_short_and_compiles(program: Path) -> None:
    source = program.read_text(encoding="utf-8")
    compile(source, program, "exec")
    assert source.count("\n") < 40
    assert "icegil" not in source


@pytest.mark.parametrize("program", CURED, ids=lambda program: program.stem)
def test_a_program_that_is_called_cured_ends_well(program: Path) -> None:
    source = program.read_text(encoding="utf-8")
    if "Ice 3.8 only" in source and Ice.intVersion() < 30800:
        pytest.skip("needs Ice 3.8")
    if "Async(" in source and not hasattr(Ice, "Future"):
        pytest.skip("Ice 3.6 has no futures")
    ended = python("-m", "icegil", "run", str(program))
    assert not ended.hung, ended.stderr
    assert (ended.status, ended.stderr) == (0, ""), ended
