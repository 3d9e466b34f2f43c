"""Measures an operation in a child process, plain or guarded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import icegil
from icegil.commands.words import StrEnum
from tools.leaks.measuring import Kept
from tools.leaks.memory import EXACT

ROOT = Path(__file__).resolve().parents[2]

ICEGIL = "import sys; from icegil.commands.cli import main; sys.exit(main())"
"""The `icegil` command as pip writes it: icegil may not be installed."""


class Side(StrEnum):
    """How an operation is run."""

    PLAIN = "plain"
    GUARDED = "guarded"


class ChildFailed(Exception):
    """A child did not say what was kept; its last words."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: so many windows, each of this part of an operation's count."""

    windows: int = 5
    part: float = 1.0

    def count(self, full: int) -> int:
        """The operations in a window."""
        return max(1, round(full * self.part))


def environment() -> dict[str, str]:
    """That of the children: without settings of icegil, and with malloc as it can be measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ICEGIL_")}
    home = str(Path(icegil.__file__).parent.parent)  # the icegil that is used here, also where it is only built
    path = os.pathsep.join(filter(None, [home, str(ROOT), kept.get("PYTHONPATH")]))
    return {**kept, **EXACT, "PYTHONPATH": path, "ICEGIL_MODE": "guard"}


def measure(side: Side, name: str, count: int, windows: int, *, module: str, seconds: float) -> Kept:
    """What is kept of each operation of this name, which this module has. It may take so many seconds.

    Raises
    ------
    ChildFailed
        The child says nothing, or stands still.
    """
    run = ["-c", ICEGIL, "run"] if side is Side.GUARDED else []
    command = [sys.executable, *run, "-m", "tools.leaks.child", module, name, str(count), str(windows)]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as child:
        try:
            stdout, stderr = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise ChildFailed(f"stands still for {seconds:.0f} seconds") from None
    # Plain Ice may well end badly after it was measured, and that is not what is looked at here.
    if not stdout.strip() or (side is Side.GUARDED and child.returncode != 0):
        raise ChildFailed(_ending(child.returncode, stderr))
    return Kept(**json.loads(stdout.splitlines()[-1]))


def _ending(status: int, stderr: str) -> str:
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    words = stderr.strip().splitlines()
    return f"{how}: {words[-1][:200]}" if words else how
