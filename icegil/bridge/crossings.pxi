# IcePy's ways into Python and out again. No `with gil:` here: these are the acquire and the release, and what runs
# between them is IcePy's own code.
from libcpp.algorithm cimport remove
from libcpp.vector cimport vector

from icegil.bridge.interpreter cimport (
    PyEval_RestoreThread,
    PyEval_SaveThread,
    PyGILState_Ensure,
    PyGILState_GetThisThreadState,
    PyGILState_Release,
    PyGILState_STATE,
    PyGILState_UNLOCKED,
    PyThreadState,
    PyThreadState_Clear,
    PyThreadState_DeleteCurrent,
    check_gil,
    forget_callback,
    forget_profilers,
    give_to_thread,
    holds_gil,
    keep_what_is_local,
    thread_of,
)
from icegil.bridge.thread cimport Thread


cdef PyGILState_STATE on_PyGILState_Ensure() noexcept nogil:
    # C++ enters Python. A thread that holds the GIL is past the gate, and must never be parked.
    cdef Thread* me
    if holds_gil():
        return PyGILState_Ensure()
    me = &this_thread(gate[0])
    if me.state == NULL:
        return ensure_unkept(me)
    enter_or_park(&me.visitor)
    me.frames += 1
    if me.frames == 1:
        trace(TraceKind.callback_begins)
    PyEval_RestoreThread(<PyThreadState*> me.state)
    if me.frames == 1:
        give_to_thread(<PyThreadState*> me.state, me.identity)
    schedule(Point.acquired)
    return PyGILState_UNLOCKED


cdef void on_PyGILState_Release(
    PyGILState_STATE state,
) noexcept nogil:
    # C++ leaves Python. UNLOCKED was handed out to the outer frame, which entered the gate;
    # unless it entered Python before the redirect, or through another tool's `PyGILState_Ensure`.
    cdef Thread* me = &this_thread(gate[0])
    check_gil("a callback of IcePy")
    if state != PyGILState_UNLOCKED or me.frames == 0:
        PyGILState_Release(state)
        return
    if me.state == NULL:
        PyGILState_Release(state)
    else:
        if me.frames == 1:
            give_to_thread(<PyThreadState*> me.state, 0)  # first: what is forgotten may run Python, and let the GIL go
            forget_callback(<PyThreadState*> me.state)
        PyEval_SaveThread()
    schedule(Point.released)
    me.frames -= 1
    if me.frames == 0:
        trace(TraceKind.callback_ends)
    gate.leave(me.visitor)
    schedule(Point.left)


# A native thread keeps the thread state of its first callback, where IcePy alone would have one made and freed for
# each: it is deleted when the thread ends, and in between only attached and detached. Nobody else may free it (rule 6):
# on 3.12 another thread would clear its own slot instead. From one callback to the next `threading.local` lasts and a
# trace function, as in any Python thread; no context variable, nor an exception that was meant for the one before.
# In between it is no thread's: `PyThreadState_SetAsyncExc` finds nobody, as without icegil. What it left there would
# have every thread of the process look for an exception until the next callback; 3.11 looks for ever where it traces.

cdef bint keeps_states = True
cdef vector[PyThreadState*]* kept_states = new vector[PyThreadState*]()  # under the GIL; never destroyed, as the gate


def keep_states(bint keeps, /):
    """Whether a thread that comes for the first time keeps its state; one that has one does."""
    global keeps_states
    keeps_states = keeps


cdef void forget_kept(
    PyThreadState* state,
) noexcept nogil:
    kept_states.erase(remove(kept_states.begin(), kept_states.end(), state), kept_states.end())


cdef void leave_kept_states_to_parent() noexcept nogil:
    # In a forked child CPython deletes the states of threads that are not there, and what a thread of Ice kept in a
    # `threading.local` would come to its end: its `__del__` may call Ice, and wait for threads that are not there.
    # Without icegil it had come to its end in the parent, with its callback.
    cdef void* mine = this_thread(gate[0]).state
    if not holds_gil():
        return  # forked by native code, not to go on with Python
    for state in kept_states[0]:
        if state != mine:
            keep_what_is_local(state)
    kept_states.clear()
    if mine != NULL:
        kept_states.push_back(<PyThreadState*> mine)


cdef PyGILState_STATE ensure_unkept(
    Thread* me,
) noexcept nogil:
    # A native thread comes for the first time; or a thread that has a state of its own, one of Python, in a call of
    # Ice: that one is not counted, and its release finds no frame.
    cdef PyGILState_STATE state
    if me.frames == 0 and PyGILState_GetThisThreadState() != NULL:
        return ensure_on_python_thread(me)
    enter_or_park(&me.visitor)
    me.frames += 1
    if me.frames == 1:  # a thread of the bridge's own is inside already
        trace(TraceKind.callback_begins)
    state = PyGILState_Ensure()
    schedule(Point.acquired)
    if not keeps_states:
        return state
    me.state = PyGILState_GetThisThreadState()
    me.identity = thread_of(<PyThreadState*> me.state)
    me.at_end = free_thread_state
    kept_states.push_back(<PyThreadState*> me.state)
    with gil:
        on_first_entry()
    return state


cdef PyGILState_STATE ensure_on_python_thread(
    Thread* me,
) noexcept nogil:
    # It may hold a lock of Ice (the runtime calls a Python logger): while the gate is open it is waited for until it
    # has the GIL, since the finalizer may want that lock. It may hold one of Python's: it is not refused.
    cdef PyGILState_STATE state
    cdef bint is_counted = gate.state() == State.open and gate.try_enter(me.visitor)
    if is_too_late(&me.visitor):
        park(&me.visitor)
    state = PyGILState_Ensure()
    schedule(Point.acquired)
    if is_counted:
        gate.leave(me.visitor)
    return state


cdef void free_thread_state() noexcept nogil:
    # The end of a native thread. If the gate is closed the state stays, with a runtime that is ending. That goes for
    # the finalizer too, which the gate admits: finalized from a callback, the thread ends in exit(), after the runtime.
    # Profilers' own per-thread data may be gone by now (memray's is), so none of their functions may be called:
    # `PyEval_RestoreThread` is not one that they replace, and what they had this thread call is taken away.
    cdef Thread* me = &this_thread(gate[0])
    cdef PyThreadState* state
    me.at_end = NULL
    if gate.state() != State.open or not gate.try_enter(me.visitor):
        return
    schedule(Point.entered)
    PyEval_RestoreThread(<PyThreadState*> me.state)
    schedule(Point.acquired)
    state = <PyThreadState*> me.state
    me.state = NULL
    give_to_thread(state, me.identity)
    forget_kept(state)
    forget_profilers()
    (<void (*)() noexcept nogil> on_end)()  # no `with gil:`, which is a `PyGILState_Ensure`
    # What dies with it, in `threading.local` say, may call Ice. The state is cleared while its first callback still
    # counts: in `PyGILState_Release` that nested call would be the last, and would free it (pystate.c).
    PyThreadState_Clear(state)
    PyThreadState_DeleteCurrent()  # lets the GIL go
    schedule(Point.released)
    gate.leave(me.visitor)
    schedule(Point.left)


cdef void on_first_entry() noexcept:
    if thread_hooks is not None:
        thread_hooks[0]()
        check_gil("the hook of a new thread")


cdef void on_end() noexcept:
    if thread_hooks is not None:
        thread_hooks[1]()
        check_gil("the hook of a thread that ends")


cdef tuple thread_hooks = None


def set_thread_hooks(on_first_entry, on_end, /):
    """Functions that each native thread calls as it comes to Python for the first time, and before it ends."""
    global thread_hooks
    thread_hooks = (on_first_entry, on_end)


cdef void on_PyEval_RestoreThread(
    PyThreadState* state,
) noexcept nogil:
    # A thread comes back from a blocking call of Ice, or from a wait in one: a thread of Python, or one that is inside.
    # Either may hold a lock of Python's that a handler at exit waits for; one of Ice's that it took while it waited it
    # must have let go.
    if is_too_late(this_visitor()):
        park(this_visitor())
    PyEval_RestoreThread(state)
    look_again_for_kept()
    schedule(Point.acquired)
