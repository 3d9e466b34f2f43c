"""The pages that a newcomer reads: each program that they show runs as it stands there."""

import re
from pathlib import Path

import Ice
import pytest
from children import ROOT, python

DOCS = Path(ROOT, "docs")
TRIED = ("start.md", "asyncio.md", "testing.md")

# A program or a file of tests, and above it, where it does not run on all versions, the oldest Ice that it runs on.
SAMPLE = re.compile(r"(?:<!-- needs Ice (\d)\.(\d) -->\n)?```python\n(.*?)```", re.DOTALL)
PLAIN = re.compile(r"^import Ice$", re.MULTILINE)


def samples() -> list[object]:
    found = []
    for page in TRIED:
        for number, sample in enumerate(SAMPLE.finditer((DOCS / page).read_text(encoding="utf-8")), 1):
            major, minor, program = sample.groups()
            oldest = int(major) * 10000 + int(minor) * 100 if major else 0
            found.append(pytest.param(program, oldest, id=f"{page}-{number}"))
    return found


@pytest.mark.parametrize(("program", "oldest"), samples())
def test_a_program_on_a_page_runs_as_it_stands_there(program: str, oldest: int, tmp_path: Path) -> None:
    if Ice.intVersion() < oldest:
        pytest.skip(f"needs Ice {oldest // 10000}.{oldest // 100 % 100}")
    is_suite = "\ndef test_" in program or "\nasync def test_" in program
    file = tmp_path / ("test_page.py" if is_suite else "page.py")
    file.write_text(program, encoding="utf-8")
    if is_suite:
        words = ["pytest", "-q", "-p", "no:cacheprovider", "-p", "icegil.pytest_plugin", f"--rootdir={tmp_path}"]
        if "asyncio" in program:
            pytest.importorskip("pytest_asyncio")
            words += ["-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"]
        ended = python("-m", *words, str(file), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    else:
        runner = ["-m", "icegil", "run"] if PLAIN.search(program) else []
        ended = python(*runner, str(file))
    assert (ended.status, ended.stderr) == (0, ""), ended


def test_no_program_on_these_pages_is_left_out() -> None:
    pages = [(DOCS / page).read_text(encoding="utf-8") for page in TRIED]
    assert len(samples()) == sum(page.count("```python") for page in pages)
