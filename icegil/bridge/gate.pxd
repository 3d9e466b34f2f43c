# The finalization gate, for Cython: include/icegil/gate.hpp, where each promise is written down.
from libc.stdint cimport uint32_t, uint64_t
from libcpp.vector cimport vector


cdef extern from "<pthread.h>" nogil:
    ctypedef unsigned long pthread_t
    ctypedef int pid_t


cdef extern from "<chrono>" namespace "std::chrono" nogil:
    cdef cppclass nanoseconds:
        nanoseconds(long long)


cdef extern from "icegil/gate.hpp" namespace "icegil" nogil:
    cdef cppclass Visitor:
        uint32_t depth() noexcept
        bint is_finalizer() noexcept

    cdef struct Occupant:
        pthread_t thread
        pid_t native_id
        uint32_t depth
        double seconds

    cdef struct Counters:
        uint64_t admitted
        uint64_t refused
        uint64_t parked
        uint64_t inside
        uint64_t most

    cdef enum class State "icegil::Gate::State":
        open
        draining
        sealed

    cdef cppclass Clock "icegil::Gate::Clock":
        cppclass time_point:
            time_point operator+(nanoseconds)
            bint operator<(time_point)

        @staticmethod
        time_point now() noexcept

    cdef cppclass Gate:
        Gate() noexcept
        bint try_enter(Visitor&) noexcept
        void leave(Visitor&) noexcept
        void park(Visitor&) noexcept
        size_t drain(Visitor&, Clock.time_point) noexcept
        void seal() noexcept
        void renew_in_child(Visitor&) noexcept
        State state() noexcept
        Counters counters() noexcept
        void keep_time() noexcept
        vector[Occupant] occupants() except +
