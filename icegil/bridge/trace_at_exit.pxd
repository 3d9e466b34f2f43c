# Writing the timeline when the process ends, for Cython: include/icegil/trace_at_exit.hpp.
from icegil.bridge.trace cimport Trace


cdef extern from "icegil/trace_at_exit.hpp" namespace "icegil" nogil:
    cdef cppclass TraceAtExit:
        const char* path
        const char* facts_if_clean
        const char* facts_if_unclean
        void write(const Trace&, bint is_unclean) noexcept
