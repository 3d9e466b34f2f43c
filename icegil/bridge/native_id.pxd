# The kernel's number of a thread, for Cython: include/icegil/native_id.hpp.
from icegil.bridge.gate cimport pid_t


cdef extern from "icegil/native_id.hpp" namespace "icegil" nogil:
    pid_t native_id() noexcept
