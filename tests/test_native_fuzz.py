"""Damaged ELF files and the reader of relocations: a short run of what `make fuzz` does at length."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import fuzz  # noqa: E402

RUNS = {"mutator": 20_000, "libfuzzer": 20_000}


def run(driver: str, folder: Path, include: Path = ROOT / "include") -> "subprocess.CompletedProcess[str]":
    if why := fuzz.missing(driver):
        pytest.skip(why)
    harness, seeds = fuzz.prepare(driver, folder, include)
    words = fuzz.command(driver, harness, seeds, seed=1, runs=RUNS[driver])
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("driver", RUNS)
def test_damaged_files_are_told_and_never_followed(driver: str, tmp_path: Path) -> None:
    done = run(driver, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr[-5000:]
    if driver == "mutator":
        _, damaged, with_slots = map(int, re.findall(r"\d+", done.stdout))
        assert min(damaged, with_slots) > RUNS[driver] / 20, "the inputs are too broken, or not enough"


BROKEN = {
    "a table that is taken at its word": (
        "if (pointer != 0 && object_.holds(begin, size))",
        "if (pointer != 0 && (begin != pointer || object_.holds(begin, size)))",
    ),
    "a symbol that is taken at its word": ("if (object_.holds(at, sizeof(T))) {", "if (true) {"),
    "a name that is taken at its word": (
        "if (offset >= size) damaged_ = true;\n        return offset < size &&",
        "return",
    ),
    "a slot that is taken at its word": ("if (!object_.holds(address, sizeof(void*))) damaged_ = true;", ""),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_the_harness_notices(mistake: str, tmp_path: Path) -> None:
    before, after = BROKEN[mistake]
    shutil.copytree(ROOT / "include", tmp_path / "include")
    header = tmp_path / "include/icegil/loaded_object.hpp"
    source = header.read_text()
    assert source.count(before) == 1
    header.write_text(source.replace(before, after))
    done = run("mutator", tmp_path, tmp_path / "include")
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr or "broken promise" in done.stderr
    assert (tmp_path / "crash-input.so").exists()
