"""The timeline of a process: callbacks, the gate, communicators and the shutdown, for Perfetto and `icegil timeline`.

Recorded by native code into a ring of fixed size: what is kept are the latest events, about the last 60,000 callbacks.
Off, it costs one load for each callback; on, well under a microsecond.

A file belongs to one process, the first that records into it. It tells its child processes so, in the environment's
`ICEGIL_TRACE_OWNERS`. A child that is to record into the same file, since it inherits `ICEGIL_TRACE` say, puts its
process id before the suffix: `timeline.1234.json`. A process that has executed another program, itself say, is still
the same one. Processes of which none has started the other do not know of each other.
"""

from __future__ import annotations

import json
import os
import platform
import threading

import icegil._bridge as _bridge
import icegil._compat as _compat
import icegil.boundary as boundary
import icegil.lifecycle as lifecycle
import icegil.versions as versions
from icegil.errand import log
from icegil.settings import Setting

CAPACITY = 1 << 17
"""Number of events that are kept, 48 bytes each."""

_asked = Setting("", "default")
"""The file that the environment or a property has asked for. Who else may be recording is a call."""


def start(path: str | os.PathLike[str] | None = None) -> None:
    """Records from now on. Callable from any thread; without effect on a recording that is under way.

    Parameters
    ----------
    path : path | None
        Where the timeline is written: at once, at the end of the shutdown, and when the process ends, however unclean
        that is. If a signal kills the process, or `os._exit` ends it, what was recorded since is lost. Others find the
        file whole at any time. A child process of one that has this file already puts its process id before the
        suffix. None: the timeline is written by `save` only. A forked child does not record.

    Raises
    ------
    OSError
        Nothing can be written there.
    NotImplementedError
        icegil was installed without its extension, which is what records.
    """
    was_recording = _bridge.is_tracing()
    file = None if path is None else _file_of_this_process(path)
    _bridge.start_trace(CAPACITY, _own_name)
    if file is not None:
        try:
            _save_at_exit(file)
        except OSError:
            if not was_recording:
                _bridge.stop_trace()
            raise
    if not was_recording:
        for life in lifecycle.lives():
            life.note("made")


def start_for_environment(path: str) -> None:
    """Records from now on for the environment's `ICEGIL_TRACE`. OSError: nothing can be written there."""
    _start_for("environment", path)


def start_for_property(path: str) -> None:
    """Records from now on for a communicator's `IceGil.Trace`: that of the first one which has it.

    It goes before the environment's, and a call goes before it. What cannot be done is said in the log.
    """
    if _asked.source == "properties":
        if path != _asked.value:
            log.info("IceGil.Trace=%s is not followed: another communicator has the timeline in %s", path, _asked.value)
        return
    if _bridge.is_tracing() and _asked.source != "environment":
        return
    if _bridge.is_tracing():
        log.info("the timeline goes to %s, as IceGil.Trace says: %s has its beginning only", path, _asked.value)
    try:
        _start_for("properties", path)
    except OSError as error:
        log.warning("no timeline: IceGil.Trace=%s cannot be written: %s", path, error.strerror)


def _start_for(source: str, path: str) -> None:
    global _asked
    if boundary.IS_COMPILED:
        start(path)
        _asked = Setting(path, source)
    else:
        log.warning("no timeline: %s", boundary.why_not_compiled())


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
    _bridge.save_trace(os.fsencode(_whole(path)), _facts(clean=None))


def note_shutdown() -> None:
    """Notes that the shutdown begins, and what the threads are called that it may find stuck."""
    _name_threads()
    _bridge.trace_shutdown_begins()


def _save_at_exit(file: str) -> None:
    if _is_replaced(file):
        _bridge.save_trace(os.fsencode(file), _facts(clean=None))
    else:
        with open(file, "a"):  # what is written there stays: only once, at the end
            pass
    _bridge.save_trace_at_exit(os.fsencode(file), _facts(clean=True), _facts(clean=False))


def _is_replaced(file: str) -> bool:
    """False for a device or a pipe, or what else there is that is no file."""
    return os.path.isfile(file) or not os.path.exists(file)


def _whole(path: str | os.PathLike[str]) -> str:
    """The path from the root: the program may change its directory, and a link is to stay one."""
    return os.path.realpath(path) if _is_replaced(os.fspath(path)) else os.path.abspath(path)


OWNERS = "ICEGIL_TRACE_OWNERS"
"""The variable of the environment that names the files that have an owner, one a line: who it is, and the path."""


def _file_of_this_process(path: str | os.PathLike[str]) -> str:
    """The path, or where another process owns that, one with the process id in its name."""
    file = _whole(path)
    if not _is_replaced(file):
        return file
    me, known = _identity(), os.environ.get(OWNERS, "")
    for line in known.split("\n"):
        owner, _, owned = line.partition(" ")
        if owned == file and owner != me:
            base, suffix = os.path.splitext(file)
            return f"{base}.{os.getpid()}{suffix}"
        if owned == file:
            return file
    os.environ[OWNERS] = f"{known}\n{me} {file}".lstrip()
    return file


def _identity() -> str:
    """The process id and when the process began, which it keeps when it executes another program: ids come again."""
    with open("/proc/self/stat") as file:
        return f"{os.getpid()}@{file.read().rpartition(')')[2].split()[19]}"  # proc(5): the 22nd field


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
