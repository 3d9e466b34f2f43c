"""Ice's own servers, started for real on free ports, and programs that are run beside them, plain and guarded."""

import argparse
import atexit
import contextlib
import functools
import os
import re
import shutil
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

from icegil.commands.torture.endings import RELEASE_WARNINGS, Ending, run, status_text, telling_line

HERE = Path(__file__).parent
RUNS = int(os.environ.get("RUNS", "2"))
WITHIN = 60.0  # seconds

# Whoever runs this in the background may have SIGINT ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Side(Enum):
    """What is in the processes that are looked at."""

    PLAIN = "plain"
    GUARDED = "guarded"


@functools.cache
def python() -> str:
    """A Python in which icegil is installed, for as long as this process lives."""
    sys.path.append(str(HERE.parents[1] / "tools"))
    import installed

    folder = tempfile.TemporaryDirectory(prefix="installed-")
    atexit.register(folder.cleanup)
    return installed.make(Path(folder.name))


def program(side: Side, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The words and the environment that start one of the programs: the one place that says how it is guarded."""
    environment = {"ICEGIL": "1" if side is Side.GUARDED else "0", "PYTHONFAULTHANDLER": "1", **RELEASE_WARNINGS}
    return [python(), str(HERE / "programs" / name), *arguments], environment


WAYS = {
    "end": (0, ""),
    "exit": (3, ""),
    "error": (1, r"Traceback \(most recent call last\):\n(  .*\n)+RuntimeError: the market is closed\n"),
    "SIGTERM": (3, ""),
    "SIGINT": (-signal.SIGINT, r"Traceback \(most recent call last\):\n(  .*\n)+KeyboardInterrupt\n"),
    "destroyed": (0, ""),
}
"""The ways in which a program leaves: its own status, and a regular expression for all that it says on stderr."""


def missing(packages: Mapping[str, str]) -> str:
    """Which of these commands or files are not there, and the packages of Debian 12 that have them; or nothing."""
    if not hasattr(Ice, "Future"):
        return "these programs are written for Ice 3.7 or later"
    absent = {what: name for what, name in packages.items() if not (shutil.which(what) or Path(what).exists())}
    install = " ".join(dict.fromkeys(absent.values()))
    return f"{', '.join(absent)}: not there. apt-get install {install}" if absent else ""


def settings(folder: Path, name: str, *lines: str) -> str:
    """A file with properties of Ice, as an argument of whoever is to have them."""
    path = folder / f"{name}.cfg"
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"--Ice.Config={path}"


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition. AssertionError if it does not come."""
    until = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {WITHIN:g} s"
        time.sleep(0.02)


class Process:
    """A process in a session of its own, which runs until it is told to end; its output is kept in a folder."""

    def __init__(self, folder: Path, words: list[str], environment: Mapping[str, str] | None = None) -> None:
        self._began = time.monotonic()
        self._stdout, self._stderr = (folder / f"{time.monotonic_ns()}.{each}" for each in ("stdout", "stderr"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ICEGIL")}
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**kept, **(environment or {})},
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

    def end(self, by: signal.Signals = signal.SIGTERM) -> Ending:
        """Tells it to end, and waits for that."""
        self._process.send_signal(by)
        hung = False
        try:
            self._process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            hung = True
            self._process.send_signal(signal.SIGABRT)  # `faulthandler` shows where it stands
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        self.kill()
        return Ending(self._process.wait(), self.stdout, self.stderr, time.monotonic() - self._began, hung)

    def kill(self) -> None:
        """Ends it with all that it has started, if it has not ended by itself."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextlib.contextmanager
def running(
    folder: Path,
    words: list[str],
    environment: Mapping[str, str] | None = None,
    *,
    until: Callable[[Process], object],
) -> Iterator[Process]:
    """A server while it is needed, from the moment in which `until` is true; then it has to end with status 0."""
    process = Process(folder, words, environment)
    try:
        process.wait_until(lambda: until(process), f"{words[0]} is ready")
        yield process
    finally:
        ending = process.end()
    assert not ending.hung and ending.status == 0, f"{words[0]} ended badly: {ending}"


def shortfall(ending: Ending, status: int, own: str) -> str:
    """What is wrong with it, with all that it said below; empty if nothing is. `own` is what it may say on stderr."""
    if ending.hung:
        short = "hang"
    elif ending.status != status:
        short = f"{status_text(ending.status)} instead of {status_text(status)}"
    elif not re.fullmatch(own, ending.stderr):
        short = "noise: " + re.sub(r"\d\d/\d\d/\d\d \S+ ", "", telling_line(ending.stderr))  # the date apart
    else:
        return ""
    return f"{short}\n{ending.stdout}\n{ending.stderr}"


Run = Callable[[Side], str]
"""Runs something once on that side: what fell short, or nothing."""


def left(name: str, way: str, *arguments: str, before: str = "") -> Run:
    """Runs of a program that leaves in that way. `before` is what it may say on stderr until then."""
    status, own = WAYS.get(way, WAYS["end"])

    def once(side: Side) -> str:
        words, environment = program(side, name, way, *arguments)
        return shortfall(run(words, WITHIN, environment), status, before + own)

    return once


Deployment = AbstractContextManager[Mapping[str, Run]]
"""Servers while they run, and what is run beside them, by name."""


def check(once: Run) -> None:
    """Fails unless all guarded runs end well."""
    for number in range(RUNS):
        short = once(Side.GUARDED)
        if short:
            pytest.fail(f"run {number + 1} of {RUNS}: {short}", pytrace=False)


def attempted(once: Run, side: Side) -> str:
    """What fell short of one run; that it could not be brought to its end is such a thing too."""
    try:
        return once(side)
    except AssertionError as error:
        return str(error)


def compare(name: str, absent: str, deployed: Callable[[Path], Deployment]) -> int:
    """The command line of a file: all runs often on both sides, alternately; 1 if a guarded one fell short."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=20, help="runs of each kind on each side (%(default)s)")
    count = parser.parse_args().n
    if absent:
        sys.exit(absent)
    is_short = False
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as runs:
        for way, once in runs.items():
            found = {side: Counter[str]() for side in Side}
            for _ in range(count):
                for side, shorts in found.items():
                    short = attempted(once, side)
                    if short and side is Side.GUARDED:
                        is_short = True
                        print(short, file=sys.stderr, flush=True)
                    shorts[short.partition("\n")[0]] += 1
            ends = ", ".join(f"{side.value} {shorts['']}/{count}" for side, shorts in found.items())
            plain = ", ".join(f"{often} {short}" for short, often in found[Side.PLAIN].most_common() if short)
            print(f"{name + ', ' + way:32}{ends:32}{plain}".rstrip(), flush=True)
    return is_short
