# The end: the gate is closed, threads that come too late, a callback that exits, and the process that leaves.
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_INCREF
from cython cimport no_gc
from libc.stdint cimport uintptr_t
from libcpp.optional cimport optional
from libcpp.vector cimport vector

from icegil.bridge.flush cimport flush_streams
from icegil.bridge.gate cimport Clock, nanoseconds
from icegil.bridge.interpreter cimport (
    Py_BytesMain,
    Py_Exit,
    Py_Main,
    Py_RunMain,
    PyErr_SetObject,
    PyErr_WriteUnraisable,
    PyModule_GetDef,
    PyModuleDef,
)
from icegil.bridge.loaded_object cimport LoadedObject, object_containing
from icegil.bridge.posix cimport _exit, on_exit, pthread_exit
from icegil.bridge.stack cimport came_through, is_on_stack

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


# --- The moment before finalization ---------------------------------------------------------------------------------


@no_gc  # nobody gets hold of it by accident, as who lists the collector's objects does
cdef class LastHandler:
    """An `atexit` handler that calls `first()`. Its only owner is to be `atexit`: its end is the moment it is for.

    CPython drops what it holds for its handlers when all of them have run, on the thread that finalizes, before
    anything of the interpreter goes (atexitmodule.c, atexit_cleanup). `next_step()` is called there until it is false.
    """

    cdef object first
    cdef object next_step

    def __cinit__(self, first, next_step):
        self.first = first
        self.next_step = next_step

    def __call__(self):
        self.first()

    def __dealloc__(self):
        # A loop in C: between the steps nothing looks at signals, whose handlers may raise.
        cdef bint is_more = True
        while is_more:
            try:
                is_more = self.next_step()
            except BaseException:
                pass  # it is the step's to say so; the next one is still taken


def show_unraisable(error, thing, /):
    """Shows an exception as Python does where there is nobody to raise it to."""
    PyErr_SetObject(type(error), error)
    PyErr_WriteUnraisable(thing)


def park_this_thread():
    """Does not return: the calling thread sleeps to the end of the process, without the GIL. Nobody waits for it."""
    with nogil:
        park(this_visitor())


# --- Threads that come too late -------------------------------------------------------------------------------------

cdef vector[LoadedObject]* own_code = new vector[LoadedObject]()  # never destroyed


def set_own_code(addresses, /):
    """The objects that hold these addresses are Ice's and icegil's. To be called once, before any thread comes by."""
    cdef optional[LoadedObject] each
    for address in addresses:
        each = object_containing(<const void*> <uintptr_t> address)
        if each.has_value():
            own_code.push_back(each.value())


cdef void on_pthread_exit(
    void* value,
) noexcept nogil:
    # CPython <= 3.13 ends a thread with it that wants the GIL too late (ceval_gil.c, take_gil): an unwinding by force,
    # which C++ frames of Ice forbid. 3.14 parks the thread; so does this. Other threads end: somebody may join them.
    if Py_IsFinalizing() and (this_visitor().depth() != 0 or came_through(own_code[0])):
        park(this_visitor())
    pthread_exit(value)


# --- The process leaves ---------------------------------------------------------------------------------------------

cdef enum:
    FLUSH_SECONDS = 1  # whoever reads what the process wrote may be slow, or gone


def note_unclean():
    """Somebody is left who lives on beside finalization. From any thread, until Python stops it."""
    global is_unclean
    is_unclean = True


def leave_right_after_finalization():
    """Has the process end when `exit` begins, if it is unclean then: before C++ destroys what other threads still use.

    A host that finalizes Python and goes on leaves in its own way. From the thread that finalizes.
    """
    cdef vector[const void*] ends_with_python
    ends_with_python.push_back(<const void*> Py_RunMain)
    ends_with_python.push_back(<const void*> Py_BytesMain)
    ends_with_python.push_back(<const void*> Py_Main)
    ends_with_python.push_back(<const void*> Py_Exit)
    if is_on_stack(ends_with_python):
        on_exit(leave_if_unclean, NULL)


cdef void leave_if_unclean(
    int status,
    void* _,
) noexcept nogil:
    if is_unclean:
        leave_now(status, NULL)


cdef void leave_now(
    int status,
    void* _,
) noexcept nogil:
    write_trace_at_exit(status, NULL)
    flush_streams(FLUSH_SECONDS)
    _exit(status)


cdef void on_Py_Exit(
    int status,
) noexcept nogil:
    # Called with the GIL: `sys.exit()` in a callback. On a thread of Ice CPython >= 3.13 would finalize with the main
    # thread's state for its own (pylifecycle.c, Py_Finalize), free the one that this thread runs on, and leave it
    # waiting for the GIL. So Python's own last steps are taken here, and the process leaves.
    cdef int last = -1
    with gil:
        last = finish_in_callback(status)
    if last >= 0:
        leave_now(last, NULL)
    Py_Exit(status)


cdef int finish_in_callback(int status) noexcept:
    return -1 if exit_hook is None else exit_hook(status)


def set_exit_hook(function, /):
    """What a thread calls that is told to exit: the status with which the process may leave there and then, or -1."""
    global exit_hook
    exit_hook = function
