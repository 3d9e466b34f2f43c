"""The timeline of a process: callbacks, the gate, communicators and the shutdown, for Perfetto and `icegil timeline`.

Recorded by native code into a ring of fixed size: what is kept are the latest events, about the last 60,000 callbacks.
Off, it costs one load for each callback; on, well under a microsecond.
"""

from __future__ import annotations

import json
import os
import platform
import threading

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.lifecycle as lifecycle
import icegil.versions as versions

CAPACITY = 1 << 17
"""Number of events that are kept, 48 bytes each."""


def start(path: str | os.PathLike[str] | None = None) -> None:
    """Records from now on. Callable from any thread; without effect on a recording that is under way.

    Parameters
    ----------
    path : path | None
        Where the timeline is written when the process ends, however unclean that is; but not when a signal kills it,
        and not by `os._exit`. None: it is written by `save` only. A forked child does not record.

    Raises
    ------
    OSError
        Nothing can be written there.
    """
    was_recording = _bridge.is_tracing()
    if path is not None:
        whole = os.path.abspath(path)  # the program may change its directory
        with open(whole, "a"):
            pass
        _bridge.start_trace(CAPACITY, _own_name)
        _bridge.save_trace_at_exit(os.fsencode(whole), _facts(clean=True), _facts(clean=False))
    else:
        _bridge.start_trace(CAPACITY, _own_name)
    if not was_recording:
        for life in lifecycle.lives():
            life.note("made")


def stop() -> None:
    """Records no more. What was recorded can still be saved."""
    _bridge.stop_trace()


def save(path: str | os.PathLike[str]) -> None:
    """Writes what was recorded so far, in the Chrome trace event format. Callable from any thread while others record.

    Raises
    ------
    OSError
        It cannot be written there.
    """
    _name_threads()
    _bridge.save_trace(os.fsencode(path), _facts(clean=None))


def note_shutdown() -> None:
    """Notes that the shutdown begins, and what the threads are called that it may find stuck."""
    _name_threads()
    _bridge.trace_shutdown_begins()


def _name_threads() -> None:
    for thread in threading.enumerate():
        if thread.native_id is not None and not thread.name.startswith("Dummy-"):
            _bridge.name_thread_in_trace(thread.native_id, thread.name)


def _own_name() -> str:
    thread = _compat.known_thread()
    return thread.name if thread is not None else f"thread-{threading.get_native_id()}"


def _facts(clean: bool | None) -> bytes:
    facts: dict[str, object] = {"icegil": versions.ICEGIL, "python": platform.python_version()}
    if (ice := versions.ice()) is not None:
        facts["ice"] = ice
    if clean is not None:
        facts["clean"] = clean
    return json.dumps(facts)[1:-1].encode()
