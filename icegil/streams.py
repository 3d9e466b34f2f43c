"""The standard streams and the log at the end, when a thread may be stopped for ever with the lock of one in hand."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator

import icegil._bridge as _bridge
from icegil.errand import Errand, log

PATIENCE = 0.2
"""Seconds that a stream may take to be flushed, and a handler of the log to be free."""


def leave_behind() -> None:
    """Takes the standard streams away from stuck threads, which may be stopped with the lock of one in hand.

    CPython flushes the streams as it finalizes, and ends the process with a fatal error when it cannot get that lock
    (bufferedio.c, _enter_buffered_busy). The new ones have no buffer and no lock, as under `python -u`.
    """
    for name in ("stdout", "stderr"):
        old = getattr(sys, name, None)
        if type(old) is io.TextIOWrapper and type(old.buffer) is io.BufferedWriter and not old.closed:
            # It was closed in this moment; or no thread is to be had: then Python flushes it, as without icegil.
            with contextlib.suppress(OSError, ValueError):
                _leave(name, old)


def _leave(name: str, old: io.TextIOWrapper) -> None:
    raw = io.FileIO(old.fileno(), "w", closefd=False)
    flushing = Errand(old.flush)  # on a thread of its own: whoever reads a full pipe may not read on
    with contextlib.suppress(OSError):
        flushing.wait(PATIENCE)
    _bridge.keep_alive(old)
    new = io.TextIOWrapper(raw, old.encoding, old.errors, write_through=True)
    for each in (name, f"__{name}__"):
        if getattr(sys, each, None) is old:
            setattr(sys, each, new)


def warn(text: str) -> None:
    """Says `text` in the log, as a warning; on the standard error itself if a handler of the log is not to be had."""
    if all(_is_free(handler) for handler in _handlers()):
        log.warning(text)
        return
    with contextlib.suppress(OSError):
        os.write(2, f"icegil: {text}\n".encode(errors="backslashreplace"))


def _handlers() -> Iterator[logging.Handler]:
    logger: logging.Logger | None = log
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _is_free(handler: logging.Handler) -> bool:
    lock = handler.lock
    if lock is None:
        return True
    if not lock.acquire(timeout=PATIENCE):
        return False
    lock.release()
    return True
