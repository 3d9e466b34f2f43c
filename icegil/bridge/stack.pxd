# What is on a thread's stack, for Cython: include/icegil/stack.hpp, where each promise is written down.
from libcpp.vector cimport vector

from icegil.bridge.loaded_object cimport LoadedObject


cdef extern from "icegil/stack.hpp" namespace "icegil" nogil:
    bint came_through(const vector[LoadedObject]&) noexcept
    bint is_on_stack(const vector[const void*]&) noexcept
