# The objects that the loader has mapped, for Cython: include/icegil/loaded_object.hpp.
from libcpp.optional cimport optional
from libcpp.string cimport string
from libcpp.vector cimport vector


cdef extern from "icegil/loaded_object.hpp" namespace "icegil" nogil:
    cdef cppclass LoadedObject:
        string path
        string soname

    optional[LoadedObject] object_containing(const void* address) noexcept
    vector[LoadedObject] needed_objects(const LoadedObject& object) noexcept
