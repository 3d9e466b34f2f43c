"""Work on threads of Python's, where the boundary is Python and has no native ones."""

from __future__ import annotations

import _thread
import contextlib
import os
from collections.abc import Callable
from queue import SimpleQueue

_for_the_end: SimpleQueue[Callable[[], None]] | None = None
"""What the thread that is kept has to do."""


def call_on_native_thread(work: Callable[[], object], completed: Callable[[BaseException | None], object], /) -> None:
    """On a thread of Python's, which no `threading` function shows; if there can be none, here and now."""

    def run() -> None:
        error = None
        try:
            work()
        except BaseException as raised:
            error = raised
        completed(error)

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:
        run() if _for_the_end is None else _for_the_end.put(run)


def keep_thread() -> None:
    """Starts a thread now that waits for what is to be done at the end, when Python may start none."""
    global _for_the_end

    def do(work: SimpleQueue[Callable[[], None]]) -> None:
        while True:
            work.get()()

    if _for_the_end is None:
        work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        with contextlib.suppress(RuntimeError):  # there can be none: it is the end already, say
            _thread.start_new_thread(do, (work,))
            _for_the_end = work


def _forget_thread() -> None:
    """In a forked child, where it is not."""
    global _for_the_end
    _for_the_end = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_thread)
