"""What the native tests share: compiling with a sanitizer, and running what came of it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CXX = os.environ.get("CXX", "g++").split()
FLAGS = ["-std=c++17", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-pthread", f"-I{ROOT / 'include'}"]

SANITIZERS = {
    "plain": [],
    "thread": ["-fsanitize=thread"],
    "address-undefined": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
}
# The first report of a sanitizer fails the case.
ENVIRONMENT = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_stack_use_after_return=1"}
# An address space laid out too much at random for an older ThreadSanitizer, which then stops before main().
WITHOUT_RANDOM_ADDRESSES = ["setarch", "-R"]
TOO_RANDOM = "unexpected memory mapping"


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120)


def launcher_for(sanitizer: str, folder: Path) -> list[str]:
    """What to put before a sanitized program; skips the test where the sanitizer does not work at all."""
    if shutil.which(CXX[0]) is None:
        pytest.skip(f"{CXX[0]} is not installed")
    source, program = folder / "empty.cpp", folder / "empty"
    source.write_text("int main() {}\n")
    command = [*CXX, *SANITIZERS[sanitizer], str(source), "-o", str(program)]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode != 0:
        pytest.skip(f"{CXX[0]} has no runtime for the {sanitizer} sanitizer: {built.stderr.strip()[-300:]}")
    done = run(str(program))
    if TOO_RANDOM in done.stderr and shutil.which("setarch"):
        done = run(*WITHOUT_RANDOM_ADDRESSES, str(program))
        if done.returncode == 0:
            return WITHOUT_RANDOM_ADDRESSES
    if done.returncode != 0:
        pytest.skip(f"the {sanitizer} sanitizer does not run here: {done.stderr.strip()[-300:]}")
    return []


def compile_with(sanitizer: str, source: Path, folder: Path) -> Path:
    """The program that comes of a source."""
    program = folder / source.stem
    command = [*CXX, *FLAGS, *SANITIZERS[sanitizer], str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return program
