"""Object adapters that are given no name: nothing is left of them, and those that have one are as ever."""

import gc
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from children import python

import icegil
import icegil.adapters as adapters
from icegil.commands.torture.scenarios import _echo

HERE = "tcp -h 127.0.0.1"


@pytest.fixture
def ice() -> Iterator[ModuleType]:
    """The Ice module, with icegil in place for this test alone."""
    icegil.uninstall()
    yield icegil.install()
    icegil.uninstall()


@pytest.fixture
def communicator(ice: ModuleType) -> Iterator[Any]:
    """A communicator; destroyed afterwards."""
    made = _echo.communicator()
    yield made
    icegil.destroy(made)


def properties(communicator: Any) -> dict[str, str]:
    """All that are set."""
    return dict(communicator.getProperties().getPropertiesForPrefix(""))


def test_endpoints_of_an_unnamed_adapter_go_with_it(communicator: Any) -> None:
    before = properties(communicator)
    adapter = communicator.createObjectAdapterWithEndpoints("", HERE)
    assert properties(communicator) == {**before, f"{adapter.getName()}.Endpoints": HERE}
    adapter.destroy()
    assert properties(communicator) == before
    adapter.destroy()


def test_whoever_destroys_it_need_not_have_made_it(communicator: Any) -> None:
    before = properties(communicator)
    adapter = communicator.createObjectAdapterWithEndpoints(name=None, endpoints=HERE)
    type(adapter)(adapter._impl).destroy()  # as `current.adapter` is one
    assert properties(communicator) == before


def test_each_has_a_name_of_its_own(communicator: Any) -> None:
    made = [communicator.createObjectAdapterWithEndpoints("", HERE) for _ in range(3)]
    assert len({adapter.getName() for adapter in made} - {""}) == 3
    made.pop().destroy()
    for adapter in made:
        assert communicator.getProperties().getProperty(f"{adapter.getName()}.Endpoints") == HERE


@pytest.mark.parametrize("endpoints", ["tcp -h 192.0.2.1", "no endpoint"], ids=["not of this host", "not understood"])
def test_one_that_cannot_be_made_leaves_nothing(ice: ModuleType, communicator: Any, endpoints: str) -> None:
    before = properties(communicator)
    with pytest.raises(ice.LocalException):
        communicator.createObjectAdapterWithEndpoints("", endpoints)
    assert properties(communicator) == before


def test_a_router_is_forgotten(ice: ModuleType, communicator: Any) -> None:
    before = properties(communicator)
    router = ice.RouterPrx.uncheckedCast(communicator.stringToProxy("router:tcp -h 127.0.0.1 -p 1"))
    with pytest.raises(ice.ConnectionRefusedException):
        communicator.createObjectAdapterWithRouter("", router)
    assert properties(communicator) == before


def test_a_named_adapter_is_made_again_from_its_properties(communicator: Any) -> None:
    communicator.createObjectAdapterWithEndpoints("Named", HERE).destroy()
    assert communicator.getProperties().getProperty("Named.Endpoints") == HERE
    assert communicator.createObjectAdapter("Named").getEndpoints()


def test_an_adapter_outlives_its_communicator(ice: ModuleType, communicator: Any) -> None:
    before = properties(communicator)
    adapter = communicator.createObjectAdapterWithEndpoints("", HERE)
    communicator.destroy()
    adapter.destroy()
    with pytest.raises(ice.CommunicatorDestroyedException):
        communicator.createObjectAdapterWithEndpoints("", HERE)
    assert properties(communicator) == before


def test_what_is_no_name_is_turned_away_by_ice(communicator: Any) -> None:
    with pytest.raises(ValueError, match="name"):
        communicator.createObjectAdapterWithEndpoints(0, HERE)


def test_an_adapter_that_was_there_before_is_destroyed_as_ever() -> None:
    icegil.uninstall()
    made = _echo.communicator()
    adapter = made.createObjectAdapterWithEndpoints("", HERE)
    kept = properties(made)
    try:
        icegil.install()
        adapter.destroy()
        assert properties(made) == kept
        icegil.destroy(made)
    finally:
        icegil.uninstall()


def test_names_of_a_communicator_that_is_gone_are_forgotten(ice: ModuleType) -> None:
    names = adapters.unnamed._communicators
    before = {*names}  # of other tests
    made = _echo.communicator()
    made.createObjectAdapterWithEndpoints("", HERE)
    assert len({*names} - before) == 1
    made.destroy()
    del made
    gc.collect()
    assert not {*names} - before


def test_an_adapter_is_destroyed_when_python_has_emptied_its_modules() -> None:
    ended = python("-c", LATE)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")


LATE = """
import os, icegil, Ice
icegil.install()

class Late:
    def __init__(self, adapter):
        self.adapter = adapter

    def __del__(self):
        self.adapter.destroy()

with Ice.initialize() as communicator:
    os.late = Late(communicator.createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1"))
"""
