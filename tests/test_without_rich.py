"""icegil where rich is not installed: it needs nothing but zeroc-ice, and each command says the same in plain lines."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from children import python
from terminal import ICEGIL, in_pipe, in_terminal

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def no_rich(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes that cannot import rich."""
    folder = tmp_path_factory.mktemp("no-rich")
    (folder / "rich.py").write_text("raise ModuleNotFoundError('No module named rich', name='rich')\n")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}


def test_zeroc_ice_is_all_that_is_installed_beside_it() -> None:
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert re.findall(r'^    "([\w-]+)', listed[1], re.MULTILINE) == ["zeroc-ice"]


def test_one_module_asks_for_rich() -> None:
    asks = re.compile(r"^\s*(import|from) rich\b", re.MULTILINE)
    asking = [path for path in (ROOT / "icegil").rglob("*.py") if asks.search(path.read_text())]
    assert [path.name for path in asking] == ["rich_screen.py"]


def test_a_program_loads_none_of_it() -> None:
    code = "import sys; from icegil import Ice; Ice.initialize().destroy(); print('rich' in sys.modules)"
    assert python("-c", code).stdout == "False\n"


def test_doctor_says_it_in_plain_lines(no_rich: dict[str, str]) -> None:
    for seen in (in_pipe("doctor", **no_rich), in_terminal("doctor", **no_rich)):
        assert seen.status == 0
        assert "\x1b" not in seen.stdout
        assert seen.text.startswith("icegil ")
        assert "guards Ice here, and it works." in seen.text
        assert re.search(r"^mode +guard$", seen.text, re.MULTILINE)
        assert re.search(r"^IcePy\S+ +PyGILState_Ensure +yes ", seen.text, re.MULTILINE)


def test_a_pipe_gets_the_same_with_rich_and_without(no_rich: dict[str, str]) -> None:
    assert in_pipe("torture", "--list").stdout == in_pipe("torture", "--list", **no_rich).stdout


def test_doctor_says_it_in_json(no_rich: dict[str, str]) -> None:
    assert json.loads(in_pipe("doctor", "--json", **no_rich).stdout)["healthy"]


def test_torture_shows_progress_in_lines_and_its_table(no_rich: dict[str, str]) -> None:
    seen = in_terminal("torture", "-n1", "--guarded", "never_destroyed", **no_rich)
    assert seen.status == 0
    assert "\x1b" not in seen.stdout
    assert re.search(r"^1/1 runs, icegil 1/1 ok", seen.text, re.MULTILINE)
    assert re.search(r"^never_destroyed  1/1 ok$", seen.text, re.MULTILINE)


def test_a_program_is_run_reported_on_and_drawn(no_rich: dict[str, str], tmp_path: Path) -> None:
    trace, drawn = tmp_path / "trace.json", tmp_path / "drawn.svg"
    code = "import Ice; Ice.initialize(); raise SystemExit(3)"
    ran = in_pipe("run", "--report", "--trace", str(trace), "-c", code, **no_rich)
    assert ran.status == 3
    assert "1 communicator made" in ran.stderr
    assert in_pipe("timeline", str(trace), "-o", str(drawn), **no_rich).status == 0
    assert drawn.read_text().startswith("<")


def test_version_is_said(no_rich: dict[str, str]) -> None:
    assert in_pipe("--version", **no_rich) == in_pipe("--version")


@pytest.mark.parametrize("has_rich", [True, False])
def test_who_stops_reading_sees_no_traceback(no_rich: dict[str, str], has_rich: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    more = {} if has_rich else no_rich
    words = [*ICEGIL, "torture", "--list"]
    with os.fdopen(writer, "wb") as nobody:
        done = subprocess.run(
            words, stdout=nobody, stderr=subprocess.PIPE, text=True, env=os.environ | more, timeout=60
        )
    assert (done.returncode, done.stderr) == (1, "")
