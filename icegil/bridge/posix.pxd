# What the bridge uses of POSIX, glibc and the C++ library.
from libc.time cimport timespec

from icegil.bridge.gate cimport pthread_t


# Not in glibc before 2.30; then nobody imports it either.
cdef extern from *:
    """
    #include <pthread.h>
    extern "C" __attribute__((weak)) int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t,
                                                                const timespec*);
    """

cdef extern from "<pthread.h>" nogil:
    ctypedef struct pthread_attr_t:
        pass
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef struct pthread_cond_t:
        pass
    ctypedef int clockid_t
    int PTHREAD_CREATE_DETACHED

    int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*) noexcept nogil, void*) noexcept
    int pthread_attr_init(pthread_attr_t*) noexcept
    int pthread_attr_setdetachstate(pthread_attr_t*, int) noexcept
    int pthread_attr_destroy(pthread_attr_t*) noexcept
    int pthread_setname_np(pthread_t, const char*) noexcept
    int pthread_atfork(void (*)() noexcept nogil, void (*)() noexcept nogil, void (*)() noexcept nogil) noexcept
    pthread_t pthread_self() noexcept
    bint pthread_equal(pthread_t, pthread_t) noexcept
    void pthread_exit(void*) noexcept
    int pthread_join(pthread_t, void**) noexcept
    int pthread_mutex_lock(pthread_mutex_t*) noexcept
    int pthread_mutex_trylock(pthread_mutex_t*) noexcept
    int pthread_mutex_unlock(pthread_mutex_t*) noexcept
    int pthread_cond_wait(pthread_cond_t*, pthread_mutex_t*) noexcept
    int pthread_cond_timedwait(pthread_cond_t*, pthread_mutex_t*, const timespec*) noexcept
    int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*) noexcept


cdef extern from "<ctime>" nogil:
    clockid_t CLOCK_MONOTONIC
    int clock_gettime(clockid_t, timespec*) noexcept


cdef extern from "<semaphore.h>" nogil:
    ctypedef struct sem_t:
        pass
    int sem_init(sem_t*, int is_shared, unsigned int value) noexcept
    int sem_destroy(sem_t*) noexcept
    int sem_post(sem_t*) noexcept
    int sem_wait(sem_t*) noexcept
    int sem_clockwait(sem_t*, clockid_t, const timespec*) noexcept


cdef extern from "<cstdlib>" nogil:
    int on_exit(void (*)(int, void*) noexcept nogil, void*) noexcept


cdef extern from "<unistd.h>" nogil:
    void _exit(int) noexcept


cdef extern from "<dlfcn.h>" nogil:
    ctypedef struct Dl_info:
        const char* dli_fname
        const void* dli_fbase
        const char* dli_sname
    int dladdr(const void*, Dl_info*) noexcept


cdef extern from "<mutex>" namespace "std" nogil:
    cdef cppclass mutex:
        pthread_mutex_t* native_handle() noexcept
    cdef cppclass unique_lock "std::unique_lock<std::mutex>":
        mutex* mutex() noexcept


cdef extern from "<condition_variable>" namespace "std" nogil:
    cdef cppclass condition_variable:
        void wait(unique_lock&) noexcept


cdef extern from "<thread>" namespace "std" nogil:
    cdef cppclass thread:
        void join() noexcept
        bint joinable() noexcept
        pthread_t native_handle() noexcept


cdef extern from "<netdb.h>" nogil:
    ctypedef struct addrinfo:
        pass
    int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) noexcept


# What `std::future` waits with (bits/atomic_futex.h): members of a class that is not meant to be named.
cdef extern from *:
    """
    #define ICEGIL_FUTEX(name, length)                                                         \
        extern "C" bool icegil_futex_##name(void*, unsigned*, unsigned, bool, long, long)       \
            __asm__("_ZNSt28__atomic_futex_unsigned_base" length "_M_futex_" #name "EPjjb"     \
                    "NSt6chrono8durationIlSt5ratioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE")
    ICEGIL_FUTEX(wait_until, "19");
    ICEGIL_FUTEX(wait_until_steady, "26");
    """
    bint futex_wait_until "icegil_futex_wait_until"(void*, unsigned*, unsigned, bint, long, long) noexcept nogil
    bint futex_wait_until_steady "icegil_futex_wait_until_steady"(
        void*, unsigned*, unsigned, bint, long, long
    ) noexcept nogil
