"""The native threads, as people see them: what they are called, and where in Python they are."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from traceback import StackSummary

import icegil._bridge as _bridge

_OWN = ("icegil.lifecycle", "icegil.shutdown")
"""The modules in which the errands of the bridge's own threads begin."""


def name_thread() -> None:
    """Gives the calling thread, one of Ice's, a name that tells it in logs and debuggers."""
    threading.current_thread().name = f"Ice-{threading.get_native_id()}"


def places() -> list[str]:
    """Where each native thread is, in a few words."""
    return [f"thread {native_id} is in {_place(stack)}" for native_id, stack in _native_stacks()]


def stacks() -> list[str]:
    """Where each native thread is, with the whole of its Python stack: the lines of a report."""
    lines = []
    for native_id, stack in _native_stacks():
        lines.append(f"thread {native_id} is in:")
        lines += [line.rstrip("\n") for line in stack.format()]
    return lines


def _native_stacks() -> list[tuple[str, StackSummary]]:
    """The Python stacks of the native threads, but for the bridge's own: whoever is inside the gate is among them."""
    native_ids = {thread: native_id for thread, native_id, _ in _bridge.occupants()}
    pythons = {t.ident for t in threading.enumerate() if not isinstance(t, threading._DummyThread)}
    found = []
    for thread, frame in sys._current_frames().items():
        *_, (outermost, _line) = traceback.walk_stack(frame)
        is_own = outermost.f_globals.get("__name__") in _OWN
        if thread not in pythons and thread != threading.get_ident() and not is_own:
            found.append((str(native_ids.get(thread, hex(thread))), traceback.extract_stack(frame)))
    return found


def _place(stack: StackSummary) -> str:
    """The innermost call that is not the standard library's waiting."""
    waiting = ("threading.py", "queue.py", "selectors.py")
    calls = [call for call in stack if os.path.basename(call.filename) not in waiting] or list(stack)
    return f"{calls[-1].name} ({calls[-1].filename}:{calls[-1].lineno})"
