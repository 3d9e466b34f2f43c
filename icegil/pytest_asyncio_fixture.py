"""A fixture that pytest-asyncio runs, in strict mode too: for the plug-in, where pytest-asyncio is at work."""

import pytest_asyncio

import icegil.pytest_plugin as pytest_plugin

_ice_communicator_of_asyncio = pytest_asyncio.fixture(
    pytest_plugin.bound_communicator, name=pytest_plugin.FIXTURE_OF_ASYNCIO
)
