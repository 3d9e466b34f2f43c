"""`icegil doctor`: what it says of an installation that works, and of each one that does not."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import Ice
import pytest
from terminal import in_pipe, in_terminal


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    seen = in_pipe("doctor", "--json", ICEGIL_DRAIN_TIMEOUT="2.5")
    assert seen.status == 0, seen.stdout + seen.stderr
    return json.loads(seen.stdout)


def test_json_tells_what_is_in_place(found) -> None:
    assert found["healthy"]
    assert found["mode"] == "guard"
    assert found["ice"] == Ice.stringVersion()
    assert Path(found["icepy"]).exists()
    assert all(Path(library).exists() for library in found["ice_runtime"])
    assert found["self_test"] == "passed"
    assert found["problems"] == []


def test_each_import_is_in_place_or_not_there(found) -> None:
    assert {each["state"] for each in found["imports"]} == {"in place", "it is not imported"}
    needed = {each["name"] for each in found["imports"] if each["needed"]}
    assert {"PyGILState_Ensure", "PyGILState_Release", "PyEval_RestoreThread"} <= needed
    assert all(each["writable_now"] == each["writable_before"] for each in found["imports"])


def test_settings_say_where_they_came_from(found) -> None:
    assert found["settings"] == {
        "mode": {"value": "auto", "source": "default"},
        "drain_timeout": {"value": 2.5, "source": "environment"},
        "without": {"value": [], "source": "default"},
    }
    called = json.loads(in_pipe("run", "--drain-timeout", "3", "-m", "icegil", "doctor", "--json").stdout)
    assert called["settings"]["drain_timeout"] == {"value": 3.0, "source": "call"}


def test_a_pipe_gets_plain_lines() -> None:
    seen = in_pipe("doctor")
    assert seen.status == 0
    assert "\x1b" not in seen.stdout
    assert seen.stdout.startswith("icegil ")
    assert "guards Ice here, and it works." in seen.stdout
    assert re.search(r"^IcePy\S+ +PyGILState_Ensure +yes ", seen.stdout, re.MULTILINE)
    assert seen.stderr == ""


def test_a_terminal_gets_frames() -> None:
    seen = in_terminal("doctor")
    assert seen.status == 0
    assert re.search(r"│ mode +│ guard +│", seen.text)
    assert "│ PyEval_RestoreThread" in seen.text


def test_without_a_guard_it_ends_in_1_and_says_why() -> None:
    seen = in_pipe("doctor", ICEGIL_MODE="teardown")
    assert seen.status == 1
    assert "! there is no guard: the mode 'teardown' was asked for" in seen.stdout
    assert "teardown (the environment's ICEGIL_MODE)" in seen.stdout


def test_a_setting_that_makes_no_sense_is_named() -> None:
    seen = in_pipe("doctor", ICEGIL_MODE="strict")
    assert seen.status == 1
    assert "! ICEGIL_MODE must be one of auto, guard, teardown, not 'strict'" in seen.stdout
    assert seen.stderr == ""


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("raise ModuleNotFoundError('no Ice', name='Ice')", "zeroc-ice is not installed for this interpreter"),
        ("raise ImportError('libIce.so.37: no such file')", "Ice cannot be imported: libIce.so.37: no such file"),
        ("def stringVersion(): return '3.5.1'", "zeroc-ice 3.5.1 is installed; icegil needs 3.6.5 or 3.7.8, or later"),
        ("def stringVersion(): return '3.9.0'", "has no IcePy.Communicator: not a build known here"),
    ],
)
def test_an_ice_that_cannot_be_used_is_plainly_said(tmp_path: Path, module: str, problem: str) -> None:
    (tmp_path / "Ice.py").write_text(module)
    seen = in_pipe("doctor", PYTHONPATH=os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])))
    assert seen.status == 1
    assert problem in seen.stdout
    assert seen.stderr == ""


def test_a_self_test_that_fails_is_shown_with_what_it_wrote() -> None:
    seen = in_pipe("doctor", PYTHONWARNINGS="always::ResourceWarning")
    assert seen.status == 1
    assert "! the self-test failed: unasked on stderr" in seen.stdout
    assert "What the self-test wrote on stderr:" in seen.stdout
    assert "was never destroyed by the program" in seen.stdout


def diagnosed(code: str, **environment: str) -> dict[str, object]:
    """What the doctor finds in a process in which this code ran first."""
    code += "\nimport json, dataclasses; from icegil.commands.diagnosis import diagnose"
    code += "\nprint(json.dumps(dataclasses.asdict(diagnose())))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SLOT = """
import ctypes, icegil, mmap
from icegil import redirects
icegil.install()
each = next(redirect for _, redirect in redirects.known() if redirect.name == "PyEval_RestoreThread")
slot = each.slots[0][0]
protect = lambda rights: ctypes.CDLL(None).mprotect(ctypes.c_void_p(slot & -mmap.PAGESIZE), mmap.PAGESIZE, rights)
other = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p).value
"""
TAKE = "protect(mmap.PROT_READ | mmap.PROT_WRITE); ctypes.c_size_t.from_address(slot).value = other"


def test_another_tool_on_a_slot_is_named() -> None:
    found = diagnosed(f"{SLOT}\n{TAKE}")
    taken = next(each for each in found["imports"] if each["name"] == "PyEval_RestoreThread")
    assert re.fullmatch(r"taken by .*/libc\b.*", taken["state"])
    assert any("PyEval_RestoreThread" in problem for problem in found["problems"])


def test_a_tool_that_was_there_first_is_named() -> None:
    found = diagnosed(f"{SLOT}\nicegil.uninstall()\n{TAKE}")
    ours = next(each for each in found["imports"] if each["name"] == "PyEval_RestoreThread")
    assert ours["state"] == "in place"
    assert "libc" in ours["was_redirected_by"][0]
    assert any("had redirected PyEval_RestoreThread" in problem for problem in found["problems"])


def test_pages_that_were_read_only_are_read_only_again() -> None:
    # Bound at once, or the loader would write there by itself.
    found = diagnosed(f"{SLOT}\nicegil.uninstall()\nassert protect(mmap.PROT_READ) == 0", LD_BIND_NOW="1")
    each = next(each for each in found["imports"] if each["name"] == "PyEval_RestoreThread")
    assert (each["state"], each["writable_before"], each["writable_now"]) == ("in place", 0, 0)
    assert not found["problems"]
