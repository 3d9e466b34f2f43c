"""Runs a measured program in a fresh child process and takes its figures."""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import icegil

PROGRAMS = Path(__file__).parent / "programs"
BUILD = Path(__file__).parent.parent / "build" / "bench" / sys.implementation.cache_tag

MOST_SECONDS = 900.0

ICEGIL = "import sys; from icegil.commands.cli import main; sys.exit(main())"
"""The `icegil` command as pip writes it: icegil may not be installed, and `python -m` loads more than it."""


class ChildFailed(Exception):
    """A measured program did not end as it should; its last words."""


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared: how a program is run."""

    name: str
    is_guarded: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    executable: Path | None = None
    """What is run in place of a program in Python."""
    program: str = ""
    """What is run in place of a row's own program."""
    needs: str = ""
    """The module without which that cannot be run."""
    installed_by: str = ""
    """What to type where it is missing."""

    @property
    def missing(self) -> str:
        """Why it cannot be measured here; empty if it can."""
        is_there = self.executable is None or self.executable.exists()
        if is_there and (not self.needs or importlib.util.find_spec(self.needs) is not None):
            return ""
        return f"{self.name} is not installed: {self.installed_by}"

    def command(self, program: str, arguments: list[str]) -> list[str]:
        if self.executable is not None:
            return [str(self.executable), *arguments]
        run = ["-c", ICEGIL, "run"] if self.is_guarded else []
        return [sys.executable, *run, str(PROGRAMS / (self.program or program)), *arguments]


STOCK = Side("stock")
CPLUSPLUS = Side("C++", executable=BUILD / "calls", installed_by="apt-get install libzeroc-ice-dev")
GRPC = Side("grpc.aio", program="grpc_calls.py", needs="grpc", installed_by="pip install grpcio")
GUARDED = Side("icegil", is_guarded=True, environment={"ICEGIL_MODE": "guard"})
WITHOUT_LOCKS = Side(
    "no lock redirects", is_guarded=True, environment={"ICEGIL_MODE": "guard", "ICEGIL_WITHOUT": "locks"}
)
TRACED = Side("icegil", is_guarded=True, environment={"ICEGIL_MODE": "guard", "ICEGIL_TRACE": os.devnull})
NO_LINES = Side("an empty .pth")
VARIABLE = Side("icegil", environment={"ICEGIL_MODE": "guard"})
UNTRACED = Side("no timeline", is_guarded=True, environment={"ICEGIL_MODE": "guard"})


def environment(side: Side, hash_seed: int) -> dict[str, str]:
    """The child's environment: the bench's own, without settings of icegil, and what the side needs.

    The seed decides the order of the names in a set, with it what is freed before what, and so what an exit costs.
    """
    unwanted = ("ICEGIL", "BENCH_", "PYTHONDONTWRITEBYTECODE")  # byte code is what an installed icegil has
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    # The icegil that the bench itself sees, also where it is not installed but built in its source tree.
    home = str(Path(icegil.__file__).parent.parent)
    path = os.pathsep.join(filter(None, [home, kept.get("PYTHONPATH")]))
    fixed = {"PYTHONPATH": path, "PYTHONHASHSEED": str(hash_seed), "BENCH_BUILD": str(BUILD)}
    return {**kept, **fixed, **side.environment}


@contextlib.contextmanager
def on_one_processor() -> Iterator[None]:
    """Keeps what is started meanwhile on one processor, its own children too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(side: Side, program: str, arguments: list[str], hash_seed: int) -> dict[str, float]:
    """The figures that the program prints, and what only the parent sees.

    `process_ms` is how long the whole process took. `exit_ms`, for a program that says when its work was over
    (`work_ended_ns`), is how long it took from then to its end.
    """
    with tempfile.TemporaryFile() as errors:
        begun = time.monotonic_ns()
        child = subprocess.Popen(
            side.command(program, arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(side, hash_seed),
        )
        # Not `communicate(timeout)`: it looks for the end of the process at intervals, which the exit times would show.
        watchdog = threading.Timer(MOST_SECONDS, child.send_signal, [signal.SIGKILL])
        watchdog.daemon = True
        watchdog.start()
        with child.stdout:
            output = child.stdout.read().decode()
        status = child.wait()
        ended = time.monotonic_ns()
        watchdog.cancel()
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
    if status != 0 or not output.strip():
        raise ChildFailed(f"{side.name}: {program} {' '.join(arguments)}: status {status}: {said[-300:]}")
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    figures["process_ms"] = (ended - begun) / 1e6
    if "work_ended_ns" in figures:
        figures["exit_ms"] = (ended - figures.pop("work_ended_ns")) / 1e6
    return figures
