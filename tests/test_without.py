"""What the guard changes for a running program can be left out, part by part; the end stays guarded."""

import textwrap
from collections.abc import Iterator
from itertools import combinations

import pytest
from children import python
from conftest import check_endings

import icegil
from icegil.commands.torture.catalogue import Scenario, scenarios
from icegil.settings import PARTS


@pytest.fixture(autouse=True)
def nothing_installed() -> Iterator[None]:
    """Other tests of the same process may have put icegil in place."""
    icegil.uninstall()
    yield
    icegil.uninstall()


PROGRAM = """
    import threading
    import Ice
    import icegil
    import icegil._bridge as bridge
    from _echo import Echo, communicator, serve

    here = threading.local()

    class Servant(Echo):
        def ice_invoke(self, arguments, current):
            lasted.append(hasattr(here, "mark"))
            here.mark = True
            return True, arguments

    def ask():
        return proxy.ice_invokeAsync("echo", Ice.OperationMode.Normal, bytes([6, 0, 0, 0, 1, 1]))

    lasted = []
    proxy = serve(communicator({"Ice.ThreadPool.Server.Size": 1, "Ice.ThreadPool.Server.SizeMax": 1}), Servant())
    kinds = {isinstance(call, bridge.Future) for call in [ask() for _ in range(5)] if call.result()}
    print("futures", kinds == {True})
    print("ownership", icegil.status().calls.references != "")
    print("locks", "pthread_mutex_lock" in icegil.status().redirected)
    print("states", lasted[-1])
    print(*icegil.status().without)
"""
ALL = ",".join(PARTS)
GUARDED = [
    each for each in scenarios() if each.name.startswith(("async_with", "destroy_async", "never_destroyed", "stuck"))
]


def facts(without: tuple[str, ...]) -> str:
    left_out = {*without, *(["ownership"] if "futures" in without else [])}
    # There is nothing to be found out about references on Ice 3.7: two are right there.
    known = {"ownership": icegil.Ice.intVersion() >= 30800, "futures": hasattr(icegil.Ice, "Future")}
    lines = [f"{part} {part not in left_out and known.get(part, True)}" for part in PARTS]
    return "\n".join([*lines, " ".join(each for each in PARTS if each in without)]) + "\n"


@pytest.mark.parametrize("without", [each for n in range(5) for each in combinations(PARTS, n)], ids=",".join)
def test_a_part_is_left_out(without: tuple[str, ...]) -> None:
    ended = python("-m", "icegil", "run", "--without", ",".join(without), "-c", textwrap.dedent(PROGRAM))
    assert (ended.stdout, ended.stderr, ended.status) == (facts(without), "", 0)


@pytest.mark.parametrize("scenario", GUARDED, ids=[each.name for each in GUARDED])
def test_the_end_stays_guarded(scenario: Scenario) -> None:
    check_endings(scenario, guarded=True, runs=2, ICEGIL_WITHOUT=ALL)


def test_names_may_come_in_any_order_and_with_blanks() -> None:
    icegil.install(without=" locks , futures,,")
    assert icegil.status().without == ("futures", "locks")
    icegil.install()  # what is not given stays
    assert icegil.status().without == ("futures", "locks")
    icegil.install(without=["states"])
    assert icegil.status().without == ("states",)
    icegil.install(without=())
    assert icegil.status().without == ()


@pytest.mark.parametrize("without", [["locks", "speed"], "speed", "Locks"])
def test_a_name_that_is_none_is_a_value_error(without: object) -> None:
    with pytest.raises(ValueError, match="without must be some of futures, ownership, locks, states, not "):
        icegil.install(without=without)


def test_no_names_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="without must be names of parts, not int"):
        icegil.install(without=3)


def test_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ICEGIL_WITHOUT", "lock")
    with pytest.raises(ValueError, match=r"ICEGIL_WITHOUT must be some of .*, not 'lock'"):
        icegil.install()
    monkeypatch.setenv("ICEGIL_WITHOUT", "locks")
    assert icegil.install() and icegil.status().without == ("locks",)
