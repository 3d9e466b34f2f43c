"""Compiles the native parts of the bench, once for each Python and whenever they, or the gate, have changed."""

import os
import shlex
import subprocess
import sysconfig
from ctypes.util import find_library
from pathlib import Path

import icegil
from bench.children import BUILD

SOURCES = Path(__file__).parent / "native"
FLAGS = ["-std=c++17", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-pthread"]


def build() -> None:
    """Builds what is missing or old. CalledProcessError, with the compiler's words on stderr, if it cannot be done."""
    headers = Path(icegil.get_include())
    python = Path(sysconfig.get_path("include"))
    extension = BUILD / ("crossing" + sysconfig.get_config_var("EXT_SUFFIX"))
    _compile("crossing.cpp", extension, ["-shared", "-fPIC", f"-I{python}", *_view(python)], [])
    if Path("/usr/include/Ice/Ice.h").exists() and find_library("Ice++11"):
        _compile("calls.cpp", BUILD / "calls", ["-DICE_CPP11_MAPPING", "-lIce++11"], [])
    _compile("gate.cpp", BUILD / "gate", [f"-I{headers}"], [*headers.glob("icegil/*.hpp")])


def _view(python: Path) -> list[str]:
    """The flag that has PEP 788's functions measured, if this Python declares them."""
    declared = any("PyThreadState_EnsureFromView" in header.read_text() for header in python.rglob("*.h"))
    return ["-DBENCH_HAS_VIEW"] if declared else []


def _compile(source: str, made: Path, flags: list[str], headers: list[Path]) -> None:
    needs = [SOURCES / source, *headers]
    if made.exists() and made.stat().st_mtime > max(need.stat().st_mtime for need in needs):
        return
    made.parent.mkdir(parents=True, exist_ok=True)
    compiler = shlex.split(os.environ.get("CXX", "g++"))
    subprocess.run([*compiler, *FLAGS, str(needs[0]), *flags, "-o", str(made)], check=True)
