# Who owns the reference to a future. IcePy 3.8 takes one too many in every asynchronous call that is not batched, and
# so keeps future, proxy and reply for good. It is given back in the first moment in which it is known: IcePy has stored
# the future, and asks for the communicator's event-loop adapter. Nobody but IcePy has seen the future by then, and the
# garbage collector does not show it to anybody, so its references can be counted, in each call: one stored and one for
# the caller are right, a third is the one too many. An Ice that is mended is found so, and left alone.
from cpython.ref cimport PyObject
from libc.string cimport strcmp

from icegil.bridge.interpreter cimport (
    METH_KEYWORDS,
    METH_VARARGS,
    Py_DecRef,
    Py_REFCNT,
    PyCFunction,
    PyCFunctionWithKeywords,
    PyMethodDef,
    PyObject_GC_Track,
    PyObject_GC_UnTrack,
    method_definition,
    type_of,
)
from icegil.bridge.thread cimport Thread

cdef struct Invocation:
    # An asynchronous call that this thread is making: from the moment that IcePy is called until it returns.
    void* outer  # the call in which it is made, if any
    PyObject* future  # borrowed; NULL until IcePy has made it
    bint is_counted

cdef struct Method:
    # One entry of a method table of IcePy's, and what it had there; NULL: this IcePy has no such method.
    PyMethodDef* definition
    PyCFunction original

# Under the GIL.
cdef PyObject* invocation_future = NULL  # the class of the futures that are ours to count; never dropped
cdef Method[6] methods
cdef unsigned long long references_given_back = 0
cdef bint is_known = False  # whether a call was counted
cdef bint is_right = False  # whether IcePy was seen to take what it needs and no more


cdef PyObject* call_of_icepy(
    Method* method,
    PyObject* thing,
    PyObject* arguments,
    PyObject* keywords,
) noexcept nogil:
    cdef Invocation invocation
    cdef PyObject* answer
    invocation.outer = this_thread(gate[0]).invocation
    invocation.future = NULL
    invocation.is_counted = False
    this_thread(gate[0]).invocation = &invocation
    if method.definition.ml_flags & METH_KEYWORDS:
        answer = (<PyCFunctionWithKeywords> method.original)(thing, arguments, keywords)
    else:
        answer = method.original(thing, arguments)
    this_thread(gate[0]).invocation = invocation.outer
    return opened(answer, &invocation) if is_of_3_7 else answer


cdef PyObject* on_invokeAsync(PyObject* operation, PyObject* arguments) noexcept nogil:
    return call_of_icepy(&methods[0], operation, arguments, NULL)


cdef PyObject* on_ice_invokeAsync(PyObject* proxy, PyObject* arguments, PyObject* keywords) noexcept nogil:
    return call_of_icepy(&methods[1], proxy, arguments, keywords)


cdef PyObject* on_ice_isAAsync(PyObject* proxy, PyObject* arguments) noexcept nogil:
    return call_of_icepy(&methods[2], proxy, arguments, NULL)


cdef PyObject* on_ice_pingAsync(PyObject* proxy, PyObject* arguments) noexcept nogil:
    return call_of_icepy(&methods[3], proxy, arguments, NULL)


cdef PyObject* on_ice_idsAsync(PyObject* proxy, PyObject* arguments) noexcept nogil:
    return call_of_icepy(&methods[4], proxy, arguments, NULL)


cdef PyObject* on_ice_idAsync(PyObject* proxy, PyObject* arguments) noexcept nogil:
    return call_of_icepy(&methods[5], proxy, arguments, NULL)


cdef PyCFunction stand_in_of_method(int number) noexcept:
    if number == 0:
        return on_invokeAsync
    if number == 1:
        return <PyCFunction> on_ice_invokeAsync
    if number == 2:
        return on_ice_isAAsync
    if number == 3:
        return on_ice_pingAsync
    if number == 4:
        return on_ice_idsAsync
    return on_ice_idAsync


cdef void note_future(
    PyObject* future,
) noexcept nogil:
    # IcePy has made the future of the call that this thread is making.
    cdef Invocation* invocation = <Invocation*> this_thread(gate[0]).invocation
    if invocation != NULL and invocation.future == NULL and type_of(future) == invocation_future:
        invocation.future = future
        if not is_of_3_7:
            PyObject_GC_UnTrack(future)


cdef void give_back_reference() noexcept nogil:
    # A batched request is not stored: two references there say nothing of the others.
    global references_given_back, is_known, is_right
    cdef Invocation* invocation = <Invocation*> this_thread(gate[0]).invocation
    if invocation == NULL or invocation.future == NULL or invocation.is_counted or is_of_3_7:
        return
    cdef PyObject* future = invocation.future
    cdef Py_ssize_t references = Py_REFCNT(future)
    if references == 2:
        if not is_batched(future):
            is_known = is_right = True
    elif references == 3:
        is_known = True
        if not is_right:
            references_given_back += 1
            Py_DecRef(future)
    else:
        return  # another call, made below this one
    invocation.is_counted = True
    PyObject_GC_Track(future)


cdef bint is_batched(
    PyObject* future,
) noexcept nogil:
    with gil:
        return (<InvocationFuture> future).state == DONE and not (<InvocationFuture> future).was_sent


cdef PyObject* opened(
    PyObject* answer,
    Invocation* invocation,
) noexcept nogil:
    # Ice 3.7 stores also a future that is done when it does so, and nobody will come to take it out again: with what
    # cancels the call it is a cycle of which the garbage collector sees nothing. The program gets another future in its
    # place, which nothing of the cycle knows of.
    if answer == NULL or answer != invocation.future:
        return answer
    with gil:
        return in_its_place_one_that_is_free(answer)


cdef PyObject* in_its_place_one_that_is_free(PyObject* answer) noexcept:
    cdef InvocationFuture stored = <InvocationFuture> answer
    cdef InvocationFuture free
    if stored.state == RUNNING:
        return answer
    try:
        free = type(stored).__new__(type(stored))
    except MemoryError:
        return answer
    free.state, free.outcome, free.error = stored.state, stored.outcome, stored.error
    free.was_sent, free.was_sent_synchronously = stored.was_sent, stored.was_sent_synchronously
    free.context, free.name = stored.context, stored.name
    stored.context = stored.outcome = stored.error = None
    Py_IncRef(<PyObject*> free)
    Py_DecRef(answer)
    return <PyObject*> free


def own_futures(cls, list methods_of_icepy, /):
    """Looks after the references to futures of this class, in calls by these methods of IcePy; None where it has none.

    In this order: `invokeAsync` of operations; of proxies `ice_invokeAsync`, and on Ice 3.7 `ice_isAAsync`,
    `ice_pingAsync`, `ice_idsAsync`, `ice_idAsync`.
    """
    global invocation_future
    if invocation_future == NULL:
        Py_IncRef(<PyObject*> cls)
        invocation_future = <PyObject*> cls
    for number, method in enumerate(methods_of_icepy):
        definition = method_definition(<PyObject*> method)
        if definition != NULL and definition.ml_meth != stand_in_of_method(number):
            methods[number].definition = definition
            methods[number].original = definition.ml_meth
            definition.ml_meth = stand_in_of_method(number)


def disown_futures():
    """Undoes `own_futures`; calls that are being made end as they began."""
    for number in range(6):
        if methods[number].definition != NULL:
            methods[number].definition.ml_meth = methods[number].original


def ownership():
    """Whether a call was looked at; whether IcePy took a reference too many; how many were given back."""
    return {"is_known": is_known, "takes_too_many": is_known and not is_right, "given_back": references_given_back}
