# Which imports of which loaded objects lead to the bridge.
from libc.stdint cimport uintptr_t
from libc.string cimport strerror
from libcpp.optional cimport optional

from icegil.bridge.interpreter cimport Py_IsInitialized, PyCFunction_GetFunction
from icegil.bridge.loaded_object cimport LoadedObject, Slot, needed_objects, object_containing
from icegil.bridge.redirect cimport Redirection, RedirectOutcome, redirect, still_ours, undo

import os
import sys

# Each by the name under which it is imported; why, where and on which versions, says icegil/redirects.py.
cdef dict replacements = {
    "PyGILState_Ensure": <uintptr_t> <void*> on_PyGILState_Ensure,
    "PyGILState_Release": <uintptr_t> <void*> on_PyGILState_Release,
    "PyEval_RestoreThread": <uintptr_t> <void*> on_PyEval_RestoreThread,
    "Py_Exit": <uintptr_t> <void*> on_Py_Exit,
    "PyImport_ImportModule": <uintptr_t> <void*> on_PyImport_ImportModule,
    "PyImport_GetModuleDict": <uintptr_t> <void*> on_PyImport_GetModuleDict,
    "PyErr_GetRaisedException": <uintptr_t> <void*> on_PyErr_GetRaisedException,
    "PyErr_Fetch": <uintptr_t> <void*> on_PyErr_Fetch,
    "PyErr_Clear": <uintptr_t> <void*> on_PyErr_Clear,
    "PyErr_Print": <uintptr_t> <void*> on_PyErr_Print,
    "PyErr_PrintEx": <uintptr_t> <void*> on_PyErr_PrintEx,
    "PyErr_SetRaisedException": <uintptr_t> <void*> on_PyErr_SetRaisedException,
    "PyErr_Restore": <uintptr_t> <void*> on_PyErr_Restore,
    "PyDict_GetItemString": <uintptr_t> <void*> on_PyDict_GetItemString,
    "PyObject_SetAttrString": <uintptr_t> <void*> on_PyObject_SetAttrString,
    "PyObject_GetAttrString": <uintptr_t> <void*> on_PyObject_GetAttrString,
    "pthread_exit": <uintptr_t> <void*> on_pthread_exit,
    "pthread_mutex_lock": <uintptr_t> <void*> on_pthread_mutex_lock,
    "pthread_cond_wait": <uintptr_t> <void*> on_pthread_cond_wait,
    "pthread_cond_timedwait": <uintptr_t> <void*> on_pthread_cond_timedwait,
    "pthread_cond_clockwait": <uintptr_t> <void*> on_pthread_cond_clockwait,
    "pthread_join": <uintptr_t> <void*> on_pthread_join,
    "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE": <uintptr_t> <void*> on_std_condition_variable_wait,
    "_ZNSt28__atomic_futex_unsigned_base19_M_futex_wait_until"
    "EPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE":
        <uintptr_t> <void*> on_std___atomic_futex_unsigned_base__M_futex_wait_until,
    "_ZNSt28__atomic_futex_unsigned_base26_M_futex_wait_until_steady"
    "EPjjbNSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE":
        <uintptr_t> <void*> on_std___atomic_futex_unsigned_base__M_futex_wait_until_steady,
    "getaddrinfo": <uintptr_t> <void*> on_getaddrinfo,
    "_ZNSt6thread4joinEv": <uintptr_t> <void*> on_std_thread_join,
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


def address_in_bridge():
    """An address in the object that this is."""
    return <uintptr_t> <void*> on_PyGILState_Ensure


def address_in_interpreter():
    """An address in the object that holds the interpreter: an executable, or libpython."""
    return <uintptr_t> Py_IsInitialized
