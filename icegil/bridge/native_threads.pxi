# Python starts no thread once finalization has begun (3.12: not even from atexit handlers), and a destruction must be
# able to begin there. So these are plain POSIX threads.
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from cython cimport no_gc_clear
from libc.string cimport strerror
from libcpp.memory cimport shared_ptr

from icegil.bridge.deadline cimport Deadline
from icegil.bridge.interpreter cimport check_gil
from icegil.bridge.posix cimport (
    PTHREAD_CREATE_DETACHED,
    pthread_attr_destroy,
    pthread_attr_init,
    pthread_attr_setdetachstate,
    pthread_attr_t,
    pthread_create,
    pthread_self,
    pthread_setname_np,
    pthread_t,
)
from icegil.bridge.thread cimport Thread


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


@no_gc_clear  # the thread may be about to call `late`
cdef class Watch:
    """Calls `late()` on a native thread after some seconds, unless `end()` is called before."""

    # The thread has a share of its own in the deadline. It waits without the GIL and outside the gate: nobody is to
    # wait for it, and nobody is to see it inside.
    cdef shared_ptr[Deadline] deadline
    cdef object late

    def __cinit__(self, double seconds, late):
        cdef shared_ptr[Deadline]* share
        self.late = late
        self.deadline.reset(new Deadline(seconds, <void*> late))  # rule 4: the reference stays this object's
        share = new shared_ptr[Deadline](self.deadline)
        if start_thread(watch_thread, share) != 0:
            del share

    def end(self):
        self.deadline.get().call_off()

    def __dealloc__(self):
        if self.deadline.get() != NULL:
            self.deadline.get().call_off()


cdef void* watch_thread(
    void* share,
) noexcept nogil:
    cdef shared_ptr[Deadline]* deadline = <shared_ptr[Deadline]*> share
    pthread_setname_np(pthread_self(), b"icegil")
    if deadline.get().passes():
        run_inside(run_late, deadline.get())
    del deadline
    return NULL


cdef void run_late(void* passed) noexcept:
    cdef Deadline* deadline = <Deadline*> passed
    if not deadline.is_off():  # under the GIL: whoever calls it off has it, and `late` lives until then
        late = <object> deadline.subject
        late()
        check_gil("what a watch calls")
