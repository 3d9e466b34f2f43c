// Flushing the streams of the C library on the way out, past those whose lock is never given back.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pthread.h>

#include <cstdio>
#include <new>

#include "deadline.hpp"

namespace icegil {

namespace flush_detail {

inline void* flush_all(void* flushed) {
    std::fflush(nullptr);
    static_cast<Deadline*>(flushed)->call_off();
    return nullptr;
}

inline void flush_if_free(std::FILE* stream) noexcept {
    if (::ftrylockfile(stream) == 0) {
        ::fflush_unlocked(stream);
        ::funlockfile(stream);
    }
}

}  // namespace flush_detail

/// Flushes every stream, for `longest` seconds at most. `fflush(nullptr)` takes the lock of each, and a thread that was
/// stopped may hold one: whoever reads stdin does. So a thread of its own does it, which nobody waits for for ever; the
/// standard streams come last in its round, stdin after all others. Without a thread, those two whose locks are free.
inline void flush_streams(double longest) noexcept {
    auto* const flushed = new (std::nothrow) Deadline(longest, nullptr);  // left to a thread that may never come back
    pthread_attr_t detached;
    ::pthread_attr_init(&detached);
    ::pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_t thread{};
    if (flushed != nullptr && ::pthread_create(&thread, &detached, flush_detail::flush_all, flushed) == 0) {
        static_cast<void>(flushed->passes());
    } else {
        flush_detail::flush_if_free(stdout);
        flush_detail::flush_if_free(stderr);
    }
    ::pthread_attr_destroy(&detached);
}

}  // namespace icegil
