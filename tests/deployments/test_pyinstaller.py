"""PyInstaller: programs that it has frozen find what IcePy looks up by name, and end well with icegil inside.

In a frozen program no environment variable puts icegil in place: its first line does.
The figures of plain Ice beside these: `python tests/deployments/test_pyinstaller.py -n 20`.
"""

import functools
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import PROGRAMS, ROOT, WITHIN, Process, Runs, Side, check, compare, environment, fixture, python
from echo import beside_echo, judged, missing

MISSING = missing("PyInstaller")

SOURCES = {
    Side.PLAIN: (PROGRAMS / "looks_up.py").read_text(),
    Side.GUARDED: (PROGRAMS / "looks_up.py").read_text().replace("import Ice\n", "from icegil import Ice\n"),
}
PRINTED = r"answered [^\n]*\n"


@functools.cache
def place() -> Path:
    """Where programs are frozen, for as long as this process lives. PyInstaller finds hooks by what is on record."""
    folder = Path(python()).parents[1] / "frozen"
    folder.mkdir()
    record = [python(), "setup.py", "-q", "egg_info", "--egg-base", str(folder)]
    subprocess.run(record, cwd=ROOT, check=True, timeout=10 * WITHIN)
    return folder


@functools.cache
def freeze(side: Side) -> str:
    """Has PyInstaller freeze the program; the path of what it made."""
    source = place() / f"{side.name.lower()}.py"
    source.write_text(SOURCES[side])
    words = ["--noconfirm", "--log-level", "ERROR", "--distpath", "dist", "--workpath", "build", str(source)]
    freezing = subprocess.run(
        [python(), "-m", "PyInstaller", *words],
        cwd=place(),
        env=environment(Side.PLAIN, PYTHONPATH=str(place()), PYINSTALLER_CONFIG_DIR=str(place() / "cache")),
        capture_output=True,
        text=True,
        timeout=10 * WITHIN,
    )
    assert freezing.returncode == 0, freezing.stderr
    return str(place() / "dist" / source.stem / source.stem)


def frozen(side: Side, folder: Path, echo: str) -> str:
    """Runs the frozen program."""
    with Process(folder, [freeze(side)], Side.PLAIN) as running:
        return judged(running, 3, PRINTED)


deployed = beside_echo({"PyInstaller": frozen})
runs = fixture(deployed, MISSING)


def test_a_frozen_program_ends_with_its_own_status_in_silence(runs: Runs) -> None:
    check(runs["PyInstaller"])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_icepy_finds_in_a_frozen_program_what_it_looks_up_by_name(tmp_path: Path) -> None:
    with Process(tmp_path, [freeze(Side.PLAIN)], Side.PLAIN) as running:
        output = running.wait().stdout  # how it ends, without icegil, is another matter
    assert output.startswith("answered 127.0.0.1 [1] True True "), output


if __name__ == "__main__":
    sys.exit(compare(deployed, MISSING))
