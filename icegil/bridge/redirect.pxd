# Redirecting imported functions, for Cython: include/icegil/redirect.hpp, where each promise is written down.
from libcpp.vector cimport vector

from icegil.bridge.loaded_object cimport LoadedObject, Slot


cdef extern from "icegil/redirect.hpp" namespace "icegil" nogil:
    const bint redirect_supported

    cdef enum class RedirectOutcome:
        done
        unsupported
        not_imported
        damaged
        no_original
        not_permitted

    cdef cppclass Import:
        RedirectOutcome outcome
        void* original
        vector[Slot] slots

    cdef cppclass Redirection:
        RedirectOutcome outcome
        int error
        void* original
        void* replacement
        vector[Slot] slots

    cdef struct Undone:
        RedirectOutcome outcome
        int error
        size_t restored
        size_t not_ours

    Import find_import(const LoadedObject&, const char*) noexcept
    Import find_import(const LoadedObject&, const char*, void*) noexcept
    Redirection redirect(const LoadedObject&, const char*, void*) noexcept
    Redirection redirect(const LoadedObject&, const char*, void*, void*) noexcept
    Undone undo(Redirection&) noexcept
    bint still_ours(const Redirection&) noexcept
