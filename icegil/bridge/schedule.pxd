# Seeded disturbance of the threads' timing, for Cython: include/icegil/schedule.hpp.


cdef extern from "icegil/schedule.hpp" namespace "icegil" nogil:
    cdef enum class Point:
        entered
        acquired
        released
        left
        parked
        draining
        drained
        sealed
        finalizing

    void schedule(Point) noexcept
