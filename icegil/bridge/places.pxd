# A list of distinct addresses, for Cython: include/icegil/places.hpp.


cdef extern from "icegil/places.hpp" namespace "icegil" nogil:
    cdef cppclass Places:
        void note(const void*) noexcept
        size_t count() noexcept
        const void* operator[](size_t) noexcept
