"""Every way to end that once went wrong ends well under icegil: on its own terms, with its own status, in silence."""

import shutil
import sys
from pathlib import Path

import pytest
from conftest import check_endings

from icegil.commands.torture.catalogue import Scenario, scenarios
from icegil.commands.torture.endings import run

CATALOGUE = scenarios()
OF_THE_API = scenarios(Path(__file__).parent / "scenarios")

# What needs no guard: communicators that can be destroyed in time.
WITHOUT_GUARD = [each for each in CATALOGUE if each.name.startswith(("async_with", "destroy_async", "never_destroyed"))]


def by_name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("scenario", CATALOGUE, ids=by_name)
def test_an_unchanged_program_ends_well(scenario: Scenario) -> None:
    check_endings(scenario, guarded=True)


@pytest.mark.parametrize("scenario", OF_THE_API, ids=by_name)
def test_a_program_that_calls_icegil_ends_well(scenario: Scenario) -> None:
    check_endings(scenario, guarded=False)


@pytest.mark.parametrize("scenario", WITHOUT_GUARD, ids=by_name)
def test_an_unchanged_program_ends_well_without_the_guard(scenario: Scenario) -> None:
    check_endings(scenario, guarded=True, ICEGIL_MODE="teardown")


@pytest.mark.parametrize("scenario", OF_THE_API, ids=by_name)
def test_a_program_that_calls_icegil_ends_well_without_the_guard(scenario: Scenario) -> None:
    check_endings(scenario, guarded=False, ICEGIL_MODE="teardown")


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
def test_of_a_program_that_hangs_the_stacks_are_shown() -> None:
    ending = run([sys.executable, "-c", "import threading; threading.Event().wait()"], 1)
    assert ending.hung
    assert 'File "<string>", line 1 in <module>' in ending.stderr  # faulthandler
    assert "Py_BytesMain" in ending.stderr.partition("Native stacks:")[2]
