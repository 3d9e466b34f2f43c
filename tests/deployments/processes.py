"""Servers as they are deployed: started plain and guarded, stopped with requests under way, judged by their end."""

import argparse
import atexit
import contextlib
import functools
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import pytest

from icegil.commands.torture.endings import RELEASE_WARNINGS, telling_line

sys.path.append(str(Path(__file__).parents[2] / "tools"))

import installed

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
RUNS = int(os.environ.get("RUNS", "2"))
WITHIN = 60.0  # seconds
TIME_OF_ICE = r"(?<=[-!]! )\S+ \S+ "

# Whoever runs this in the background may have SIGINT ignored, and child processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Side(Enum):
    """What is in the process that is looked at."""

    WITHOUT_ICE = "without Ice"
    PLAIN = "plain"
    GUARDED = "guarded"


@functools.cache
def place() -> Path:
    """A virtual environment in which icegil is installed, for as long as this process lives."""
    folder = tempfile.TemporaryDirectory(prefix="installed-")
    atexit.register(folder.cleanup)
    installed.make(Path(folder.name))
    return Path(folder.name)


def python() -> str:
    """The Python of that place."""
    return str(place() / "bin" / "python")


def packages() -> Path:
    """Where the packages of that place are."""
    return installed.packages(place())


def environment(side: Side, **more: str) -> dict[str, str]:
    """What is in the environment of a process on that side: the one place that says how it is guarded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ICEGIL", "PYTHON"))}
    given = {"ICEGIL": "1"} if side is Side.GUARDED else {}
    # A crash of any process, also of one whose status nobody tells, is seen by what `faulthandler` prints.
    given |= {"PYTHONPATH": str(PROGRAMS), "PYTHONFAULTHANDLER": "1"}
    return {**RELEASE_WARNINGS, **kept, **given, **more}


Deployment = Callable[[Side, Path, str], str]
"""Runs something once on that side, with a folder and the proxy of an Ice server; what fell short, if anything did."""


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition. AssertionError if it does not come."""
    until = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {WITHIN:g} s"
        time.sleep(0.02)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Process:
    """A process in a session of its own; what it and those that it starts write goes to one file."""

    def __init__(self, words: list[str], environment: dict[str, str], folder: Path) -> None:
        self._file = folder / f"output-{time.monotonic_ns()}"
        with self._file.open("wb") as output:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._file.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def shortfall(self, status: int, own: str) -> str:
        """Waits for its end: what is wrong with it. `own` is a regular expression for what it may write."""
        try:
            found = self._process.wait(WITHIN)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)  # `faulthandler` shows where it stands
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            return f"hang\n{self.output}"
        if found != status:
            return f"status {found} instead of {status}\n{self.output}"
        if noise := re.sub(own, "", self.output, flags=re.DOTALL).strip():
            return f"noise: {re.sub(TIME_OF_ICE, '', telling_line(noise))}\n{self.output}"
        try:
            wait_until(self._is_session_empty, "the end of what it has started")
        except AssertionError as error:
            return f"{error}\n{self.output}"
        return ""

    def _is_session_empty(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Requests:
    """Asks a server for its page, from several threads, until it is gone. A page is the id of the process."""

    def __init__(self, port: int, at_once: int = 4) -> None:
        self._port = port
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(at_once)]
        self.pages: Counter[str] = Counter()
        self.refused: list[int] = []
        """The status of each page that was not answered with 200."""

    def _ask(self) -> None:
        while not self._is_over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WITHIN)
            try:
                connection.request("GET", "/", headers={"Connection": "close"})
                response = connection.getresponse()
                page = response.read().decode()
            except (OSError, http.client.HTTPException):  # it is not there yet, or no more
                self._is_over.wait(0.02)
                continue
            finally:
                connection.close()
            if response.status == 200:
                self.pages[page] += 1
            else:
                self.refused.append(response.status)

    def wait_for_pages(self, count: int, processes: int, others: frozenset[str] = frozenset()) -> None:
        """Waits until so many processes have sent so many pages together, some processes not counted."""

        def has_come() -> bool:
            senders = {*self.pages} - others
            return len(senders) >= processes and sum(self.pages[each] for each in senders) >= count

        wait_until(has_come, f"{count} pages from {processes} processes")

    def end(self) -> None:
        """Asks no more. Those that were asked for have come then."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "Requests":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@contextlib.contextmanager
def echo_server() -> Iterator[str]:
    """An Ice server in a process of its own; its proxy, as text."""
    words = [python(), PROGRAMS / "echo_server.py"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def check(deployment: Deployment, folder: Path, side: Side = Side.GUARDED, runs: int = RUNS) -> None:
    """Fails unless all runs end well."""
    import Ice

    if not hasattr(Ice, "Future"):
        pytest.skip("Ice 3.6 has no futures, which the programs are written with")
    with echo_server() as echo:
        for number in range(runs):
            short = deployment(side, folder, echo)
            assert not short, f"run {number + 1} of {runs}, {side.value}: {short}"


def compare(deployments: dict[str, Deployment]) -> int:
    """What a file of deployments does as a command: runs each many times on both sides, alternately.

    The exit status: 1 if a guarded run fell short.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=20, help="runs of each deployment on each side (%(default)s)")
    parser.add_argument("-k", default="", metavar="TEXT", help="only those whose name has this in it")
    given = parser.parse_args()
    is_short = False
    with tempfile.TemporaryDirectory() as folder, echo_server() as echo:
        for name, deployment in deployments.items():
            if given.k not in name:
                continue
            found: dict[Side, Counter[str]] = {Side.PLAIN: Counter(), Side.GUARDED: Counter()}
            for _ in range(given.n):
                for side, shorts in found.items():
                    try:
                        short = deployment(side, Path(folder), echo)
                    except (AssertionError, RuntimeError, TimeoutError) as error:  # it died before it was to end
                        short = str(error)
                    if short and side is Side.GUARDED:
                        print(short, file=sys.stderr, flush=True)
                    shorts[short.partition("\n")[0]] += 1
            is_short |= found[Side.GUARDED][""] < given.n
            ends = ", ".join(f"{side.value} {shorts['']}/{given.n}" for side, shorts in found.items())
            worst = [f"{count} {short}" for short, count in found[Side.PLAIN].most_common() if short]
            print(f"{name:44}{ends:30}{worst[0] if worst else ''}", flush=True)
    return is_short
