# Flushing the streams of the C library, for Cython: include/icegil/flush.hpp.


cdef extern from "icegil/flush.hpp" namespace "icegil" nogil:
    void flush_streams(double longest) noexcept
