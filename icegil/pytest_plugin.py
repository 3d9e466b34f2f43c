"""The pytest plug-in: fixtures for communicators, and no test leaks one unnoticed.

It comes into play when the tests import `Ice`; then icegil is installed around it. A communicator that a test has made
and not destroyed is destroyed at the end of the test, which fails. What a fixture of a wider scope has made is the
fixture's to destroy.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

import icegil._compat as _compat
import icegil.aio as aio
import icegil.guard as guard
import icegil.lifecycle as lifecycle

if TYPE_CHECKING:
    import Ice

LEAKS = ("error", "warn", "off")
PATIENCE = 5.0
"""Seconds that the destruction of a leaked communicator may take."""

_before = pytest.StashKey[set[int]]()
_of_wider_scope: set[int] = set()  # numbers of lives
_stuck = pytest.StashKey[list[str]]()


class LeakedCommunicatorWarning(pytest.PytestWarning):
    """A test has made a communicator and not destroyed it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "what becomes of a test that leaves a communicator undestroyed: error, warn or off"
    group = parser.getgroup("icegil")
    group.addoption("--icegil-leaks", choices=LEAKS, default=None, help=text)
    parser.addini("icegil_leaks", text, default="error")


def pytest_configure(config: pytest.Config) -> None:
    if _leaks(config) not in LEAKS:
        raise pytest.UsageError(f"icegil_leaks must be one of {', '.join(LEAKS)}, not {_leaks(config)!r}")
    if _has_asyncio(config):
        import icegil.pytest_asyncio_fixture as of_asyncio  # not at the top: it loads pytest-asyncio

        config.pluginmanager.register(of_asyncio)


def _leaks(config: pytest.Config) -> str:
    return str(config.getoption("--icegil-leaks") or config.getini("icegil_leaks"))


def _watch() -> bool:
    """Installs icegil once the tests have imported Ice; whether they have."""
    if "Ice" in sys.modules:
        guard.install()
    return "Ice" in sys.modules


def _living() -> set[int]:
    return {life.number for life in lifecycle.lives() if not life.is_over} if _watch() else set()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> Iterator[None]:
    before = _living()
    try:
        return (yield)
    finally:
        if fixturedef.scope != "function":
            _of_wider_scope.update(_living() - before)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_before] = _living()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        if (how := _leaks(item.config)) != "off" and _watch():
            accounted_for = item.stash[_before] | _of_wider_scope
            leaked = [life for life in lifecycle.lives() if not life.is_over and life.number not in accounted_for]
            if leaked:
                _tell(how, [_end(life, item) for life in leaked])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if stuck := config.stash.get(_stuck, []):
        terminalreporter.section("icegil: this process ends unclean")
        for line in stuck:
            terminalreporter.write_line(line)


def _end(life: lifecycle.Life, item: pytest.Item) -> str:
    """Destroys what was leaked; what is to be said of it."""
    line = f"{life} was not destroyed by the test"
    if life.destroy().wait(PATIENCE):
        return line
    text = f"{line}, and its destruction is stuck"
    item.config.stash.setdefault(_stuck, []).append(f"{item.nodeid}: {text}")
    return text


def _tell(how: str, lines: list[str]) -> None:
    text = "\n".join(lines)
    if how == "warn":
        warnings.warn(LeakedCommunicatorWarning(text), stacklevel=2)
    elif sys.exc_info()[0] is None:  # else the test has a failure of its own, which says more
        pytest.fail(text, pytrace=False)


@pytest.fixture
def ice_communicator() -> Iterator[Ice.Communicator]:
    """A communicator of the test's own, destroyed at its end.

    To give it properties, make it in the test: `with Ice.initialize(...) as communicator`.
    """
    communicator = guard.install().initialize()
    yield communicator
    lifecycle.destroy(communicator, timeout=PATIENCE)


@pytest.fixture
def ice_async_communicator(request: pytest.FixtureRequest) -> Ice.Communicator:
    """As `ice_communicator`, bound to the event loop of the test; for pytest-asyncio, in any mode, and for anyio."""
    # Both may be there. Whose test it is they tell by this themselves (anyio/pytest_plugin.py, pytest_fixture_setup).
    if "anyio_backend" in request.fixturenames:
        return request.getfixturevalue(FIXTURE_OF_ANYIO)
    if _has_asyncio(request.config):
        return request.getfixturevalue(FIXTURE_OF_ASYNCIO)
    pytest.fail(
        "ice_async_communicator needs a plug-in that runs asynchronous tests: pip install pytest-asyncio, or "
        "pip install anyio and mark the test with @pytest.mark.anyio",
        pytrace=False,
    )


FIXTURE_OF_ANYIO = "_ice_communicator_of_anyio"
FIXTURE_OF_ASYNCIO = "_ice_communicator_of_asyncio"


def _has_asyncio(config: pytest.Config) -> bool:
    plugin = sys.modules.get("pytest_asyncio.plugin")
    return plugin is not None and config.pluginmanager.is_registered(plugin)


async def bound_communicator() -> AsyncIterator[Ice.Communicator]:
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        pytest.fail("ice_async_communicator needs an event loop of asyncio, not of trio", pytrace=False)
    ice = guard.install()
    communicator = ice.initialize(**({"eventLoop": loop} if _compat.knows_event_loops(ice) else {}))
    yield communicator
    await aio.destroy_async(communicator, timeout=PATIENCE)


_ice_communicator_of_anyio = pytest.fixture(bound_communicator, name=FIXTURE_OF_ANYIO)
