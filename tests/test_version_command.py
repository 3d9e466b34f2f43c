"""`icegil --version`: one line that says which icegil, Python and Ice these are, whatever the Ice."""

import os
import platform
from pathlib import Path

import Ice
import pytest
from terminal import Seen, in_pipe

import icegil

PYTHON = f"{platform.python_implementation()} {platform.python_version()}"


def test_it_says_all_three_in_a_line() -> None:
    line = f"icegil {icegil.__version__}, {PYTHON}, zeroc-ice {Ice.stringVersion()}\n"
    assert in_pipe("--version") == Seen(0, line, "")


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("raise ModuleNotFoundError('no Ice', name='Ice')", "zeroc-ice is not installed"),
        ("raise ModuleNotFoundError('no IcePy', name='IcePy')", "zeroc-ice cannot be imported: no IcePy"),
        ("raise ImportError('libIce.so:\\n no such file')", "zeroc-ice cannot be imported: libIce.so: no such file"),
        ("def stringVersion(): return '3.6.5'", "zeroc-ice 3.6.5"),
    ],
)
def test_an_ice_that_cannot_be_used_is_no_error(tmp_path: Path, module: str, said: str) -> None:
    (tmp_path / "Ice.py").write_text(module)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    assert in_pipe("--version", PYTHONPATH=path) == Seen(0, f"icegil {icegil.__version__}, {PYTHON}, {said}\n", "")


def test_what_is_installed_and_what_it_says_of_itself_are_the_same() -> None:
    project = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'\nversion = "{icegil.__version__}"\n' in project
