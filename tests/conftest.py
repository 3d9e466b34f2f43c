"""What the tests share: running a scenario many times in child processes; and which pair was tested."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from icegil.commands.torture.catalogue import SCENARIOS, Scenario
from icegil.commands.torture.endings import RELEASE_WARNINGS, command, run, shortfall

# Whoever runs the tests in the background may have SIGINT ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.append(str(SCENARIOS))  # where the modules are that scenarios share

os.environ |= {**RELEASE_WARNINGS, **os.environ}

RUNS = int(os.environ.get("RUNS", "5"))
"""Runs of each scenario; more of them find rarer races."""

AT_ONCE = int(os.environ.get("RUNS_AT_ONCE", "2"))


def check_endings(scenario: Scenario, *, guarded: bool, runs: int = RUNS, **environment: str) -> None:
    """Fails, with what the worst run left behind, unless every run of the scenario ends well."""
    _skip_without_needs(scenario)

    def one(_):
        ending = run(command(scenario, guarded), scenario.within, environment)
        return shortfall(ending, scenario), ending

    with ThreadPoolExecutor(AT_ONCE) as pool:
        short = [(why, ending) for why, ending in pool.map(one, range(runs)) if why]
    if short:
        why, ending = short[0]
        pytest.fail(
            f"{len(short)} of {runs} runs of {scenario.name} fell short. The first: {why}\n"
            f"--- stdout\n{ending.stdout}\n--- stderr\n{ending.stderr}",
            pytrace=False,
        )


def _skip_without_needs(scenario: Scenario) -> None:
    import Ice

    if missing := scenario.missing(Ice):
        pytest.skip(missing)


# What tests are written with that the oldest pair has not. What icegil itself would miss is not among it.
# A report may show it in quotes, where quotes have a backslash.
NOT_YET = re.compile(
    r"module \\?'Ice\\?' has no attribute \\?'(Future|InvocationFuture|wrap_future|Value|asyncio)\\?'"
    r"|'IcePy\.\w+\\?' object has no attribute \\?'(ice_\w+Async|ice_fixed|set\w+Callback)\\?'"
    r"|'\w+Prx\\?' object has no attribute \\?'\w+Async\\?'"
    r"|module \\?'asyncio\\?' has no attribute \\?'(Runner|TaskGroup|timeout)\\?'"
    r"|name 'ExceptionGroup' is not defined|object has no attribute 'add_note'"
)


def _is_oldest_pair() -> bool:
    import Ice

    return sys.version_info < (3, 11) or Ice.intVersion() < 30700


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """On Python 3.10 and Ice 3.6, a test that is written with what these have not is skipped, with the name of it."""
    report = yield
    if report.failed and _is_oldest_pair() and (missing := NOT_YET.search(report.longreprtext)):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: {missing[0]}")
    return report


PAIR = """
import platform, sys, icegil
ice = icegil.install()
build = "Debian" if ice.__file__.startswith("/usr/lib/python3/") else "PyPI"
debug = "d" if hasattr(sys, "gettotalrefcount") else ""
processor = "" if platform.machine() == "x86_64" else f", {platform.machine()}"
python = f"CPython {platform.python_version()}{debug}{processor}"
print(f"{python}, Ice {ice.stringVersion()} ({build}), mode {icegil.status().mode}")
"""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which pair of CPython and Ice was tested."""
    asked = subprocess.run([sys.executable, "-c", PAIR], capture_output=True, text=True, timeout=60)
    terminalreporter.write_line(f"tested: {asked.stdout.strip() or asked.stderr.strip()}")
