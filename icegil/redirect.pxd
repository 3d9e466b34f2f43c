# Point one loaded object's imported function at another, for Cython: include/icegil/redirect.hpp.
from libcpp.vector cimport vector

from icegil.loaded_object cimport LoadedObject


cdef extern from "icegil/loaded_object.hpp" namespace "icegil" nogil:
    cdef cppclass Slot:
        pass


cdef extern from "icegil/redirect.hpp" namespace "icegil" nogil:
    const bint redirect_supported

    cdef enum class RedirectOutcome:
        done
        unsupported
        not_imported
        damaged
        no_original
        not_permitted

    cdef cppclass Redirection:
        RedirectOutcome outcome
        int error
        vector[Slot] slots

    cdef cppclass Undone:
        RedirectOutcome outcome
        int error
        size_t restored
        size_t not_ours

    Redirection redirect(const LoadedObject& object, const char* name, void* replacement) noexcept
    Undone undo(Redirection& redirection) noexcept
    bint still_ours(const Redirection& redirection) noexcept
