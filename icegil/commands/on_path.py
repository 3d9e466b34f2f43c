"""A command on PATH that this Python runs: `icegil run gunicorn` finds it as a shell would."""

from __future__ import annotations

import os
import sys

LONGEST_LINE = 4096  # bytes; nobody has a path that is longer


class NotOfThisPython(Exception):
    """There is such a command, but this Python does not run it; its text says what does."""


def find(word: str) -> str | None:
    """The file of the command `word`; None if the word is a path, or no command, or a file here that Python can run.

    Raises
    ------
    NotOfThisPython
    """
    if os.path.dirname(word) or os.path.isfile(word) or os.path.isfile(os.path.join(word, "__main__.py")):
        return None
    import shutil  # not at the top: it is more to load than all of `icegil run`, and most programs are files

    path = shutil.which(word)
    if path is None:
        return None
    interpreter = _interpreter(path)
    if interpreter is None:
        raise NotOfThisPython(f"{path} is no Python program; ICEGIL=1 {word} ... guards the Python processes it starts")
    if not _is_this(interpreter):
        raise NotOfThisPython(
            f"{path} is run by {interpreter}, not by {sys.executable}; if icegil is installed there too, "
            f"ICEGIL=1 {word} ... guards it"
        )
    return path


def _interpreter(path: str) -> str | None:
    """The Python that the first lines of a script name; None if they name none."""
    try:
        with open(path, "rb") as file:
            lines = [os.fsdecode(file.readline(LONGEST_LINE)) for _ in range(2)]
    except PermissionError:  # no script, then: an interpreter could not read it either
        return None
    if not lines[0].startswith("#!"):
        return None
    words = lines[0][2:].split()
    if words and os.path.basename(words[0]) == "sh" and lines[1].startswith("'''exec'"):
        # How pip writes a path that has spaces, or is too long for the kernel.
        words = [lines[1].split('"')[1]] if '"' in lines[1] else lines[1].split()[1:]
    if words and os.path.basename(words[0]) == "env":
        import shutil

        found = next((each for each in words[1:] if not each.startswith("-")), "")
        words = [shutil.which(found) or found]
    return words[0] if words and "python" in os.path.basename(words[0]) else None


def _is_this(interpreter: str) -> bool:
    """Whether that runs the programs of the same environment as this process does."""
    folder = os.path.dirname(os.path.abspath(interpreter))
    return os.path.realpath(folder) == os.path.realpath(os.path.dirname(sys.executable))
