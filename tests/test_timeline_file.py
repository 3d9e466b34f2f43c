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


def test_a_child_that_records_into_another_file_has_that_ones_name(tmp_path: Path) -> None:
    timeline, childs = tmp_path / "timeline.json", tmp_path / "child.json"
    child = [sys.executable, "-m", "icegil", "run", "--trace", str(childs), "-c", textwrap.dedent(TRAFFIC)]
    program = textwrap.dedent(TRAFFIC) + f"import subprocess; subprocess.run({child!r}, check=True)\n"
    ended = python("-m", "icegil", "run", "--trace", str(timeline), "-c", program)
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert {path.name for path in tmp_path.iterdir()} == {"timeline.json", "child.json"}
    assert events(timeline)[0]["pid"] != events(childs)[0]["pid"]


def test_a_process_that_executes_itself_keeps_its_file(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    again = [sys.executable, "-c", "print('again')\n" + textwrap.dedent(TRAFFIC)]
    program = textwrap.dedent(TRAFFIC) + f"import os; os.execv({sys.executable!r}, {again!r})\n"
    ended = python("-c", program, ICEGIL_TRACE=str(timeline))
    assert (ended.status, ended.stdout, ended.stderr) == (0, "again\n", ""), ended
    assert list(tmp_path.iterdir()) == [timeline]
    assert "sealed" in {event["name"] for event in events(timeline)}


def test_one_that_nobody_had_time_to_write_is_whole_too(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    ended = python("-c", textwrap.dedent(TRAFFIC) + "import os; os._exit(3)\n", ICEGIL_TRACE=str(timeline))
    assert (ended.status, ended.stderr) == (3, ""), ended
    assert list(tmp_path.iterdir()) == [timeline] and events(timeline)


def test_a_link_to_it_stays_one_and_the_place_that_it_leads_to_is_written(tmp_path: Path) -> None:
    link, timeline = tmp_path / "link.json", tmp_path / "timeline.json"
    link.symlink_to(timeline)
    ended = python("-c", textwrap.dedent(TRAFFIC), ICEGIL_TRACE=str(link))
    assert (ended.status, ended.stderr) == (0, ""), ended
    assert link.is_symlink() and events(timeline)


def test_a_disk_that_is_full_at_the_end_is_said_once_and_leaves_what_was_there(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    ended = python("-c", textwrap.dedent(TRAFFIC) + limit, ICEGIL_TRACE=str(timeline))
    assert ended.status == 0
    assert ended.stderr == f"icegil: the timeline cannot be written to {timeline}: File too large\n"
    assert list(tmp_path.iterdir()) == [timeline] and events(timeline)
