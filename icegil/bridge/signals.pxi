# What a signal handler raises on the main thread reaches the program, also when that thread is below IcePy then: in a
# servant that it calls itself, in a callback, in a line of Python that IcePy runs. IcePy has nobody to pass such an
# exception on to: it makes another one of it, logs it, drops it, or ends the process where it stands. So a SystemExit
# or KeyboardInterrupt that IcePy is about to consume on the main thread is kept here, and is raised where the call of
# IcePy returns to Python: in place of what that call raises, or, if it raises nothing, by the first look for pending
# calls.
from cpython.ref cimport Py_INCREF, PyObject
from libc.stdint cimport uintptr_t
from libc.string cimport strcmp

from icegil.bridge.interpreter cimport (
    Py_AddPendingCall,
    Py_DecRef,
    Py_IncRef,
    Py_IsFinalizing,
    PyErr_Clear,
    PyErr_ExceptionMatches,
    PyErr_Fetch,
    PyErr_Occurred,
    PyErr_Print,
    PyErr_PrintEx,
    PyErr_Restore,
    PyEval_GetFrame,
    PyExc_KeyboardInterrupt,
    PyExc_SystemExit,
    PyException_GetContext,
    PyException_SetContext,
    PyException_SetTraceback,
    PyFrame_GetBack,
    PyObject_GetAttr,
    may_add_pending_call_again,
    raise_error,
    take_error,
)
from icegil.bridge.posix cimport pthread_equal, pthread_self, pthread_t

import threading

# All under the GIL.
cdef pthread_t main_thread = <pthread_t> <uintptr_t> threading.main_thread().ident
cdef PyObject* kept = NULL  # the exception
cdef PyObject* kept_caller = NULL  # the frame that called what consumed it: in a frame above, the call has returned
cdef PyObject* seen_below = NULL  # a frame that was seen to be below that call
cdef bint is_put_off = False  # a pending call is to be added when the main thread comes back from Ice
cdef PyObject* in_its_place = NULL


def set_in_place_of_exits(exception, /):
    """What IcePy is given in place of an exception that is kept for the program. One for all of them."""
    global in_its_place
    Py_INCREF(exception)
    put(&in_its_place, <PyObject*> exception)


cdef void begin_as_main_thread() noexcept nogil:
    # In a forked child, whose main thread is the one that forked.
    global main_thread, kept
    if not is_main_thread():
        main_thread = pthread_self()
        kept = NULL


cdef bint is_main_thread() noexcept nogil:
    return pthread_equal(pthread_self(), main_thread)


cdef void put(
    PyObject** place,
    PyObject* thing,
) noexcept nogil:
    # Takes the reference over.
    cdef PyObject* earlier = place[0]
    place[0] = thing
    Py_DecRef(earlier)  # may run Python


cdef bint keep_exit() noexcept nogil:
    # IcePy is about to consume the exception that is set, if one is. True: it was kept, and none is set any more.
    # Without a frame of Python above IcePy there is no program to raise it to.
    global kept
    cdef PyObject* error
    cdef PyObject* caller
    cdef PyObject* earlier
    if not is_main_thread() or PyErr_Occurred() == NULL:
        return False
    if not (PyErr_ExceptionMatches(PyExc_SystemExit) or PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)):
        return False
    caller = PyEval_GetFrame()
    if caller == NULL or in_its_place == NULL or gate.state() != State.open or Py_IsFinalizing():
        return False
    error = take_error()
    if kept != NULL and kept != error:
        # The later one is raised, with the earlier one for its context, as where a handler is called below another's.
        earlier = PyException_GetContext(error)
        if earlier == NULL:
            PyException_SetContext(error, kept)  # takes the reference over
            kept = NULL
        Py_DecRef(earlier)
    put(&kept, error)
    Py_IncRef(caller)
    put(&kept_caller, caller)
    put(&seen_below, NULL)
    Py_AddPendingCall(raise_kept, NULL)  # if there is no room: what this call raises is replaced, or the next one's
    return True


cdef bint is_kept_for_this_call() noexcept nogil:
    return kept != NULL and is_main_thread() and PyEval_GetFrame() == kept_caller


cdef void raise_what_is_kept() noexcept nogil:
    global kept
    cdef PyObject* error = kept
    kept = NULL
    put(&kept_caller, NULL)
    put(&seen_below, NULL)
    raise_error(error)


cdef int raise_kept(
    void* _,
) noexcept nogil:
    # CPython calls it on the main thread between two instructions of Python, with the GIL. While the call has not
    # returned: again at the next look, or, where there would be no end of looks, when this thread comes back from Ice.
    global is_put_off
    if kept == NULL or not is_main_thread():
        return 0
    if not is_below_kept_call():
        raise_what_is_kept()
        return -1
    is_put_off = not may_add_pending_call_again()
    if not is_put_off:
        Py_AddPendingCall(raise_kept, NULL)
    return 0


cdef void look_again_for_kept() noexcept nogil:
    # The calling thread has come back from Ice, with the GIL.
    global is_put_off
    if is_put_off and is_main_thread():
        is_put_off = False
        Py_AddPendingCall(raise_kept, NULL)


cdef bint is_below_kept_call() noexcept nogil:
    # Python that IcePy has called runs, and the call that consumed the exception has not returned. CPython looks for
    # pending calls up to 32 times in a row while there are any: a frame is looked at once.
    cdef PyObject* frame = PyEval_GetFrame()
    cdef PyObject* above
    cdef PyObject* innermost = frame
    if frame == NULL or frame == kept_caller:
        return False
    if frame == seen_below:
        return True
    Py_IncRef(frame)
    while frame != NULL and frame != kept_caller:
        above = PyFrame_GetBack(frame)
        Py_DecRef(frame)
        frame = above
    if frame == NULL:
        return False
    Py_DecRef(frame)
    Py_IncRef(innermost)
    put(&seen_below, innermost)
    return True


cdef PyObject* stand_in() noexcept nogil:
    # What IcePy is given: what it does with a SystemExit would be the end of the process.
    PyException_SetTraceback(in_its_place, <PyObject*> None)
    Py_IncRef(in_its_place)
    return in_its_place


# --- What IcePy consumes exceptions with ----------------------------------------------------------------------------

cdef PyObject* on_PyErr_GetRaisedException() noexcept nogil:
    return stand_in() if keep_exit() else take_error()


cdef void on_PyErr_Fetch(
    PyObject** type,
    PyObject** value,
    PyObject** traceback,
) noexcept nogil:
    if keep_exit():
        raise_error(stand_in())
    PyErr_Fetch(type, value, traceback)


cdef void on_PyErr_Clear() noexcept nogil:
    if not keep_exit():
        PyErr_Clear()


cdef void on_PyErr_Print() noexcept nogil:
    if not keep_exit():
        PyErr_Print()


cdef void on_PyErr_PrintEx(
    int set_sys_last_vars,
) noexcept nogil:
    if not keep_exit():
        PyErr_PrintEx(set_sys_last_vars)


cdef PyObject* on_PyObject_GetAttrString(
    PyObject* thing,
    const char* name,
) noexcept nogil:
    # IcePy does not look whether it was given something: the mode of an operation is Python, and so are properties of
    # the communicator. The handler has run, so the attribute is there the next time.
    cdef PyObject* found
    if name[0] == b"e" and strcmp(name, b"eventLoopAdapter") == 0:
        give_back_reference()
    cdef PyObject* key = named(name)
    if key == NULL:
        return NULL
    found = PyObject_GetAttr(thing, key)
    if found == NULL and keep_exit():
        found = PyObject_GetAttr(thing, key)
    Py_DecRef(key)
    return found


# --- What it raises with --------------------------------------------------------------------------------------------

cdef void on_PyErr_SetRaisedException(
    PyObject* error,
) noexcept nogil:
    if is_kept_for_this_call():
        Py_DecRef(error)
        raise_what_is_kept()
    else:
        raise_error(error)


cdef void on_PyErr_Restore(
    PyObject* type,
    PyObject* value,
    PyObject* traceback,
) noexcept nogil:
    if type != NULL and is_kept_for_this_call():
        Py_DecRef(type)
        Py_DecRef(value)
        Py_DecRef(traceback)
        raise_what_is_kept()
    else:
        PyErr_Restore(type, value, traceback)
