"""Ice's own servers, started for real on free ports, and programs that are run beside them."""

import contextlib
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deployment import PROGRAMS, TOO_OLD, WITHIN, Process, Run, Side, environment, python, shortfall

from icegil.commands.torture.endings import Ending, run

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
    absent = {what: name for what, name in packages.items() if not (shutil.which(what) or Path(what).exists())}
    install = " ".join(dict.fromkeys(absent.values()))
    return TOO_OLD or (f"{', '.join(absent)}: not there. apt-get install {install}" if absent else "")


def settings(folder: Path, name: str, *lines: str) -> str:
    """A file with properties of Ice, as an argument of whoever is to have them."""
    path = folder / f"{name}.cfg"
    path.write_text("".join(f"{line}\n" for line in lines))
    return f"--Ice.Config={path}"


def program(name: str, *arguments: str) -> list[str]:
    """The words that start one of the programs."""
    return [python(), str(PROGRAMS / name), *arguments]


@contextlib.contextmanager
def running(
    folder: Path, words: list[str], side: Side = Side.PLAIN, *, until: Callable[[Process], object]
) -> Iterator[Process]:
    """A server while it is needed, from the moment in which `until` is true; then it has to end with status 0."""
    with Process(folder, words, side) as process:
        process.wait_until(lambda: until(process), f"{words[0]} is ready")
        try:
            yield process
        finally:  # who has started servers of its own ends them
            process.send(signal.SIGTERM)
            ending = process.wait()
    assert not ending.hung and ending.status == 0, f"{words[0]} ended badly: {ending}"


def judged(ending: Ending, status: int, own: str = "") -> str:
    """What is wrong with it, if anything is. `own` is a regular expression for all that it has to say on stderr."""
    return shortfall(ending, status, "" if re.fullmatch(own, ending.stderr) else ending.stderr or "it said nothing")


def left(name: str, way: str, *arguments: str, before: str = "") -> Run:
    """Runs of a program that leaves in that way. `before` is what it may say on stderr until then."""
    status, own = WAYS.get(way, WAYS["end"])

    def once(side: Side) -> str:
        return judged(run(program(name, way, *arguments), WITHIN, environment(side)), status, before + own)

    return once
