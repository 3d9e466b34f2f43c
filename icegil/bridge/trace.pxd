# The timeline of a process, for Cython: include/icegil/trace.hpp.
from libc.stdint cimport uint64_t

from icegil.bridge.gate cimport pid_t


cdef extern from "icegil/trace.hpp" namespace "icegil" nogil:
    cdef enum class TraceKind:
        callback_begins
        callback_ends
        refused
        parked
        draining
        sealed
        shutdown_begins
        finalizing
        made
        destroying
        destroyed

    cdef cppclass Trace:
        Trace(size_t capacity) except +
        const char* kept(const char* text) except +
        void name(pid_t thread, const char* name) except +

    cdef cppclass TracePointer "std::atomic<icegil::Trace*>":
        Trace* load() noexcept
        void store(Trace*) noexcept

    TracePointer current_trace
    void trace(TraceKind, uint64_t id, const char* text) noexcept
    void trace(TraceKind) noexcept
