# What else blocks in the runtime, with no lock of its own in hand: the end of a thread, a future, a look-up of a name.
from icegil.bridge.interpreter cimport PyThreadState, caller, holds_gil
from icegil.bridge.posix cimport (
    addrinfo,
    futex_wait_until,
    futex_wait_until_steady,
    getaddrinfo,
    pthread_equal,
    pthread_join,
    pthread_self,
    pthread_t,
    thread,
)


cdef void on_std_thread_join(
    thread* self,
) noexcept nogil:
    # It throws when there is nothing to wait for; then nothing is let go.
    cdef PyThreadState* state = NULL
    if holds_gil() and self.joinable() and not pthread_equal(self.native_handle(), pthread_self()):
        state = give_gil_away(&for_join, caller())
    self.join()
    if state != NULL:
        on_PyEval_RestoreThread(state)


cdef int on_pthread_join(
    pthread_t other,
    void** result,
) noexcept nogil:
    cdef PyThreadState* state = give_gil_away(&for_join, caller()) if holds_gil() else NULL
    cdef int error = pthread_join(other, result)
    if state != NULL:
        on_PyEval_RestoreThread(state)
    return error


cdef bint on_std___atomic_futex_unsigned_base__M_futex_wait_until(
    void* self,
    unsigned* address,
    unsigned value,
    bint has_timeout,
    long seconds,
    long nanoseconds,
) noexcept nogil:
    # What `std::future` waits with.
    cdef PyThreadState* state = give_gil_away(&for_wait, caller()) if holds_gil() else NULL
    cdef bint is_in_time = futex_wait_until(self, address, value, has_timeout, seconds, nanoseconds)
    if state != NULL:
        on_PyEval_RestoreThread(state)
    return is_in_time


cdef bint on_std___atomic_futex_unsigned_base__M_futex_wait_until_steady(
    void* self,
    unsigned* address,
    unsigned value,
    bint has_timeout,
    long seconds,
    long nanoseconds,
) noexcept nogil:
    cdef PyThreadState* state = give_gil_away(&for_wait, caller()) if holds_gil() else NULL
    cdef bint is_in_time = futex_wait_until_steady(self, address, value, has_timeout, seconds, nanoseconds)
    if state != NULL:
        on_PyEval_RestoreThread(state)
    return is_in_time


cdef int on_getaddrinfo(
    const char* node,
    const char* service,
    const addrinfo* hints,
    addrinfo** found,
) noexcept nogil:
    cdef PyThreadState* state = give_gil_away(&for_wait, caller()) if holds_gil() else NULL
    cdef int error = getaddrinfo(node, service, hints, found)
    if state != NULL:
        on_PyEval_RestoreThread(state)
    return error
