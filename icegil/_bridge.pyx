# cython: language_level=3, embedsignature=False, binding=False
# distutils: language=c++
"""The boundary: the only file in which C++ threads and Python meet.

Rules, referred to below by their numbers:

1. Enter the gate, then take the GIL; let the GIL go, then leave the gate. Never the other way round: a thread that is
   counted is waited for, so whoever has or wants the GIL must be counted for as long.
2. Every function that native code calls is `noexcept nogil`. What touches Python in it is inside a `with gil:`, or, in
   a redirected function, between the acquire and the release that it stands for.
3. A thread that the gate refuses touches nothing of Python: no call, no reference. What it was to do is dropped.
4. A Python reference carried by a native thread has one owner, and is dropped with the GIL held, inside the gate.
5. A Python call may let the GIL go for a while, and finalization may be tried in that gap. Being counted is what makes
   it wait; a debug build checks after each such call that the GIL is held again.
6. A thread state that the bridge keeps is freed by its own thread, or not at all.
"""
from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from cython cimport no_gc_clear
from libc.errno cimport EBUSY, EINTR, errno
from libc.stdint cimport uintptr_t
from libc.stdio cimport fflush, fprintf, stderr
from libc.stdlib cimport calloc, free
from libc.string cimport strerror
from libc.time cimport timespec
from libcpp.optional cimport optional

from icegil.gate cimport Clock, Counters, Gate, Occupant, State, Visitor, nanoseconds, pthread_t
from icegil.loaded_object cimport LoadedObject, Slot, needed_objects, object_containing
from icegil.native_id cimport native_id
from icegil.posix cimport (
    CLOCK_MONOTONIC,
    PTHREAD_CREATE_DETACHED,
    Dl_info,
    _exit,
    clock_gettime,
    clockid_t,
    condition_variable,
    dladdr,
    on_exit,
    pthread_atfork,
    pthread_attr_destroy,
    pthread_attr_init,
    pthread_attr_setdetachstate,
    pthread_attr_t,
    pthread_cond_clockwait,
    pthread_cond_t,
    pthread_cond_timedwait,
    pthread_cond_wait,
    pthread_create,
    pthread_equal,
    pthread_exit,
    pthread_join,
    pthread_mutex_lock,
    pthread_mutex_t,
    pthread_mutex_trylock,
    pthread_mutex_unlock,
    pthread_self,
    pthread_setname_np,
    sem_clockwait,
    sem_destroy,
    sem_init,
    sem_post,
    sem_t,
    sem_wait,
    thread,
    unique_lock,
)
from icegil.redirect cimport Redirection, RedirectOutcome, redirect, still_ours, undo
from icegil.schedule cimport Point, schedule
from icegil.thread cimport Thread, this_thread
from icegil.trace cimport Trace, TraceKind, current_trace, trace

import os
import sys


cdef extern from "Python.h" nogil:
    ctypedef enum PyGILState_STATE:
        PyGILState_UNLOCKED
    ctypedef struct PyThreadState:
        pass
    PyThreadState* PyEval_SaveThread() noexcept
    PyThreadState* PyGILState_GetThisThreadState() noexcept
    PyGILState_STATE PyGILState_Ensure() noexcept
    void PyGILState_Release(PyGILState_STATE) noexcept
    void PyEval_RestoreThread(PyThreadState*) noexcept
    PyObject* PyImport_Import(PyObject*) noexcept
    PyObject* PyImport_GetModuleDict() noexcept
    PyObject* PyUnicode_FromString(const char*) noexcept
    PyObject* PyDict_New() noexcept
    PyObject* PyDict_GetItem(PyObject*, PyObject*) noexcept
    int PyDict_SetItem(PyObject*, PyObject*, PyObject*) noexcept
    int PyDict_Update(PyObject*, PyObject*) noexcept
    void PyDict_Clear(PyObject*) noexcept
    bint PyDict_Check(PyObject*) noexcept
    bint PyDict_CheckExact(PyObject*) noexcept
    bint PyTuple_CheckExact(PyObject*) noexcept
    int PyObject_GC_IsTracked(PyObject*) noexcept
    void PyObject_GC_UnTrack(void*) noexcept
    PyObject* PyModule_New(const char*) noexcept
    PyObject* PyModule_GetDict(PyObject*) noexcept
    void PyErr_Clear() noexcept
    void Py_IncRef(PyObject*) noexcept
    void Py_DecRef(PyObject*) noexcept
    void* PyCFunction_GetFunction(PyObject*) noexcept
    int Py_IsInitialized() noexcept
    void Py_Exit(int) noexcept

# What differs between CPython's versions, in one place.
cdef extern from *:
    """
    #include <pthread.h>
    #include <cstdio>
    #include <cstdlib>

    #if PY_VERSION_HEX < 0x030D0000
    #  define Py_IsFinalizing _Py_IsFinalizing
    #  define PyThreadState_GetUnchecked _PyThreadState_UncheckedGet
    #endif

    // Does this thread hold the GIL? Safe without it, at any time. 3.11 keeps one "current" state for the whole process
    // (pystate.c, _PyRuntime.gilstate.tstate_current), so there it has to be this thread's own; since 3.12 it is a
    // thread-local. PyGILState_Check() will not do: it answers yes for everybody once a sub-interpreter was made.
    static inline bool icegil_holds_gil() noexcept {
        PyThreadState* const current = PyThreadState_GetUnchecked();
    #if PY_VERSION_HEX < 0x030C0000
        return current != nullptr && current == PyGILState_GetThisThreadState();
    #else
        return current != nullptr;
    #endif
    }

    // Has this thread state, the current one, begin anew with no context, like a new one. CPython has no call for it.
    static inline void icegil_forget_context(PyThreadState* state) noexcept {
        if (state->context != nullptr) {
            Py_CLEAR(state->context);
            ++state->context_ver;  // what context variables keep as their caches' key (context.c)
        }
    }

    static inline void icegil_forget_profilers() noexcept {
        PyThreadState* const state = PyThreadState_GetUnchecked();
        if (state->c_profilefunc != nullptr) PyEval_SetProfile(nullptr, nullptr);
        if (state->c_tracefunc != nullptr) PyEval_SetTrace(nullptr, nullptr);
    }

    // One attempt at a lock is over: what a processor is told that spins.
    static inline void icegil_relax() noexcept {
    #if defined(__x86_64__)
        __builtin_ia32_pause();
    #elif defined(__aarch64__)
        asm volatile("yield");
    #endif
    }

    #define icegil_caller() __builtin_return_address(0)

    #ifdef ICEGIL_DEBUG
    static inline void icegil_check_gil(const char* place) noexcept {
        if (!icegil_holds_gil()) {
            std::fprintf(stderr, "icegil: the GIL was lost in: %s\\n", place);
            std::abort();
        }
    }
    #else
    #  define icegil_check_gil(place) ((void)0)
    #endif
    """
    bint Py_IsFinalizing() noexcept nogil
    bint holds_gil "icegil_holds_gil"() noexcept nogil
    void check_gil "icegil_check_gil"(const char* place) noexcept nogil
    void forget_context "icegil_forget_context"(PyThreadState* state) noexcept nogil
    void forget_profilers "icegil_forget_profilers"() noexcept nogil
    void relax "icegil_relax"() noexcept nogil
    const void* caller "icegil_caller"() noexcept nogil


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        int (*tp_traverse)(object, int (*visit)(PyObject*, void*) noexcept, void*) noexcept
    PyTypeObject* Py_TYPE(object) noexcept
    ctypedef struct PyModuleDef:
        void (*m_free)(void*) noexcept
    PyModuleDef* PyModule_GetDef(object) noexcept


# --- The gate of this process ---------------------------------------------------------------------------------------

# Never destroyed: native threads may come by for as long as the process lives.
cdef Gate* gate = new Gate()
cdef unsigned long long dropped = 0  # under the GIL


cdef Gate* process_gate() noexcept nogil:
    return gate


cdef Visitor* this_visitor() noexcept nogil:
    return &this_thread(gate[0]).visitor


cdef void renew_gate_in_child() noexcept nogil:
    global recorded, trace_path
    gate.renew_in_child(this_visitor()[0])
    current_trace.store(NULL)  # the timeline is the parent's, and its file
    recorded = NULL
    this_thread(gate[0]).is_named = False
    trace_path = NULL


cdef void enter_or_park(
    Visitor* me,
) noexcept nogil:
    if not gate.try_enter(me[0]):
        trace(TraceKind.refused)
        park(me)
    schedule(Point.entered)


cdef void park(
    Visitor* me,
) noexcept nogil:
    trace(TraceKind.parked)
    schedule(Point.parked)
    gate.park(me[0])


def is_finalizing():
    return gate.state() != State.open or Py_IsFinalizing()


def gate_state():
    cdef State state = gate.state()
    return "open" if state == State.open else "draining" if state == State.draining else "sealed"


def counters():
    cdef Counters now = gate.counters()
    return {
        "admitted": now.admitted,
        "refused": now.refused,
        "parked": now.parked,
        "inside": now.inside,
        "most": now.most,
        "dropped": dropped,
    }


def count_dropped():
    global dropped
    dropped += 1


def occupants():
    cdef Occupant each
    return [(each.thread, each.native_id, each.seconds) for each in gate.occupants()]


def keep_time():
    gate.keep_time()


def is_inside():
    return this_visitor().depth() != 0


# --- Native threads -------------------------------------------------------------------------------------------------

# Python starts no thread once finalization has begun (3.12: not even from atexit handlers), and a destruction must be
# able to begin there. So these are plain POSIX threads.

def call_on_native_thread(work, completed, /):
    """Calls `work()` on a new native thread, then `completed(error)` there; error is what work raised, or None."""
    errand = (work, completed)
    Py_INCREF(errand)  # rule 4: this reference is the thread's
    cdef int error = start_thread(errand_thread, <PyObject*> errand)
    if error != 0:
        Py_DECREF(errand)
        raise OSError(error, f"no native thread could be started: {strerror(error).decode()}")


cdef int start_thread(void* (*function)(void*) noexcept nogil, void* argument) noexcept:
    cdef pthread_t started
    cdef pthread_attr_t attributes
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED)
    cdef int error = pthread_create(&started, &attributes, function, argument)
    pthread_attr_destroy(&attributes)
    return error


cdef void* errand_thread(
    void* errand,
) noexcept nogil:
    pthread_setname_np(pthread_self(), b"icegil")
    run_inside(run_errand, errand)  # rule 3: refused, even the reference stays where it is, in a process that is ending
    return NULL


cdef void run_inside(
    void (*work)(void*) noexcept,
    void* argument,
) noexcept nogil:
    cdef Thread* me = &this_thread(gate[0])
    if not gate.try_enter(me.visitor):
        return
    schedule(Point.entered)
    me.frames = 1  # what Ice calls back in the meantime is nested
    with gil:
        schedule(Point.acquired)
        name_in_trace("icegil")
        work(argument)
    schedule(Point.released)
    me.frames = 0
    gate.leave(me.visitor)
    schedule(Point.left)


cdef void run_errand(void* errand) noexcept:
    work, completed = <tuple> <PyObject*> errand
    Py_DECREF(<tuple> <PyObject*> errand)
    error = None
    try:
        work()
    except BaseException as raised:
        error = raised
    check_gil("an errand's work")
    completed(error)
    check_gil("the completion of an errand")


# What a thread looks at that waits for a deadline, without the GIL and outside the gate: nobody is to wait for it, and
# nobody is to see it inside. Freed by that thread when `end` was posted, which happens once.
cdef struct Deadline:
    sem_t end
    timespec time
    bint is_over  # under the GIL; `late` is not to be touched then
    PyObject* late


@no_gc_clear  # the thread may be about to call `late`
cdef class Watch:
    """Calls `late()` on a native thread after some seconds, unless `end()` is called before."""

    cdef Deadline* deadline
    cdef object late

    def __cinit__(self, double seconds, late):
        self.late = late
        self.deadline = <Deadline*> calloc(1, sizeof(Deadline))
        if self.deadline == NULL:
            return
        sem_init(&self.deadline.end, 0, 0)
        clock_gettime(CLOCK_MONOTONIC, &self.deadline.time)
        self.deadline.time.tv_sec += <long> seconds
        self.deadline.time.tv_nsec += <long> (seconds % 1 * 1e9)
        if self.deadline.time.tv_nsec >= 1_000_000_000:
            self.deadline.time.tv_sec += 1
            self.deadline.time.tv_nsec -= 1_000_000_000
        self.deadline.late = <PyObject*> late  # rule 4: it stays this object's
        if start_thread(watch_thread, self.deadline) != 0:
            free(self.deadline)
            self.deadline = NULL

    def end(self):
        self.finish()

    def __dealloc__(self):
        self.finish()

    cdef void finish(self) noexcept:
        if self.deadline != NULL:
            self.deadline.is_over = True
            sem_post(&self.deadline.end)
            self.deadline = NULL


cdef void* watch_thread(
    void* watched,
) noexcept nogil:
    cdef Deadline* deadline = <Deadline*> watched
    pthread_setname_np(pthread_self(), b"icegil")
    while sem_clockwait(&deadline.end, CLOCK_MONOTONIC, &deadline.time) != 0:
        if errno != EINTR:
            run_inside(run_late, deadline)
            while sem_wait(&deadline.end) != 0:
                pass
            break
    sem_destroy(&deadline.end)
    free(deadline)
    return NULL


cdef void run_late(void* watched) noexcept:
    cdef Deadline* deadline = <Deadline*> watched
    if not deadline.is_over:
        late = <object> deadline.late
        late()
        check_gil("what a watch calls")


# --- Redirected functions -------------------------------------------------------------------------------------------

# What IcePy calls in place of the functions of the same names. No `with gil:` here: these are the acquire and the
# release, and what runs between them is IcePy's own code.

cdef PyGILState_STATE ensure() noexcept nogil:
    # `PyGILState_Ensure`: C++ enters Python. A thread that holds the GIL is past the gate, and must never be parked.
    cdef Thread* me
    if holds_gil():
        return PyGILState_Ensure()
    me = &this_thread(gate[0])
    enter_or_park(&me.visitor)
    me.frames += 1
    if me.frames == 1:
        trace(TraceKind.callback_begins)
    if me.state == NULL:
        return ensure_unkept(me)
    PyEval_RestoreThread(<PyThreadState*> me.state)
    schedule(Point.acquired)
    return PyGILState_UNLOCKED


cdef void release(
    PyGILState_STATE state,
) noexcept nogil:
    # `PyGILState_Release`: C++ leaves Python. UNLOCKED was handed out to the outer frame, which entered the gate;
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
            forget_context(<PyThreadState*> me.state)
        PyEval_SaveThread()
    schedule(Point.released)
    me.frames -= 1
    if me.frames == 0:
        trace(TraceKind.callback_ends)
    gate.leave(me.visitor)
    schedule(Point.left)


# A native thread keeps the thread state of its first callback, where IcePy alone would have one made and freed for
# each: its first `PyGILState_Ensure` finds its `PyGILState_Release` when the thread ends, and in between the state is
# only attached and detached. Nobody else may free it (rule 6): on 3.12 another thread would clear its own slot instead.
# From one callback to the next only `threading.local` lasts, as in any Python thread; no context variable does.

cdef PyGILState_STATE ensure_unkept(
    Thread* me,
) noexcept nogil:
    # A thread of Python has a thread state of its own; a native one comes for the first time.
    cdef bint is_python = PyGILState_GetThisThreadState() != NULL
    cdef PyGILState_STATE state = PyGILState_Ensure()
    schedule(Point.acquired)
    if not is_python:
        me.state = PyGILState_GetThisThreadState()
        me.at_end = free_thread_state
        with gil:
            on_first_entry()
    elif current_trace.load() != NULL:
        with gil:
            name_in_trace(None)
    return state


cdef void free_thread_state() noexcept nogil:
    # The end of a native thread. If the gate is closed the state stays, with a runtime that is ending. That goes for
    # the finalizer too, which the gate admits: finalized from a callback, the thread ends in exit(), after the runtime.
    # Profilers' own per-thread data may be gone by now (memray's is), so none of their functions may be called:
    # `PyEval_RestoreThread` is not one that they replace, and what they had this thread call is taken away.
    cdef Thread* me = &this_thread(gate[0])
    me.at_end = NULL
    if gate.state() != State.open or not gate.try_enter(me.visitor):
        return
    schedule(Point.entered)
    PyEval_RestoreThread(<PyThreadState*> me.state)
    schedule(Point.acquired)
    me.state = NULL
    forget_profilers()
    (<void (*)() noexcept nogil> on_end)()  # no `with gil:`, which is a `PyGILState_Ensure`
    PyGILState_Release(PyGILState_UNLOCKED)  # its first callback's: frees the state, and lets the GIL go
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


cdef void restore_thread(
    PyThreadState* state,
) noexcept nogil:
    # `PyEval_RestoreThread`: a Python thread comes back from a blocking call of Ice.
    cdef Visitor* me = this_visitor()
    enter_or_park(me)
    PyEval_RestoreThread(state)
    schedule(Point.acquired)
    gate.leave(me[0])
    schedule(Point.left)


cdef PyObject* kept_modules = NULL
cdef PyObject* imported = PyDict_New()  # the modules that `import_module` has answered, by name; empty once sealed


def keep_modules(dict modules, /):
    """Has `import_module` answer from these, the names in each by its own, once the gate is sealed. Kept for good."""
    global kept_modules
    for names in modules.values():
        PyObject_GC_UnTrack(<PyObject*> names)  # held by `modules`, until a module takes its place
        for thing in (<dict> names).values():
            if keep(<PyObject*> thing) and isinstance(thing, type):
                Py_TYPE(thing).tp_traverse(thing, keep_part_of_class, NULL)
    Py_INCREF(modules)
    kept_modules = <PyObject*> modules
    PyDict_Clear(imported)


cdef bint keep(PyObject* thing) noexcept:
    # An exit is mostly the garbage collector walking through all there is, several times. What stays for good it need
    # not look at: it has a reference that nobody drops, so it is never garbage, and never freed. True: that is news.
    if not PyObject_GC_IsTracked(thing):
        return False
    Py_IncRef(thing)
    PyObject_GC_UnTrack(thing)
    return True


cdef int keep_part_of_class(PyObject* part, void* _) noexcept:
    # Its bases, and what it has by name; not what those refer to, which may be the program's and have an end to see.
    if PyTuple_CheckExact(part):
        keep(part)
    elif PyDict_CheckExact(part):
        keep(part)
        for thing in (<dict> part).values():
            keep(<PyObject*> thing)
    return 0


cdef PyObject* import_module(
    const char* name,
) noexcept nogil:
    # `PyImport_ImportModule`, called with the GIL: IcePy looks a class up, up to eight times for each call.
    cdef PyObject* key = PyUnicode_FromString(name)
    cdef PyObject* module = NULL
    if key != NULL:
        module = kept_module(key, name) if gate.state() == State.sealed else imported_module(key)
    Py_DecRef(key)
    return module


cdef PyObject* kept_module(PyObject* name, const char* characters) noexcept nogil:
    # Once Python has emptied its modules its import answers NULL, and IcePy goes on with that. IcePy 3.7 looks into a
    # module that it has let go of: these stay too.
    cdef PyObject* kept = NULL
    cdef PyObject* module
    if kept_modules != NULL:
        kept = PyDict_GetItem(kept_modules, name)
    if kept == NULL:
        return PyImport_Import(name)
    if PyDict_Check(kept):
        module = PyModule_New(characters)
        if module != NULL and (
            PyDict_Update(PyModule_GetDict(module), kept) != 0 or PyDict_SetItem(kept_modules, name, module) != 0
        ):
            Py_DecRef(module)
            return NULL
        return module
    Py_IncRef(kept)
    return kept


cdef PyObject* imported_module(PyObject* name) noexcept nogil:
    # Python's import takes ten times as long to find that it has the module. Where it finalizes unguarded there may be
    # no `sys.modules`. That one is looked into first: a key of another type may run Python, and what `imported` has is
    # borrowed.
    cdef PyObject* module = NULL
    if not Py_IsFinalizing():
        module = PyDict_GetItem(PyImport_GetModuleDict(), name)
    if module != NULL and module == PyDict_GetItem(imported, name):
        Py_IncRef(module)
        return module
    module = PyImport_Import(name)
    if module != NULL and PyDict_SetItem(imported, name, module) != 0:
        PyErr_Clear()  # it is looked up again the next time
    return module


cdef void exit_thread(
    void* value,
) noexcept nogil:
    # `pthread_exit`, with which CPython <= 3.13 ends a thread that wants the GIL too late (ceval_gil.c, take_gil): an
    # unwinding by force, through C++ frames that forbid it. 3.14 parks the thread; so does this.
    if gate.state() == State.sealed or Py_IsFinalizing():
        park(this_visitor())
    pthread_exit(value)


cdef void exit_process(
    int status,
) noexcept nogil:
    # `Py_Exit`, called with the GIL: `sys.exit()` in a callback. On a thread of Ice CPython >= 3.13 would finalize with
    # the main thread's state for its own (pylifecycle.c, Py_Finalize), free the one that this thread runs on, and leave
    # it waiting for the GIL. So Python's own last steps are taken here, and the process leaves.
    cdef bint is_over
    with gil:
        is_over = finish_in_callback()
    if is_over:
        leave_now(status, NULL)
    Py_Exit(status)


cdef bint finish_in_callback() noexcept:
    return exit_hook is not None and exit_hook()


cdef object exit_hook = None


def set_exit_hook(function, /):
    """What a thread calls that is told to exit; true if all is done and the process may leave there and then."""
    global exit_hook
    exit_hook = function


# --- Locks: redirected functions of the Ice runtime -----------------------------------------------------------------

# IcePy keeps the GIL through most calls of the runtime, and the runtime may wait in them: for a lock whose owner wants
# the GIL, to call a Python logger say. So no thread waits in the runtime with the GIL in hand. Whoever owns a lock of
# Ice and wants the GIL gets it, since nobody who has it waits for such a lock for ever.

cdef enum:
    LOCK_ATTEMPTS = 100
    MOST_PLACES = 64

# Under the GIL: how often it was given away, and from where in the runtime.
cdef unsigned long long for_lock = 0
cdef unsigned long long for_wait = 0
cdef unsigned long long for_join = 0
cdef const void* places[MOST_PLACES]


cdef PyThreadState* give_gil_away(
    unsigned long long* reason,
    const void* place,
) noexcept nogil:
    cdef int i
    cdef PyThreadState* state
    reason[0] += 1
    for i in range(MOST_PLACES):
        if places[i] == NULL:
            places[i] = place
        if places[i] == place:
            break
    state = PyEval_SaveThread()
    schedule(Point.released)
    return state


cdef bint take_gil_back(
    PyThreadState* state,
) noexcept nogil:
    # False: it is too late. The caller must let go what it has just locked, and park.
    cdef Visitor* me = this_visitor()
    if not gate.try_enter(me[0]):
        return False
    schedule(Point.entered)
    PyEval_RestoreThread(state)
    schedule(Point.acquired)
    gate.leave(me[0])
    schedule(Point.left)
    return True


cdef int mutex_lock(
    pthread_mutex_t* mutex,
) noexcept nogil:
    # `pthread_mutex_lock`. The owner mostly wants no GIL and is about to let go, and a switch of the GIL is dear: some
    # attempts first (docs/performance.md has the figures).
    cdef int error
    cdef PyThreadState* state
    if not holds_gil():
        return pthread_mutex_lock(mutex)
    for _ in range(LOCK_ATTEMPTS):
        error = pthread_mutex_trylock(mutex)
        if error != EBUSY:
            return error
        relax()
    state = give_gil_away(&for_lock, caller())
    error = pthread_mutex_lock(mutex)
    if not take_gil_back(state):
        if error == 0:
            pthread_mutex_unlock(mutex)
        park(this_visitor())
    return error


cdef int cond_wait(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
) noexcept nogil:
    return wait_without_gil(condition, mutex, -1, NULL, caller())


cdef int cond_timedwait(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
    const timespec* until,
) noexcept nogil:
    return wait_without_gil(condition, mutex, -1, until, caller())


cdef int cond_clockwait(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
    clockid_t clock,
    const timespec* until,
) noexcept nogil:
    return wait_without_gil(condition, mutex, clock, until, caller())


cdef int wait_without_gil(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
    clockid_t clock,
    const timespec* until,
    const void* place,
) noexcept nogil:
    cdef int error
    cdef PyThreadState* state = give_gil_away(&for_wait, place) if holds_gil() else NULL
    if until == NULL:
        error = pthread_cond_wait(condition, mutex)
    elif clock == -1:
        error = pthread_cond_timedwait(condition, mutex, until)
    else:
        error = pthread_cond_clockwait(condition, mutex, clock, until)
    if state != NULL and not take_gil_back(state):
        pthread_mutex_unlock(mutex)
        park(this_visitor())
    return error


cdef void condition_wait(
    condition_variable* self,
    unique_lock* lock,
) noexcept nogil:
    # `std::condition_variable::wait`
    cdef PyThreadState* state = give_gil_away(&for_wait, caller()) if holds_gil() else NULL
    self.wait(lock[0])
    if state != NULL and not take_gil_back(state):
        lock.unlock()
        park(this_visitor())


cdef void thread_join(
    thread* self,
) noexcept nogil:
    # `std::thread::join`. It throws when there is nothing to wait for; then nothing is let go.
    cdef PyThreadState* state = NULL
    if holds_gil() and self.joinable() and not pthread_equal(self.native_handle(), pthread_self()):
        state = give_gil_away(&for_join, caller())
    self.join()
    if state != NULL and not take_gil_back(state):
        park(this_visitor())


cdef int posix_join(
    pthread_t other,
    void** result,
) noexcept nogil:
    # `pthread_join`
    cdef PyThreadState* state = give_gil_away(&for_join, caller()) if holds_gil() else NULL
    cdef int error = pthread_join(other, result)
    if state != NULL and not take_gil_back(state):
        park(this_visitor())
    return error


def gil_given_away():
    return {"for_lock": for_lock, "for_wait": for_wait, "for_join": for_join}


def gil_places():
    cdef Dl_info info
    found = []
    for place in places:
        if place != NULL and dladdr(place, &info) != 0:
            symbol = info.dli_sname.decode() if info.dli_sname != NULL else "no symbol"
            offset = <uintptr_t> place - <uintptr_t> info.dli_fbase
            found.append(f"{os.fsdecode(info.dli_fname)}+{offset:#x} ({symbol})")
    return found


# --- Which imports lead here ----------------------------------------------------------------------------------------

cdef dict replacements = {
    "PyGILState_Ensure": <uintptr_t> <void*> ensure,
    "PyGILState_Release": <uintptr_t> <void*> release,
    "PyEval_RestoreThread": <uintptr_t> <void*> restore_thread,
    "Py_Exit": <uintptr_t> <void*> exit_process,
    "PyImport_ImportModule": <uintptr_t> <void*> import_module,
    "pthread_exit": <uintptr_t> <void*> exit_thread,
    "pthread_mutex_lock": <uintptr_t> <void*> mutex_lock,
    "pthread_cond_wait": <uintptr_t> <void*> cond_wait,
    "pthread_cond_timedwait": <uintptr_t> <void*> cond_timedwait,
    "pthread_cond_clockwait": <uintptr_t> <void*> cond_clockwait,
    "pthread_join": <uintptr_t> <void*> posix_join,
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE": <uintptr_t> <void*> condition_wait,
    "_ZNSt6thread4joinEv": <uintptr_t> <void*> thread_join,
}


cdef class Redirect:
    """One import of one loaded object, pointed at the bridge's function of the same name."""

    cdef readonly str name
    cdef readonly str path
    cdef LoadedObject object
    cdef Redirection redirection

    def __init__(self, str name, uintptr_t address):
        """The import `name` of the object that contains `address`. Changes nothing yet."""
        cdef optional[LoadedObject] found = object_containing(<const void*> address)
        if not found.has_value():
            raise ValueError(f"no loaded object contains {address:#x}")
        self.name = name
        self.object = found.value()
        self.path = os.fsdecode(self.object.path)

    def put(self):
        """Redirects, unless it is redirected. Why it could not be done; empty if it was."""
        if still_ours(self.redirection):
            return ""
        if self.redirection.outcome == RedirectOutcome.not_imported:
            return reason(self.redirection.outcome, 0)
        self.redirection = redirect(self.object, self.name.encode(), <void*> <uintptr_t> replacements[self.name])
        return reason(self.redirection.outcome, self.redirection.error)

    def take_away(self):
        """Puts back what was there, unless another tool has been there since. Threads may be in the bridge still."""
        undo(self.redirection)

    @property
    def is_in_place(self):
        return still_ours(self.redirection)

    @property
    def original(self):
        return <uintptr_t> self.redirection.original

    @property
    def slots(self):
        cdef Slot slot
        return [(slot.address, slot.previous) for slot in self.redirection.slots]


cdef str reason(RedirectOutcome outcome, int error):
    if outcome == RedirectOutcome.done:
        return ""
    if outcome == RedirectOutcome.unsupported:
        return "this platform is not supported"
    if outcome == RedirectOutcome.not_imported:
        return "it is not imported"
    if outcome == RedirectOutcome.damaged:
        return "the object's tables cannot be read"
    if outcome == RedirectOutcome.no_original:
        return "no function of that name was found"
    return f"its page could not be opened: {strerror(error).decode()}"


def needed_objects_of(uintptr_t address, /):
    """What the object that contains `address` needs and is loaded: soname, and an address in it."""
    cdef optional[LoadedObject] found = object_containing(<const void*> address)
    cdef LoadedObject each
    return [] if not found.has_value() else [
        (os.fsdecode(each.soname), each.dynamic.begin) for each in needed_objects(found.value())
    ]


def address_in_icepy():
    """An address in the object that IcePy is."""
    return <uintptr_t> PyCFunction_GetFunction(<PyObject*> sys.modules["IcePy"].stringVersion)


def address_in_interpreter():
    """An address in the object that holds the interpreter: an executable, or libpython."""
    return <uintptr_t> Py_IsInitialized


# --- The end of the process -----------------------------------------------------------------------------------------

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
    write_trace(status, NULL)
    fflush(NULL)
    _exit(status)


# --- The timeline ---------------------------------------------------------------------------------------------------

# Written when the process ends, by native code: the last events come when there is no Python any more.
cdef const char* trace_path = NULL
cdef const char* facts_if_clean = NULL
cdef const char* facts_if_unclean = NULL
cdef bint is_unclean = False


def start_trace(size_t capacity, own_name, /):
    """Records from now on, the latest `capacity` events, a power of two; goes on if it records already.

    `own_name()` says what Python calls the calling thread.
    """
    global recorded, name_of_this_thread
    name_of_this_thread = own_name
    if recorded == NULL:
        recorded = new Trace(capacity)
    current_trace.store(recorded)


cdef Trace* recorded = NULL  # never destroyed: a thread may be recording


def stop_trace():
    current_trace.store(NULL)


def is_tracing():
    return current_trace.load() != NULL


cdef dict communicator_events = {
    "made": TraceKind.made,
    "destroying": TraceKind.destroying,
    "destroyed": TraceKind.destroyed,
}


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


cdef object name_of_this_thread = None


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
    cdef int error = 0 if recorded == NULL else recorded.write(path, facts)
    if error != 0:
        raise OSError(error, strerror(error).decode(), os.fsdecode(path))


def save_trace_at_exit(bytes path, bytes if_clean, bytes if_unclean, /):
    """Has the events written to a file when the process ends, with other facts when something is stuck.

    To be called after `start_trace`.
    """
    global trace_path, facts_if_clean, facts_if_unclean
    if trace_path == NULL:
        on_exit(write_trace, NULL)
    trace_path = recorded.kept(path)
    facts_if_clean = recorded.kept(if_clean)
    facts_if_unclean = recorded.kept(if_unclean)


cdef void write_trace(
    int status,
    void* _,
) noexcept nogil:
    cdef int error
    if trace_path != NULL:
        error = recorded.write(trace_path, facts_if_unclean if is_unclean else facts_if_clean)
        if error != 0:
            fprintf(stderr, b"icegil: the timeline cannot be written to %s: %s\n", trace_path, strerror(error))


pthread_atfork(NULL, NULL, renew_gate_in_child)
