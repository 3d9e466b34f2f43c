# A deadline that can be called off, for Cython: include/icegil/deadline.hpp.


cdef extern from "icegil/deadline.hpp" namespace "icegil" nogil:
    cdef cppclass Deadline:
        Deadline(double seconds, void* subject) except +
        void* subject
        bint passes() noexcept
        void call_off() noexcept
        bint is_off() noexcept
