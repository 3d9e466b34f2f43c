// The kernel's number of a thread.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace icegil {

namespace detail {
inline thread_local pid_t known_native_id = 0;
}

/// The calling thread's id, as `threading.get_native_id()`, `top` and `gdb` have it. A system call at a thread's first.
inline pid_t native_id() noexcept {
    if (detail::known_native_id == 0) {
        detail::known_native_id = static_cast<pid_t>(::syscall(SYS_gettid));  // `gettid` is not in every C library
    }
    return detail::known_native_id;
}

/// To be called in a forked child, whose one thread has another id than the parent's.
inline void forget_native_id() noexcept { detail::known_native_id = 0; }

}  // namespace icegil
