"""Goes through the commands of a README as at a terminal, on ports that are free, and ends what they have started."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from children import ROOT

WITHIN = 90  # seconds
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"\b140\d\d\b")  # what the examples write down
# What the node of IceGrid says of each server, if it is asked to; below it stands any exit status but 0.
NOT_SHOWN = re.compile(r"-- .* icegridnode: Activator: (activating|detected termination of) server `.*'")


@dataclass
class Step:
    """A command of a README, and the lines that the page shows below it."""

    command: str
    shown: list[str] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        return self.command.endswith(" &")


def steps(page: str) -> list[Step]:
    found: list[Step] = []
    for line in "".join(BLOCK.findall(page)).splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ ")))
        else:
            found[-1].shown.append(line)
    return found


@dataclass
class Started:
    """A process that a command has started."""

    command: str
    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    @property
    def is_python(self) -> bool:
        return self.command.split()[0] in ("python", "uvicorn") or "| python" in self.command

    def lines(self) -> list[str]:
        """What it has put on the screen. What programs that are not ours say on stderr is there as well."""
        files = [self.stdout] if self.is_python else [self.stdout, self.stderr]
        lines = (line for each in files for line in each.read_text().splitlines())
        return [line for line in lines if not NOT_SHOWN.fullmatch(line)]

    def __str__(self) -> str:
        said = f"--- stdout\n{self.stdout.read_text()}\n--- stderr\n{self.stderr.read_text()}"
        return f"{self.command!r}, status {self.process.poll()}\n{said}"


class Terminal:
    """A copy of an example's folder, and what is run in it. As a context: at its end, nothing of it goes on."""

    def __init__(self, example: Path, folder: Path) -> None:
        self.folder = folder / example.name
        self.started: list[Started] = []
        self._logs, self._bin = folder / "logs", folder / "bin"
        self._expected: Counter[str] = Counter()
        for each in (self.folder, self._logs, self._bin):
            each.mkdir()
            each.chmod(0o755)  # icegridnode, as root, starts servers as `nobody`

        texts = {path.name: path.read_text() for path in example.iterdir() if path.is_file()}
        self._ports = free_ports({int(port) for text in texts.values() for port in PORT.findall(text)})
        for name, text in texts.items():
            (self.folder / name).write_text(PORT.sub(lambda found: str(self.port(int(found[0]))), text))

        for name, command in {"python": sys.executable, "slice2py": slice2py()}.items():
            (self._bin / name).write_text(f'#!/bin/sh\nexec {shlex.quote(command)} "$@"\n')
            (self._bin / name).chmod(0o755)
        path = [str(self._bin), str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
        python_path = filter(None, [ROOT, os.environ.get("PYTHONPATH")])
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": os.pathsep.join(python_path),
        }

    def port(self, written: int) -> int:
        """The port in the place of one that the example writes down."""
        return self._ports[written]

    def run(self, step: Step) -> Started:
        """Runs a command, and waits until what the README shows is on the screen, and no more."""
        words = step.command.removesuffix(" &")
        stdout, stderr = (self._logs / f"{len(self.started)}.{name}" for name in ("out", "err"))
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {words}" if step.goes_on else words],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        started = Started(words, process, stdout, stderr)
        self.started.append(started)
        self._expected.update(step.shown)
        if not step.goes_on:
            process.wait(WITHIN)
        ports = [int(port) for port in re.findall(r"--port (\d+)", words)] if step.goes_on else []
        self._wait_for(lambda: self._is_shown() and all(map(listens, ports)))
        return started

    def _is_shown(self) -> bool:
        return Counter(line for each in self.started for line in each.lines()) == self._expected

    def stop(self, number: signal.Signals) -> list[Started]:
        """Ends what still runs, one after the other, the last first; the processes that were ended."""
        running = [each for each in reversed(self.started) if each.process.poll() is None]
        for each in running:
            each.process.send_signal(number)
            each.process.wait(WITHIN)
        self._wait_for(self._is_shown)
        return running

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        until = time.monotonic() + WITHIN
        while not condition():
            has_failed = self.started[-1].process.poll() not in (None, 0)
            assert time.monotonic() < until and not has_failed, str(self)
            time.sleep(0.02)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        for each in reversed(self.started):
            if each.process.poll() is None:
                each.process.terminate()  # icegridnode takes its servers with it
                try:
                    each.process.wait(WITHIN)
                except subprocess.TimeoutExpired:
                    each.process.kill()
                    each.process.wait()

    def still_running(self) -> list[str]:
        """The command lines of processes that have to do with the folder, whoever started them."""
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile
                if str(self.folder) in os.readlink(process / "cwd"):
                    lines.append((process / "cmdline").read_text().replace("\0", " "))
        return lines

    def __str__(self) -> str:
        expected = "".join(f"{line}\n" for line in self._expected.elements())
        return f"expected on the screen:\n{expected}\n" + "\n".join(map(str, self.started))


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def free_ports(written: set[int]) -> dict[int, int]:
    """A free port for each."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in written]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {port: each.getsockname()[1] for port, each in zip(sorted(written), sockets, strict=True)}


def slice2py() -> str:
    """The Slice compiler: beside the interpreter, where PyPI's Ice brings it, else the distribution's."""
    beside = Path(sys.executable).with_name("slice2py")
    return str(beside) if beside.exists() else shutil.which("slice2py") or "slice2py"
