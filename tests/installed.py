"""Virtual environments in which icegil is installed as by pip, with the packages of the one that runs the tests."""

import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import icegil

ROOT = Path(icegil.__file__).parents[1]


def make(folder: Path) -> str:
    """Makes one; its Python. The package itself is the one that is being tested, wherever that lies."""
    venv.EnvBuilder(symlinks=True).create(folder)
    packages = Path(sysconfig.get_path("purelib", "posix_prefix", vars={"base": str(folder)}))
    for startup in (ROOT / "startup").iterdir():
        shutil.copy(startup, packages)
    shutil.copy(ROOT / "icegil_startup.py", packages)
    known = [each for each in sys.path if os.path.basename(each) in ("site-packages", "dist-packages")]
    (packages / "tested.pth").write_text("\n".join([str(ROOT), *known]) + "\n")
    return str(folder / "bin" / "python")


def add_command(folder: Path, name: str, program: str, first_line: str = "") -> Path:
    """Puts a command into the environment in `folder`, as pip writes those of a package."""
    path = folder / "bin" / name
    path.write_text(f"{first_line or f'#!{folder}/bin/python'}\n{program}")
    path.chmod(0o755)
    return path
