# Loaded objects and their imports, for Cython: include/icegil/loaded_object.hpp, where each promise is written down.
from libc.stdint cimport uintptr_t
from libcpp.optional cimport optional
from libcpp.string cimport string
from libcpp.vector cimport vector


cdef extern from "icegil/loaded_object.hpp" namespace "icegil" nogil:
    cdef struct AddressRange:
        uintptr_t begin
        uintptr_t end

    cdef cppclass LoadedObject:
        string path
        string soname
        uintptr_t base
        vector[AddressRange] segments
        AddressRange dynamic
        bint holds(uintptr_t) noexcept

    cdef enum class SlotKind:
        jump_slot
        glob_dat
        pointer

    cdef struct Slot:
        uintptr_t address
        SlotKind kind
        bint defined_here
        uintptr_t previous

    vector[LoadedObject] loaded_objects() noexcept
    optional[LoadedObject] object_containing(const void*) noexcept
    vector[LoadedObject] needed_objects(const LoadedObject&) noexcept
