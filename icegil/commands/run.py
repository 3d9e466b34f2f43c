"""`icegil run`: runs a program as `python` would, guarded from its start, and so the processes that it starts."""

from __future__ import annotations

import os
import sys

import icegil.commands.inherited as inherited
import icegil.commands.on_path as on_path
import icegil.commands.program as program
import icegil.guard as guard
from icegil.commands.inherited import TRACE
from icegil.errors import GuardUnavailable, UnsupportedIce

_FOLLOWED_BY_A_VALUE = ("--drain-timeout", "--trace", "--without")


class UsageError(Exception):
    """The command line, or a setting of the environment, cannot be right; its text says why."""


def divide(words: list[str]) -> tuple[list[str], list[str]]:
    """What is icegil's of the words after `run`, and what belongs to the program, from the first that names it.

    argparse does not draw that line everywhere: it splits `-mmodule --drain-timeout 3`, and takes a `--` away.
    """
    at = 0
    while at < len(words) and words[at].startswith("-") and not words[at].startswith(("-m", "-c")):
        if words[at] in ("-", "--"):
            break
        at += 2 if words[at] in _FOLLOWED_BY_A_VALUE else 1
    return words[:at], words[at:]


def run(
    words: list[str],
    *,
    drain_timeout: float | None = None,
    without: str | None = None,
    trace_file: str | None = None,
    has_report: bool = False,
    has_children: bool = True,
) -> None:
    """Runs the program that `words` name, with its arguments. Does not return where Python would not either.

    Raises
    ------
    UsageError
        Before anything of the program ran.
    """
    prepare, name, arguments = _program(words)
    program.take_own_path_away()
    run = prepare(name, arguments)
    if has_report:
        import icegil.commands.report as report

        report.at_exit()
    # Now that `sys.path` is the program's: the Ice that it would import is the one to guard.
    before = os.environ.get(TRACE)
    if trace_file is not None:
        os.environ[TRACE] = os.path.abspath(trace_file)
    try:
        guard.install(drain_timeout=drain_timeout, without=without)
    except (ValueError, GuardUnavailable) as error:  # the environment's settings
        raise UsageError(str(error)) from None
    except UnsupportedIce as error:
        sys.exit(f"icegil: {error}")
    except ImportError as error:
        sys.exit(f"icegil: zeroc-ice cannot be imported: {error}. Install it: pip install zeroc-ice")
    except OSError as error:
        if not (trace := trace_file or before):
            raise  # from the import of Ice
        raise UsageError(f"the timeline cannot be written to {trace}: {error.strerror}") from None
    if has_children:
        inherited.hand_on(drain_timeout=drain_timeout, without=without, has_report=has_report)
    else:
        inherited.keep_back(trace=before)
    run()


def _program(words: list[str]) -> tuple[program.Prepare, str, list[str]]:
    """How the program is to be prepared, what it is, and its arguments."""
    option = words[0][:2] if words else ""
    if option in ("-m", "-c"):
        words = [words[0][2:], *words[1:]] if words[0][2:] else words[1:]
        if not words:
            raise UsageError(f"argument expected for {option}")
        return program.prepare_module if option == "-m" else program.prepare_code, words[0], words[1:]
    if option == "--":
        words = words[1:]
    if not words:
        raise UsageError("a script, -m module, -c code, a command or - is needed")
    if words[0] == "-":
        return program.prepare_stdin, words[0], words[1:]
    try:
        return program.prepare_file, on_path.find(words[0]) or words[0], words[1:]
    except on_path.NotOfThisPython as error:
        raise UsageError(str(error)) from None
