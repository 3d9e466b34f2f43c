"""The making of communicators: where in the program, by which threads, and which are being made."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

import icegil._bridge as _bridge

threads: set[int] = set()
"""Threads that have made some, as `threading.get_ident()`, which another thread may have by now."""
under_way: list[Any] = []
"""Communicators that a thread is just making."""

_BOTTOM = "icegil.commands.program"
"""The module whose frames lie below those of a program that `icegil run` runs."""


def _home(module: ModuleType) -> str:
    """The folder of a module's files, or its one file: Ice 3.6 is no package."""
    file = module.__file__ or ""
    return os.path.dirname(file) if hasattr(module, "__path__") else file


def callers() -> list[traceback.FrameSummary]:
    """Where the program is, innermost first: one frame, all of them in Python's development mode."""
    own = {_home(sys.modules["icegil"]), _home(sys.modules["Ice"])}
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (module := frame.f_globals.get("__name__")) != _BOTTOM:
        filename = frame.f_code.co_filename
        if not own & {filename, os.path.dirname(filename)} and module != "runpy":  # which is `python -m`
            found.append(traceback.FrameSummary(filename, frame.f_lineno, frame.f_code.co_name))
            if not sys.flags.dev_mode:
                break
        frame = frame.f_back
    return found


@contextlib.contextmanager
def noted(what: object) -> Iterator[None]:
    """A communicator is made. When all others were destroyed, nobody destroys it any more."""
    under_way.append(what)
    threads.add(threading.get_ident())
    _note_late_communicator()
    try:
        yield
        _note_late_communicator()
    finally:
        under_way.remove(what)


def _note_late_communicator() -> None:
    if _bridge.gate_state() == "sealed":
        _bridge.note_unclean()
