"""The shutdown scenarios on schedules that seeds decide; `make schedules` has more seeds for each of them."""

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import Ice
import pytest

from icegil.commands.torture.catalogue import scenarios

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import mutate  # noqa: E402
import schedules  # noqa: E402

CXX = os.environ.get("CXX", "g++").split()


@pytest.fixture(autouse=True)
def _compiler() -> None:
    if shutil.which(CXX[0]) is None:
        pytest.skip(f"{CXX[0]} is not installed")


@pytest.fixture(scope="module")
def built() -> Path:
    return schedules.build()


def test_every_scenario_ends_well_on_a_disturbed_schedule(built: Path) -> None:
    found = [each.text for each in schedules.search(schedules.known(), count(1), 1, 3, built) if each is not None]
    assert not found, "\n\n".join(found)


def test_a_gate_that_asks_and_does_not_count_is_found_out(tmp_path: Path) -> None:
    for part in ("include", "icegil"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, tmp_path)
    gate = "include/icegil/gate.hpp"
    counting_out = "word_.fetch_sub(1, std::memory_order_seq_cst)"
    broken = mutate.mutated(gate, "drop the count")
    assert counting_out in broken
    (tmp_path / gate).write_text(broken.replace(counting_out, "word_.load()"))
    # Its callback prints a thousand lines while the program ends. About every other run falls short: not one of 40 is
    # as likely as forty coins that fall on the same side.
    (scenario,) = (each for each in scenarios() if each.name == "lock_last_reference")
    if missing := scenario.missing(Ice):
        pytest.skip(missing)
    built = schedules.build(tmp_path)
    assert any(any(schedules.search([scenario], count(first), 4, 3, built)) for first in range(1, 41, 4))


def test_a_release_build_has_not_one_instruction_of_it() -> None:
    def instructions(call: str, *flags: str) -> str:
        source = f'#include "icegil/schedule.hpp"\nvoid cross() {{ {call} }}\n'
        words = [*CXX, "-std=c++17", "-O2", f"-I{ROOT / 'include'}", *flags, "-x", "c++", "-S", "-o", "-", "-"]
        return subprocess.run(words, input=source, capture_output=True, text=True, check=True).stdout

    call = "icegil::schedule(icegil::Point::left);"
    assert instructions(call) == instructions("")
    assert instructions(call, "-DICEGIL_DEBUG") != instructions("", "-DICEGIL_DEBUG")
