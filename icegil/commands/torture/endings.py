"""Runs a program in a child process and judges how it ended."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from icegil.commands.torture.catalogue import SCENARIOS, Scenario
from icegil.commands.words import StrEnum

PATIENCE = 1.5
"""How many times as long as it says a scenario may take before it counts as hung."""

_FILTERS = (
    "default::DeprecationWarning:__main__,ignore::DeprecationWarning,ignore::PendingDeprecationWarning,"
    "ignore::ImportWarning,ignore::ResourceWarning"
)
RELEASE_WARNINGS = {"PYTHONWARNINGS": _FILTERS} if hasattr(sys, "gettotalrefcount") else {}
"""The environment in which a debug build of Python, which shows every warning, ignores what a release build does."""


class Kind(StrEnum):
    """The ways to end, the gravest last."""

    OK = "ok"
    SLOW = "slow"
    """It ended well, but not within the time that the scenario gives."""
    NOISE = "noise"
    """It printed something on stderr that the scenario does not ask for."""
    STATUS = "wrong status"
    HANG = "hang"
    """It did not end by itself."""
    CRASH = "crash"
    """It was killed by a signal that the scenario does not ask for."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of an ending."""

    kind: Kind
    text: str = ""
    """What is wrong, in a few words; empty if nothing is."""


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


class Stopped(Exception):
    """No child process may be started any more."""


class Children:
    """Child processes that can be ended all at once, with all that they have forked. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._living: set[subprocess.Popen[str]] = set()
        self._is_open = True

    def start(self, command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
        """Starts a command in a session of its own. Stopped if that is over."""
        with self._lock:
            if not self._is_open:
                raise Stopped
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment,
                start_new_session=True,
            )
            self._living.add(process)
            return process

    def forget(self, process: "subprocess.Popen[str]") -> None:
        """This one has ended."""
        with self._lock:
            self._living.discard(process)

    def end_all(self) -> None:
        """Kills them all. From here on none can be started."""
        with self._lock:
            self._is_open = False
            for process in self._living:
                _kill_session(process)


def _kill_session(process: "subprocess.Popen[str]") -> None:
    if not hasattr(os, "killpg"):  # Windows, which has no sessions either
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(
    command: list[str],
    timeout: float,
    environment: dict[str, str] | None = None,
    children: Children | None = None,
    native_stacks: bool = True,
) -> Ending:
    """Runs a command and waits up to `timeout` seconds for its end.

    If it hangs, the Python stacks of its threads stand on its stderr, and with `native_stacks` below them those that
    gdb finds, where that is installed.
    """
    children = children or Children()
    begun = time.monotonic()
    process = children.start(command, {**_environment(), **(environment or {})})
    try:
        stdout, stderr, hung = _wait(process, timeout, native_stacks)
    finally:
        children.forget(process)
    return Ending(process.returncode, stdout, stderr, time.monotonic() - begun, hung)


def _wait(process: "subprocess.Popen[str]", timeout: float, native_stacks: bool) -> tuple[str, str, bool]:
    """What it wrote on stdout and on stderr, and whether it hung."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return *process.communicate(timeout=timeout), False
    stacks = _native_stacks(process.pid) if native_stacks else ""
    process.send_signal(signal.SIGABRT)
    try:
        stdout, stderr = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        _kill_session(process)
        stdout, stderr = process.communicate()
    return stdout, stderr + stacks, True


def _native_stacks(process_id: int) -> str:
    gdb = shutil.which("gdb")
    if gdb is None:
        return ""
    words = [gdb, "-p", str(process_id), "-batch", "-nx", "-iex", "set debuginfod enabled off"]
    words += ["-ex", "thread apply all backtrace 40"]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "gdb did not answer within 120 s\n"
    return "\nNative stacks:\n" + (done.stdout or done.stderr)


def _environment() -> dict[str, str]:
    # An unbuffered stdout has no lock that a thread could be stopped with: it would hide endings.
    unwanted = ("ICEGIL_", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment = {**RELEASE_WARNINGS, **kept}
    environment["PYTHONFAULTHANDLER"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SCENARIOS), environment.get("PYTHONPATH")]))
    return environment


def judge(ending: Ending, scenario: Scenario) -> Verdict:
    """What is to be said of how a scenario ended; the gravest thing if there are several."""
    if ending.hung:
        return Verdict(Kind.HANG, f"hung: no end after {ending.seconds:.0f} s")
    if ending.status != scenario.status:
        text = f"{status_text(ending.status)} instead of {status_text(scenario.status)}"
        return Verdict(Kind.CRASH if ending.status < 0 else Kind.STATUS, text)
    if not re.fullmatch(scenario.stderr, ending.stderr, re.DOTALL):
        return Verdict(Kind.NOISE, f"unasked on stderr: {telling_line(ending.stderr)}")
    if ending.seconds > scenario.within:
        return Verdict(Kind.SLOW, f"ended after {ending.seconds:.1f} s instead of {scenario.within:g} s")
    return Verdict(Kind.OK)


def shortfall(ending: Ending, scenario: Scenario) -> str | None:
    """What is wrong with this ending, in a few words; None if nothing is."""
    return judge(ending, scenario).text or None


def status_text(status: int) -> str:
    """`status 3`, or the name of the signal."""
    if status >= 0:
        return f"status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:  # a real-time signal
        return f"signal {-status}"


# What says most, best first. A bare "Aborted" or "Segmentation fault" is only what `faulthandler` makes of the signal.
_TELLING = (
    r"Fatal Python error: (?!Aborted|Segmentation fault|Bus error|Illegal instruction)",
    r"terminate called|FATAL:|rethrown",
    r"Fatal Python error",
    r"^[\w.]*(Error|Exception|KeyboardInterrupt)\b",
    r"^object repr",  # Python has nothing left to print an exception with
    r"!!|error|Error|warning|Warning",
)


def telling_line(stderr: str) -> str:
    """The one line of stderr that says most."""
    lines = [line.strip() for line in stderr.splitlines() if re.search(r"\w", line)]  # not one that broke off at "!!"
    for pattern in _TELLING:
        for line in lines:
            if re.search(pattern, line):
                return line
    return lines[-1] if lines else ""
