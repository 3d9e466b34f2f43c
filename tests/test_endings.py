"""Every way to end that once went wrong ends well under icegil: on its own terms, with its own status, in silence."""

from pathlib import Path

import pytest
from conftest import check_endings

from icegil.torture.catalogue import Scenario, scenarios

CATALOGUE = scenarios()
OF_THE_API = scenarios(Path(__file__).parent / "scenarios")


def by_name(scenario: Scenario) -> str:
    return scenario.name


@pytest.mark.parametrize("mode", ["teardown"])
@pytest.mark.parametrize("scenario", CATALOGUE, ids=by_name)
def test_an_unchanged_program_ends_well(scenario: Scenario, mode: str) -> None:
    check_endings(scenario, guarded=True, ICEGIL_MODE=mode)


@pytest.mark.parametrize("mode", ["teardown"])
@pytest.mark.parametrize("scenario", OF_THE_API, ids=by_name)
def test_a_program_that_calls_icegil_ends_well(scenario: Scenario, mode: str) -> None:
    check_endings(scenario, guarded=False, ICEGIL_MODE=mode)
