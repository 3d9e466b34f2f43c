"""Runs a program in a child process, plain or guarded. What is used of `icegil torture` is named here alone."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from icegil.commands.torture.endings import Children, run, status_text, telling_line
from icegil.commands.torture.endings import Ending as Outcome
from icegil.commands.torture.results import Side
from tools.differ.part import Target
from tools.differ.program import Program, Way

__all__ = ["Laboratory", "Outcome", "Side", "status_text", "target_of", "telling_line"]

ROOT = Path(__file__).resolve().parents[2]

DRAIN = 2.0
"""Seconds that icegil may take for a shutdown: less than it takes by itself, for the stuck ones to be done with."""

WITHIN = 10.0
"""Seconds after which a program that has not ended is taken to have hung."""

FOLDER = "folder"
"""What stands for the folder of a program in what it printed."""


def with_icegil(python: str, folder: Path) -> str:
    """The interpreter of an environment in `folder`, with the packages of this one, in which icegil is installed."""
    done = subprocess.run([python, ROOT / "tools/installed.py", folder], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def target_of(python: str) -> Target:
    """The versions of this interpreter and of its Ice."""
    code = "import Ice, sys; print(*sys.version_info[:2], Ice.intVersion())"
    done = subprocess.run([python, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"differ: {python} has no Ice: {done.stderr}")
    major, minor, ice = map(int, done.stdout.split())
    return Target((major, minor), ice)


@dataclass(frozen=True)
class Laboratory:
    """Where programs are run. Usable from any thread."""

    python: str
    within: float = WITHIN
    drain: float = DRAIN
    children: Children = field(default_factory=Children)

    def command(self, program: Program, side: Side, path: str) -> list[str]:
        """The command that runs a program, which stands in this file."""
        words = [self.python, *program.options]
        if side is Side.GUARDED and program.way is Way.VARIABLE:
            words = ["env", Way.VARIABLE.value, *words]
        if side is Side.GUARDED and program.way is Way.RUN:
            words += ["-m", "icegil", "run", "--drain-timeout", f"{self.drain:g}"]
        return [*words, path]

    def run(self, program: Program, side: Side) -> Outcome:
        """Runs it once, and waits for its end."""
        path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, path)), "ICEGIL_DRAIN_TIMEOUT": f"{self.drain:g}"}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "program.py")
            file.write_text(program.text if side is Side.PLAIN else program.guarded_text)
            words = self.command(program, side, str(file))
            done = run(words, self.within, environment, self.children, native_stacks=False)
        stdout, stderr = (text.replace(folder, FOLDER) for text in (done.stdout, done.stderr))
        return Outcome(done.status, stdout, stderr, done.seconds, done.hung)
