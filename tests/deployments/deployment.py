"""A deployment: real processes, started plain and guarded, are judged by how they end, and both sides compared."""

import argparse
import atexit
import contextlib
import functools
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path

import Ice
import pytest

from icegil.commands.torture.endings import RELEASE_WARNINGS, Ending, status_text, telling_line

sys.path.append(str(Path(__file__).parents[2] / "tools"))

import installed

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
RUNS = int(os.environ.get("RUNS", "2"))
WITHIN = 60.0  # seconds
TOO_OLD = "" if hasattr(Ice, "Future") else "these programs are written for Ice 3.7 or later"
TIME_OF_ICE = r"(?<=[-!]! )\S+ \S+ "

# Whoever runs this in the background may have SIGINT ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Side(Enum):
    """What is in the processes that are looked at."""

    WITHOUT_ICE = "without Ice"
    PLAIN = "plain"
    GUARDED = "guarded"


COMPARED = (Side.PLAIN, Side.GUARDED)


def guard(side: Side) -> dict[str, str]:
    """What the environment says to a process on that side: the one place that says how it is guarded."""
    # A crash of any process, also of one whose status nobody tells, is seen by what `faulthandler` prints.
    return {**RELEASE_WARNINGS, "ICEGIL": "1" if side is Side.GUARDED else "0", "PYTHONFAULTHANDLER": "1"}


def environment(side: Side, **more: str) -> dict[str, str]:
    """The whole environment of a process on that side, and what it needs besides."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ICEGIL", "PYTHON"))}
    return {**kept, **guard(side), **more}


@functools.cache
def python() -> str:
    """A Python in which icegil is installed, for as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="installed-")
    atexit.register(folder.cleanup)
    return installed.make(Path(folder.name))


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def comes(condition: Callable[[], object], within: float = WITHIN) -> bool:
    """Waits for a condition for so many seconds: whether it came."""
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition. AssertionError if it does not come."""
    assert comes(condition), f"{what}: not within {WITHIN:g} s"


def goes_on(session: int) -> bool:
    """Whether a process of that session runs. A zombie does not: who has adopted it may see to it a second later."""
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, _, _, its_session = each.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                return True
    return False


class Process:
    """A process on a side, in a session of its own; what it and those that it starts write is kept in a folder.

    As a context: at its end, nothing of the session goes on.
    """

    def __init__(self, folder: Path, words: list[str], side: Side, **more: str) -> None:
        self._began = time.monotonic()
        self._stdout, self._stderr = (folder / f"{time.monotonic_ns()}.{each}" for each in ("stdout", "stderr"))
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=environment(side, **more),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(errors="replace")

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition of this process. AssertionError if it does not come, or the process ends before."""
        wait_until(lambda: condition() or self._process.poll() is not None, what)
        assert self._process.poll() is None, f"it ended before: {what}\n{self.stdout}{self.stderr}"

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> Ending:
        """Waits until it has ended, with all that it has started: it hangs if one of them does."""
        hung = not comes(self._has_ended)
        if hung:
            self._send_all(signal.SIGABRT)  # `faulthandler` shows where they stand
            comes(self._has_ended, 10)
            self._kill()
        return Ending(self._process.returncode, self.stdout, self.stderr, time.monotonic() - self._began, hung)

    def _has_ended(self) -> bool:
        return self._process.poll() is not None and not goes_on(self._process.pid)

    def _send_all(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _kill(self) -> None:
        self._send_all(signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()


def shortfall(ending: Ending, status: int, noise: str) -> str:
    """What is wrong with it, with all that it wrote below; empty if nothing is. `noise` is what it wrote unasked."""
    if ending.hung:
        short = "hang"
    elif ending.status != status:
        short = f"{status_text(ending.status)} instead of {status_text(status)}"
    elif noise:
        short = f"noise: {re.sub(TIME_OF_ICE, '', telling_line(noise))}"
    else:
        return ""
    return f"{short}\n{ending.stdout}\n{ending.stderr}"


Run = Callable[[Side], str]
"""Runs something once on that side: what fell short, or nothing."""
Runs = Mapping[str, Run]
"""What is run, by name."""
Deployed = Callable[[Path], AbstractContextManager[Runs]]
"""Servers while they run, in that folder, and what is run beside them."""


def fixture(deployed: Deployed, missing: str = "") -> Callable[..., object]:
    """A fixture with what is run, for all tests of a file. They are skipped where something is missing."""

    @pytest.fixture(scope="module")
    def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
        if TOO_OLD or missing:
            pytest.skip(TOO_OLD or missing)
        with deployed(tmp_path_factory.mktemp("deployed")) as found:
            yield found

    return runs


def check(once: Run, side: Side = Side.GUARDED, runs: int = RUNS) -> None:
    """Fails unless all runs end well."""
    for number in range(runs):
        if short := once(side):
            pytest.fail(f"run {number + 1} of {runs}, {side.value}: {short}", pytrace=False)


def attempted(once: Run, side: Side) -> str:
    """What fell short of one run; that it could not be brought to its end is such a thing too."""
    try:
        return once(side)
    except (AssertionError, RuntimeError, TimeoutError) as error:
        return str(error)


def compare(deployed: Deployed, missing: str = "", name: str = "") -> int:
    """What a file of tests does as a command: runs each many times on both sides, alternately.

    The exit status: 1 if a guarded run fell short.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=20, help="runs of each kind on each side (%(default)s)")
    parser.add_argument("-k", default="", metavar="TEXT", help="only those whose name has this in it")
    given = parser.parse_args()
    if TOO_OLD or missing:
        sys.exit(TOO_OLD or missing)
    is_short = False
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as runs:
        for label, once in ((f"{name}, {way}" if name else way, once) for way, once in runs.items()):
            if given.k not in label:
                continue
            found = {side: Counter[str]() for side in COMPARED}
            for _ in range(given.n):
                for side, shorts in found.items():
                    short = attempted(once, side)
                    if short and side is Side.GUARDED:
                        is_short = True
                        print(short, file=sys.stderr, flush=True)
                    shorts[short.partition("\n")[0]] += 1
            ends = ", ".join(f"{side.value} {shorts['']}/{given.n}" for side, shorts in found.items())
            plain = ", ".join(f"{often} {short}" for short, often in found[Side.PLAIN].most_common() if short)
            print(f"{label:44}{ends:32}{plain}".rstrip(), flush=True)
    return is_short
