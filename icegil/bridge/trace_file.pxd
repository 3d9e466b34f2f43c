# The file of a timeline, for Cython: include/icegil/trace_file.hpp.
from icegil.bridge.trace cimport Trace


cdef extern from "icegil/trace_file.hpp" namespace "icegil" nogil:
    int write_trace(const Trace&, const char* path, const char* facts) noexcept
