"""The timeline's file is whole and its own process's, whatever the locale, the ending and the children."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from children import PYTHONPATH, python

from icegil.commands.torture.endings import run

GERMAN = Path("/usr/share/i18n/locales/de_DE")

TRAFFIC = """
    from icegil import Ice
    from _echo import communicator, serve, storm

    with communicator() as ice:
        proxy = serve(ice)
        for future in storm(proxy, 200):
            future.result()
    """


def events(path: Path) -> list[dict[str, Any]]:
    """What a timeline has; it fails if that is not JSON, or nothing."""
    read = json.loads(path.read_text())
    found: list[dict[str, Any]] = read["traceEvents"] if isinstance(read, dict) else read
    assert found
    return found


@pytest.mark.skipif(shutil.which("localedef") is None, reason="localedef is not installed")
@pytest.mark.skipif(not GERMAN.exists(), reason="the sources of locales are not installed")
def test_its_numbers_have_points_where_people_write_commas(tmp_path: Path) -> None:
    folder = tmp_path / "locales"
    folder.mkdir()
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], check=True)
    timeline = tmp_path / "timeline.json"
    program = "import locale; locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n" + textwrap.dedent(TRAFFIC)
    ended = python("-c", program, LOCPATH=str(folder), ICEGIL_TRACE=str(timeline))
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert events(timeline)


def test_ctrl_c_leaves_a_whole_one(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    program = textwrap.dedent(TRAFFIC) + "import signal; signal.raise_signal(signal.SIGINT)\n"
    ended = python("-c", program, ICEGIL_TRACE=str(timeline))
    assert ended.status == -signal.SIGINT, ended
    assert events(timeline)


def test_a_child_that_outlives_its_parent_writes_one_of_its_own(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    # The child ends when its parent has gone, whose end of the pipe it then finds closed.
    child = "import os, sys; sys.stdin.read()\n" + textwrap.dedent(TRAFFIC) + "print(os.getpid())\n"
    parent = f"""
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", {child!r}], stdin=subprocess.PIPE)
        print(os.getpid(), flush=True)
        """
    program = textwrap.dedent(TRAFFIC) + textwrap.dedent(parent)
    environment = {"PYTHONPATH": PYTHONPATH, "ICEGIL_TRACE": str(timeline)}
    ended = run([sys.executable, "-W", "ignore", "-c", program], 60, environment)  # until both have closed stdout
    assert (ended.status, ended.stderr) == (0, ""), ended
    parent_id, child_id = map(int, ended.stdout.split())
    assert {event["pid"] for event in events(timeline)} == {parent_id}
    others = [path for path in tmp_path.iterdir() if path != timeline]
    assert [str(child_id) in path.name for path in others] == [True], others
    assert {event["pid"] for event in events(others[0])} == {child_id}
