"""Runs the `icegil` command as a user does: in a pseudo-terminal or in a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass

from icegil.commands.torture.endings import RELEASE_WARNINGS

ICEGIL = [sys.executable, "-m", "icegil"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Seen:
    """What a command left behind."""

    status: int
    stdout: str
    """In a terminal: all that was shown, with its escape sequences."""
    stderr: str = ""

    @property
    def text(self) -> str:
        """What was shown, without escape sequences."""
        return ESCAPES.sub("", self.stdout).replace("\r\n", "\n")


def in_pipe(*words: str, **environment: str) -> Seen:
    """`icegil` with these words, its output piped. Environment variables that decide on colours are not handed on."""
    done = subprocess.run([*ICEGIL, *words], capture_output=True, text=True, env=_environment(environment), timeout=120)
    return Seen(done.returncode, done.stdout, done.stderr)


def in_terminal(*words: str, ctrl_c_at: str = "", **environment: str) -> Seen:
    """`icegil` with these words, in a terminal of 140 columns. Ctrl-C is pressed once it shows `ctrl_c_at`."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 140, 0, 0))
        os.execve(sys.executable, [*ICEGIL, *words], _environment({"TERM": "xterm-256color", **environment}))
    shown = b""
    pressed = not ctrl_c_at
    try:
        while part := os.read(terminal, 65536):
            shown += part
            if not pressed and ctrl_c_at.encode() in shown:
                pressed = True
                os.write(terminal, b"\x03")
    except OSError:  # how Linux says that nobody has the other end open any more
        pass
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Seen(status, shown.decode(errors="replace"))


def _environment(more: dict[str, str]) -> dict[str, str]:
    decisive = ("ICEGIL_", "PYTHONWARNINGS", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(decisive)}
    return {**RELEASE_WARNINGS, **kept, **more}
