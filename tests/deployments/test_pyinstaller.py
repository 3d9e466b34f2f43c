"""PyInstaller: programs that it has frozen find what IcePy looks up by name, and end well with icegil inside.

In a frozen program no environment variable puts icegil in place: its first line does.
The figures of plain Ice beside these: `python tests/deployments/test_pyinstaller.py -n 20`.
"""

import functools
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from processes import PROGRAMS, ROOT, WITHIN, Process, Side, check, compare, environment, packages, python

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("PyInstaller") is None, reason="PyInstaller is not there: pip install icegil[deployments]"
)

SOURCES = {
    Side.PLAIN: (PROGRAMS / "looks_up.py").read_text(),
    Side.GUARDED: (PROGRAMS / "looks_up.py").read_text().replace("import Ice\n", "from icegil import Ice\n"),
}
PRINTED = r"answered [^\n]*\n"


@functools.cache
def freeze(side: Side, folder: Path) -> str:
    """Has PyInstaller freeze the program, with the hooks of an icegil that is installed; the path of what it made."""
    # PyInstaller finds them by what is on record of installed packages.
    record = [python(), "setup.py", "-q", "egg_info", "--egg-base", str(packages())]
    subprocess.run(record, cwd=ROOT, check=True, timeout=10 * WITHIN)
    source = folder / f"{side.name.lower()}.py"
    source.write_text(SOURCES[side])
    words = ["--noconfirm", "--log-level", "ERROR", "--distpath", "dist", "--workpath", "build", str(source)]
    freezing = subprocess.run(
        [python(), "-m", "PyInstaller", *words],
        cwd=folder,
        env=environment(Side.PLAIN, PYINSTALLER_CONFIG_DIR=str(folder / "cache")),
        capture_output=True,
        text=True,
        timeout=10 * WITHIN,
    )
    assert freezing.returncode == 0, freezing.stderr
    return str(folder / "dist" / source.stem / source.stem)


def frozen(side: Side, folder: Path, echo: str) -> str:
    """Runs the frozen program."""
    with Process([freeze(side, folder)], environment(Side.PLAIN), folder) as running:
        return running.shortfall(3, PRINTED)


DEPLOYMENTS = {"PyInstaller": frozen}


def test_a_frozen_program_ends_with_its_own_status_in_silence(tmp_path: Path) -> None:
    check(frozen, tmp_path)


def test_icepy_finds_in_a_frozen_program_what_it_looks_up_by_name(tmp_path: Path) -> None:
    with Process([freeze(Side.PLAIN, tmp_path)], environment(Side.PLAIN), tmp_path) as running:
        running.shortfall(3, PRINTED)  # how it ends, without icegil, is another matter
        assert running.output.startswith("answered 127.0.0.1 [1] True True "), running.output


if __name__ == "__main__":
    sys.exit(compare(DEPLOYMENTS))
