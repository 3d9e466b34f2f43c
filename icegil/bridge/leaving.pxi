# The end: the gate is closed, threads that come too late, a callback that exits, and the process that leaves.
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_INCREF
from libc.stdio cimport fflush

from icegil.bridge.gate cimport Clock, nanoseconds
from icegil.bridge.interpreter cimport Py_Exit, PyModule_GetDef, PyModuleDef
from icegil.bridge.posix cimport _exit, on_exit, pthread_exit

import sys

cdef bint is_unclean = False  # somebody is stuck, and lives on beside finalization
cdef object exit_hook = None


def drain(double timeout, /):
    """Closes the gate to those outside and waits up to `timeout` seconds for those inside; how many are left.

    The calling thread is the finalizer from here on. A signal handler that raises ends the waiting.
    """
    cdef Visitor* me = this_visitor()
    cdef Clock.time_point deadline = Clock.now() + nanoseconds(<long long> (min(timeout, 1e9) * 1e9))
    cdef Clock.time_point look_at_signals
    cdef size_t left
    if gate.state() == State.open:
        trace(TraceKind.draining)
    while True:
        with nogil:
            schedule(Point.draining)
            look_at_signals = Clock.now() + nanoseconds(50_000_000)
            left = gate.drain(me[0], look_at_signals if look_at_signals < deadline else deadline)
            schedule(Point.drained)
        if left == 0 or not (Clock.now() < deadline):
            return left
        PyErr_CheckSignals()


def seal():
    gate.seal()
    trace(TraceKind.sealed)
    schedule(Point.sealed)


def clean_up_icepy():
    """Calls what IcePy would have CPython call when its module is freed.

    It never is: the module outlives finalization, and a process logger in Python is then freed by a static destructor
    of C++, without an interpreter.
    """
    icepy = sys.modules["IcePy"]
    cdef PyModuleDef* definition = PyModule_GetDef(icepy)
    if definition != NULL and definition.m_free != NULL:
        definition.m_free(<void*> icepy)


def keep_alive(thing, /):
    """Gives `thing` a reference that nobody drops: its destructor will not run."""
    Py_INCREF(thing)


def leave_right_after_finalization():
    """Has the process end when `exit` begins: after CPython, before C++ destroys what other threads still use."""
    global is_unclean
    is_unclean = True
    on_exit(leave_now, NULL)


cdef void leave_now(
    int status,
    void* _,
) noexcept nogil:
    write_trace_at_exit(status, NULL)
    fflush(NULL)
    _exit(status)


cdef void on_pthread_exit(
    void* value,
) noexcept nogil:
    # CPython <= 3.13 ends a thread with it that wants the GIL too late (ceval_gil.c, take_gil): an unwinding by force,
    # through C++ frames that forbid it. 3.14 parks the thread; so does this.
    if gate.state() == State.sealed or Py_IsFinalizing():
        park(this_visitor())
    pthread_exit(value)


cdef void on_Py_Exit(
    int status,
) noexcept nogil:
    # Called with the GIL: `sys.exit()` in a callback. On a thread of Ice CPython >= 3.13 would finalize with the main
    # thread's state for its own (pylifecycle.c, Py_Finalize), free the one that this thread runs on, and leave it
    # waiting for the GIL. So Python's own last steps are taken here, and the process leaves.
    cdef bint is_over
    with gil:
        is_over = finish_in_callback()
    if is_over:
        leave_now(status, NULL)
    Py_Exit(status)


cdef bint finish_in_callback() noexcept:
    return exit_hook is not None and exit_hook()


def set_exit_hook(function, /):
    """What a thread calls that is told to exit; true if all is done and the process may leave there and then."""
    global exit_hook
    exit_hook = function
