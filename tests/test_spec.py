"""The model of the gate: the sound one keeps its promises, each deliberately broken one is found out."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import check_spec  # noqa: E402

# `make spec` searches all of them through; these take seconds.
QUICK = ["python-thread", "finalizer-inside", "handlers", "locked-callbacks", "fork-python"]


@pytest.fixture(autouse=True)
def _tools() -> None:
    if missing := check_spec.missing_tools():
        pytest.skip(missing)


def endings(searches: list[check_spec.Search]) -> dict[str, str]:
    return {search.claim: outcome.ending for search, outcome in check_spec.check(searches)}


@pytest.mark.parametrize("name", QUICK)
def test_the_sound_gate_keeps_its_promises(name: str) -> None:
    searches = check_spec.searches_of_configuration(name)
    assert endings(searches) == {search.claim: search.expected for search in searches}


@pytest.mark.parametrize("name", check_spec.BROKEN)
def test_a_broken_gate_is_found_out(name: str) -> None:
    search = check_spec.search_of_broken(name)
    assert endings([search]) == {search.claim: search.expected}


def test_every_mistake_in_the_model_is_searched_for() -> None:
    assert set(re.findall(r"BROKEN_([A-Z_]+)\b", check_spec.MODEL.read_text())) == set(check_spec.BROKEN)
