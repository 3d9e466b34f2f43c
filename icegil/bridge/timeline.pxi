# What is recorded of crossings, gate and communicators, if anything is: include/icegil/trace.hpp.
from libc.string cimport strerror

from icegil.bridge.interpreter cimport check_gil
from icegil.bridge.native_id cimport native_id
from icegil.bridge.posix cimport on_exit
from icegil.bridge.thread cimport Thread
from icegil.bridge.trace cimport Trace, current_trace
from icegil.bridge.trace_at_exit cimport TraceAtExit
from icegil.bridge.trace_file cimport write_trace

import os

cdef Trace* recorded = NULL  # never destroyed: a thread may be recording
cdef TraceAtExit trace_at_exit
cdef object name_of_this_thread = None

cdef dict communicator_events = {
    "made": TraceKind.made,
    "destroying": TraceKind.destroying,
    "destroyed": TraceKind.destroyed,
}


cdef void leave_trace_to_parent() noexcept nogil:
    # In a forked child.
    global recorded
    current_trace.store(NULL)
    recorded = NULL
    trace_at_exit.path = NULL
    this_thread(gate[0]).is_named = False


def start_trace(size_t capacity, own_name, /):
    """Records from now on, the latest `capacity` events, a power of two; goes on if it records already.

    `own_name()` says what Python calls the calling thread.
    """
    global recorded, name_of_this_thread
    name_of_this_thread = own_name
    if recorded == NULL:
        recorded = new Trace(capacity)
    current_trace.store(recorded)


def stop_trace():
    current_trace.store(NULL)


def is_tracing():
    return current_trace.load() != NULL


def trace_communicator(str event, unsigned long long number, bytes place, /):
    """Notes that a communicator was "made", is "destroying" or is "destroyed"."""
    cdef TraceKind kind = communicator_events[event]
    if current_trace.load() != NULL:
        name_in_trace(None)
        trace(kind, number, recorded.kept(place))


def name_thread_in_trace(int tid, str name, /):
    """What the timeline calls a thread."""
    if recorded != NULL:
        recorded.name(tid, name.encode(errors="backslashreplace"))


cdef void name_in_trace(
    str name,
) noexcept:
    # The calling thread, which may have ended when the timeline is written; None: ask Python, once.
    cdef Thread* me = &this_thread(gate[0])
    if current_trace.load() == NULL or me.is_named:
        return
    me.is_named = True
    if name is None:
        name = name_of_this_thread()
        check_gil("the name of a thread")
    name_thread_in_trace(native_id(), name)


def trace_shutdown_begins():
    trace(TraceKind.shutdown_begins)


def trace_finalizing():
    trace(TraceKind.finalizing)
    schedule(Point.finalizing)


def save_trace(bytes path, bytes facts, /):
    """Writes the events so far to a file. OSError if that fails."""
    cdef int error = 0 if recorded == NULL else write_trace(recorded[0], path, facts)
    if error != 0:
        raise OSError(error, strerror(error).decode(), os.fsdecode(path))


def save_trace_at_exit(bytes path, bytes if_clean, bytes if_unclean, /):
    """Has the events written to a file when the process ends, with other facts when something is stuck.

    To be called after `start_trace`.
    """
    if trace_at_exit.path == NULL:
        on_exit(write_trace_at_exit, NULL)
    trace_at_exit.path = recorded.kept(path)
    trace_at_exit.facts_if_clean = recorded.kept(if_clean)
    trace_at_exit.facts_if_unclean = recorded.kept(if_unclean)


def write_trace_before_finalization():
    """What `save_trace_at_exit` is for, done at once: it is the last chance if Python ends the process by a signal."""
    write_trace_at_exit(0, NULL)


cdef void write_trace_at_exit(
    int status,
    void* _,
) noexcept nogil:
    if recorded != NULL:
        trace_at_exit.write(recorded[0], is_unclean)
