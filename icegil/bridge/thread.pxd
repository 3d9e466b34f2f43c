# What icegil keeps of each native thread, for Cython: include/icegil/thread.hpp.
from libc.stdint cimport uint32_t

from icegil.bridge.gate cimport Gate, Visitor


cdef extern from "icegil/thread.hpp" namespace "icegil" nogil:
    cdef cppclass Thread:
        Visitor visitor
        uint32_t frames
        void* state
        unsigned long identity
        void* invocation
        bint is_named
        void (*at_end)() noexcept

    Thread& this_thread(Gate&) noexcept
