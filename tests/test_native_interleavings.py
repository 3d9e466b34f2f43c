"""The compiled gate under every order of the steps of two callback threads and the finalizer; the ring of the timeline
under every order of those of two threads that record and one that reads."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import mutate  # noqa: E402

SOURCE = ROOT / "tests/native/test_interleavings.cpp"
TRACE_SOURCE = ROOT / "tests/native/test_trace_interleavings.cpp"
GATE = "include/icegil/gate.hpp"
TRACE = "include/icegil/trace.hpp"
CXX = os.environ.get("CXX", "g++").split()
FLAGS = ["-std=c++20", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-U_FORTIFY_SOURCE", "-pthread"]

# Some 100,000 orders each. `make interleavings` searches the others too, which have millions.
QUICK = ["one entry", "finalizer inside", "first entries", "nested entries"]

# The mistakes in the gate that are to be seen in what two callbacks and a finalizer do.
BROKEN = [
    "drop the count",
    "drop the look at what was there",
    "a refused thread stays counted",
    "count without wait",
    "drop the wake-up",
    "wake without the mutex",
    "wake before the decrement",
    "close without an exchange",
    "the finalizer waits for itself",
    "the finalizer is refused",
    "nested entries are refused while draining",
]


def compiled(source: Path, include: Path, folder: Path) -> Path:
    if shutil.which(CXX[0]) is None:
        pytest.skip(f"{CXX[0]} is not installed")
    program = folder / source.stem
    command = [*CXX, *FLAGS, f"-I{include}", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return program


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(SOURCE, ROOT / "include", tmp_path_factory.mktemp("interleavings"))


@pytest.mark.parametrize("case", QUICK)
def test_the_gate_keeps_its_promises_in_every_order(program: Path, case: str) -> None:
    done = subprocess.run([program, case], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    orders = int(done.stdout.partition(": ")[2].partition(" ")[0])
    assert orders > 1000, done.stdout


def test_the_timeline_keeps_its_promise_in_every_order(tmp_path: Path) -> None:
    program = compiled(TRACE_SOURCE, ROOT / "include", tmp_path)
    done = subprocess.run([program], capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_gate_is_found_out(name: str, tmp_path: Path) -> None:
    check_found_out(SOURCE, GATE, name, tmp_path)


@pytest.mark.parametrize("name", mutate.MUTANTS[TRACE])
def test_a_broken_timeline_is_found_out(name: str, tmp_path: Path) -> None:
    check_found_out(TRACE_SOURCE, TRACE, name, tmp_path)


def check_found_out(source: Path, broken: str, name: str, folder: Path) -> None:
    shutil.copytree(ROOT / "include", folder / "include")
    (folder / broken).write_text(mutate.mutated(broken, name))
    done = subprocess.run([compiled(source, folder / "include", folder)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 1, done.stdout
    assert ", in this order:\n  thread " in done.stdout
