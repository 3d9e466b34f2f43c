"""An IcePy that icegil does not know: what it is told of, and what it still does. Each is the installed one, edited."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import icegil
from icegil.commands.torture.catalogue import SCENARIOS
from icegil.commands.torture.endings import Ending, run

ROOT = str(Path(icegil.__file__).parents[1])
WITHIN = 60  # seconds

PROGRAM = """
import icegil
Ice = icegil.install()
import _echo
communicator = _echo.communicator()
_echo.serve(communicator, _echo.Echo()).ice_pingAsync().result()
status = icegil.status()
print(status.mode, status.reason)
"""


def installed() -> Path:
    """The file of the IcePy that is installed."""
    found = importlib.util.find_spec("IcePy")
    assert found is not None and found.origin is not None
    return Path(found.origin)


def with_edited(edit: Callable[[bytes], bytes], folder: Path, *words: str) -> Ending:
    """How a Python program ends that finds an edited copy of IcePy in place of the installed one."""
    (folder / installed().name).write_bytes(edit(installed().read_bytes()))
    path = os.pathsep.join(filter(None, [str(folder), str(SCENARIOS), ROOT, os.environ.get("PYTHONPATH")]))
    return run([sys.executable, *words], WITHIN, {"PYTHONPATH": path})


def older(image: bytes) -> bytes:
    """Says that it is of Ice 3.5. Compilers put such a short text into the code, so its end is not to be seen."""
    for minor in (b"3.6.", b"3.7.", b"3.8."):
        image = image.replace(minor, b"3.5.")
    return image


def of_another_build(image: bytes) -> bytes:
    """Takes the GIL by another function of CPython, which does the same but for its name."""
    assert b"\0PyEval_RestoreThread\0" in image
    return image.replace(b"\0PyEval_RestoreThread\0", b"\0PyEval_AcquireThread\0")


def without_section_headers(image: bytes) -> bytes:
    """As `sstrip` leaves it: the loader has all that it needs, and nobody else."""
    offset, counts = slice(0x28, 0x30), slice(0x3C, 0x40)
    edited = bytearray(image)
    edited[offset], edited[counts] = bytes(8), bytes(4)
    return bytes(edited)


def stripped(image: bytes) -> bytes:
    """As distributions ship it."""
    done = subprocess.run(
        ["sh", "-c", 'f=$(mktemp) && cat >"$f" && strip "$f" && cat "$f"; rm -f "$f"'],
        input=image,
        capture_output=True,
        check=True,
    )
    assert len(done.stdout) <= len(image)
    return done.stdout


def test_one_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    ending = with_edited(older, tmp_path, "-c", "import icegil; icegil.install()")
    assert ending.status == 1
    assert "icegil.errors.UnsupportedIce: zeroc-ice 3.5." in ending.stderr
    assert "is installed; icegil needs 3.6.5 or 3.7.8, or later: pip install -U zeroc-ice" in ending.stderr


def test_one_that_is_too_old_ends_icegil_run_with_one_line(tmp_path: Path) -> None:
    ending = with_edited(older, tmp_path, "-m", "icegil", "run", "-c", "print('not reached')")
    assert (ending.status, ending.stdout, ending.stderr.count("\n")) == (1, "", 1)
    assert ending.stderr.startswith("icegil: zeroc-ice 3.5.")


def test_one_without_an_import_that_the_guard_needs_is_torn_down_and_says_why(tmp_path: Path) -> None:
    ending = with_edited(of_another_build, tmp_path, "-W", "ignore::ResourceWarning", "-c", PROGRAM)
    reason = f"PyEval_RestoreThread in {tmp_path / installed().name} cannot be redirected: it is not imported"
    assert ending.status == 0
    assert ending.stdout == f"teardown {reason}\n"
    assert ending.stderr == f"no guard: {reason}; communicators are still destroyed at exit\n"


def test_the_guard_alone_is_refused_where_it_cannot_be(tmp_path: Path) -> None:
    ending = with_edited(of_another_build, tmp_path, "-c", "import icegil; icegil.install(mode='guard')")
    assert ending.status == 1
    assert "icegil.errors.GuardUnavailable: PyEval_RestoreThread in " in ending.stderr
    assert "cannot be redirected: it is not imported" in ending.stderr


@pytest.mark.parametrize("edit", [stripped, without_section_headers], ids=lambda edit: edit.__name__)
def test_what_a_build_need_not_have_the_guard_does_not_need(edit: Callable[[bytes], bytes], tmp_path: Path) -> None:
    ending = with_edited(edit, tmp_path, "-W", "ignore::ResourceWarning", "-c", PROGRAM)
    assert (ending.status, ending.stdout, ending.stderr) == (0, "guard \n", "")
