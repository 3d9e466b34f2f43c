"""Virtual environments in which icegil is installed as by pip, with the packages of the Python that makes them.

Run as a program, it makes one in the folder that it is told, and prints its interpreter.
"""

import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def make(folder: Path) -> str:
    """Makes one; its interpreter. The package itself is that of this tree."""
    venv.EnvBuilder(symlinks=True, clear=True).create(folder)
    for startup in (*(ROOT / "startup").iterdir(), ROOT / "icegil_startup.py"):
        shutil.copy(startup, packages(folder))
    known = [each for each in sys.path if os.path.basename(each) in ("site-packages", "dist-packages")]
    (packages(folder) / "tested.pth").write_text("\n".join([str(ROOT), *known]) + "\n")
    return str(folder / "bin" / "python")


def packages(folder: Path) -> Path:
    """Where the packages of an environment are."""
    return Path(sysconfig.get_path("purelib", "posix_prefix", vars={"base": str(folder)}))


def add_command(folder: Path, name: str, program: str, first_line: str = "") -> Path:
    """Puts a command into an environment, as pip writes those of a package."""
    path = folder / "bin" / name
    path.write_text(f"{first_line or f'#!{folder}/bin/python'}\n{program}")
    path.chmod(0o755)
    return path


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
