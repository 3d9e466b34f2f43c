"""Runs a program in a child process and judges how it ended."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from icegil.torture.catalogue import SCENARIOS, Scenario


@dataclass(frozen=True)
class Ending:
    """How one child process ended."""

    status: int
    """Exit status; `-n` for death by signal n."""
    stdout: str
    stderr: str
    seconds: float
    hung: bool
    """It did not end in time and was killed, with SIGABRT so that `faulthandler` says where it stood."""


def command(scenario: Scenario, guarded: bool, python: str = sys.executable) -> list[str]:
    """The command that runs a scenario, plain or under `icegil run`."""
    run = ["-m", "icegil", "run"] if guarded else []
    if guarded and scenario.drain is not None:
        run += ["--drain-timeout", str(scenario.drain)]
    return [python, *run, str(scenario.path)]


def run(command: list[str], timeout: float, environment: dict[str, str] | None = None) -> Ending:
    """Runs a command and waits up to `timeout` seconds for its end."""
    begun = time.monotonic()
    # A session of its own: what a scenario forks is ended with it.
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**_environment(), **(environment or {})},
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout)
        hung = False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        hung = True
        try:
            stdout, stderr = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            stdout, stderr = process.communicate()
    return Ending(process.returncode, stdout, stderr, time.monotonic() - begun, hung)


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICEGIL_")}
    environment["PYTHONFAULTHANDLER"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SCENARIOS), environment.get("PYTHONPATH")]))
    return environment


def shortfall(ending: Ending, scenario: Scenario) -> str | None:
    """What is wrong with this ending, in a few words; None if nothing is."""
    if ending.hung:
        return f"hung: no end within {scenario.within:g} s"
    if ending.status != scenario.status:
        return f"{status_text(ending.status)} instead of {status_text(scenario.status)}"
    if not re.fullmatch(scenario.stderr, ending.stderr, re.DOTALL):
        return f"unasked on stderr: {telling_line(ending.stderr)}"
    return None


def status_text(status: int) -> str:
    """`status 3`, or the name of the signal."""
    return f"status {status}" if status >= 0 else signal.Signals(-status).name


def telling_line(stderr: str) -> str:
    """The one line of stderr that says most."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for pattern in (r"Fatal Python error", r"terminate called|FATAL:|rethrown", r"!!|error|Error|warning|Warning"):
        for line in lines:
            if re.search(pattern, line):
                return line
    return lines[-1] if lines else ""
