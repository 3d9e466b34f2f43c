# IcePy keeps the GIL through most calls of the runtime, and the runtime may wait in them: for a lock whose owner wants
# the GIL, to call a Python logger say. So no thread waits in the runtime with the GIL in hand. Whoever owns a lock of
# Ice and wants the GIL gets it, since nobody who has it waits for such a lock for ever.
from libc.errno cimport EBUSY
from libc.stdint cimport uintptr_t
from libc.time cimport timespec

from icegil.bridge.interpreter cimport PyEval_RestoreThread, PyEval_SaveThread, PyThreadState, caller, holds_gil, relax
from icegil.bridge.places cimport Places
from icegil.bridge.posix cimport (
    Dl_info,
    clockid_t,
    condition_variable,
    dladdr,
    pthread_cond_clockwait,
    pthread_cond_t,
    pthread_cond_timedwait,
    pthread_cond_wait,
    pthread_mutex_lock,
    pthread_mutex_t,
    pthread_mutex_trylock,
    pthread_mutex_unlock,
    unique_lock,
)

import os

cdef enum:
    LOCK_ATTEMPTS = 100

# Under the GIL: how often it was given away, and from where in the runtime.
cdef unsigned long long for_lock = 0
cdef unsigned long long for_wait = 0
cdef unsigned long long for_join = 0
cdef Places places


cdef PyThreadState* give_gil_away(
    unsigned long long* reason,
    const void* place,
) noexcept nogil:
    cdef PyThreadState* state
    reason[0] += 1
    places.note(place)
    state = PyEval_SaveThread()
    schedule(Point.released)
    return state


cdef bint take_gil_back(
    PyThreadState* state,
) noexcept nogil:
    # False: the gate is closed, and Python may stop this thread for ever where it waits for the GIL. The caller must
    # let go of what it has just locked, which the finalizer may want too, before it waits: `on_PyEval_RestoreThread`.
    cdef Visitor* me = this_visitor()
    if (gate.state() == State.sealed and not me.is_finalizer()) or not gate.try_enter(me[0]):
        return False
    schedule(Point.entered)
    PyEval_RestoreThread(state)
    schedule(Point.acquired)
    gate.leave(me[0])
    schedule(Point.left)
    return True


cdef int lock_without_gil(
    pthread_mutex_t* mutex,
    const void* place,
) noexcept nogil:
    # By a thread that holds the GIL. The owner mostly wants no GIL and is about to let go, and a switch of the GIL is
    # dear: some attempts first (docs/performance.md has the figures).
    cdef int error
    cdef PyThreadState* state
    while True:
        for _ in range(LOCK_ATTEMPTS):
            error = pthread_mutex_trylock(mutex)
            if error != EBUSY:
                return error
            relax()
        state = give_gil_away(&for_lock, place)
        error = pthread_mutex_lock(mutex)
        if take_gil_back(state):
            return error
        if error == 0:
            pthread_mutex_unlock(mutex)
        on_PyEval_RestoreThread(state)


cdef int on_pthread_mutex_lock(
    pthread_mutex_t* mutex,
) noexcept nogil:
    cdef int error = pthread_mutex_trylock(mutex)  # nearly always free, and then it does not matter who holds the GIL
    if error != EBUSY:
        return error
    return lock_without_gil(mutex, caller()) if holds_gil() else pthread_mutex_lock(mutex)


cdef int on_pthread_cond_wait(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
) noexcept nogil:
    return wait_without_gil(condition, mutex, -1, NULL, caller())


cdef int on_pthread_cond_timedwait(
    pthread_cond_t* condition,
    pthread_mutex_t* mutex,
    const timespec* until,
) noexcept nogil:
    return wait_without_gil(condition, mutex, -1, until, caller())


cdef int on_pthread_cond_clockwait(
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
        on_PyEval_RestoreThread(state)
        lock_without_gil(mutex, place)  # whoever waits for a condition expects it unlocked for a while
    return error


cdef void on_std_condition_variable_wait(
    condition_variable* self,
    unique_lock* lock,
) noexcept nogil:
    cdef pthread_mutex_t* mutex
    cdef const void* place = caller()
    cdef PyThreadState* state = give_gil_away(&for_wait, place) if holds_gil() else NULL
    self.wait(lock[0])
    if state != NULL and not take_gil_back(state):
        mutex = lock.mutex().native_handle()
        pthread_mutex_unlock(mutex)
        on_PyEval_RestoreThread(state)
        lock_without_gil(mutex, place)


def gil_given_away():
    return {"for_lock": for_lock, "for_wait": for_wait, "for_join": for_join}


def gil_places():
    cdef Dl_info info
    found = []
    cdef const void* place
    for i in range(places.count()):
        place = places[i]
        if dladdr(place, &info) != 0:
            symbol = info.dli_sname.decode() if info.dli_sname != NULL else "no symbol"
            offset = <uintptr_t> place - <uintptr_t> info.dli_fbase
            found.append(f"{os.fsdecode(info.dli_fname)}+{offset:#x} ({symbol})")
    return found
