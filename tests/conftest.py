"""What the tests share: running a scenario many times in child processes; and which pair was tested."""

import os
import signal
import subprocess
import sys
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


PAIR = """
import platform, sys, icegil
ice = icegil.install()
build = "Debian" if ice.__file__.startswith("/usr/lib/python3/") else "PyPI"
debug = "d" if hasattr(sys, "gettotalrefcount") else ""
print(f"CPython {platform.python_version()}{debug}, Ice {ice.stringVersion()} ({build}), mode {icegil.status().mode}")
"""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which pair of CPython and Ice was tested."""
    asked = subprocess.run([sys.executable, "-c", PAIR], capture_output=True, text=True, timeout=60)
    terminalreporter.write_line(f"tested: {asked.stdout.strip() or asked.stderr.strip()}")
