// Seeded disturbance of the threads' timing, for debug builds: orders of events that hardly ever come by themselves are
// brought about on purpose. In other builds nothing of it is there.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#ifdef ICEGIL_DEBUG
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#endif

namespace icegil {

/// Where a thread is when it may be delayed: right after what the name says. But `parked` is between the refusal and
/// the sleep, `draining` before the gate closes, `finalizing` before Python's own finalization.
enum class Point : std::uint8_t { entered, acquired, released, left, parked, draining, drained, sealed, finalizing };

#ifdef ICEGIL_DEBUG

namespace schedule_detail {

/// Read when the library is loaded; 0, or none: nobody is delayed.
inline const std::uint64_t seed = []() noexcept -> std::uint64_t {
    const char* const text = std::getenv("ICEGIL_SCHEDULE");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 0;
}();

inline std::atomic<std::uint32_t> threads{0};

/// splitmix64
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/// The seed decides how a point is treated, so that seeds differ in more than noise: passed at once, or slowed down by
/// yields, by microseconds, or by milliseconds. Of thousands of crossings only some are: on a busy machine each of them
/// may cost a turn of all others. Answers how long to sleep, in nanoseconds; 1: yield.
inline std::uint64_t delay(Point point, std::uint64_t thread, std::uint64_t passage) noexcept {
    const std::uint64_t here = mix(seed + (static_cast<std::uint64_t>(point) << 56));
    const std::uint64_t now = mix(here ^ (thread << 32) ^ passage);
    constexpr std::uint64_t longest[] = {0, 1, 100'000, 4'000'000};
    const bool is_passed = longest[here % 4] == 0 || (point <= Point::left && now % 64 != 0);
    return is_passed ? 0 : 1 + (now >> 6) % longest[here % 4];
}

}  // namespace schedule_detail

/// Delays the calling thread, or not: by the seed in ICEGIL_SCHEDULE, the point, which thread it is in the order in
/// which they first came to any point, and how many points it has passed. Keeps errno.
inline void schedule(Point point) noexcept {
    if (schedule_detail::seed == 0) {
        return;
    }
    thread_local const std::uint32_t thread = schedule_detail::threads.fetch_add(1, std::memory_order_relaxed);
    thread_local std::uint32_t passages = 0;
    const int error = errno;
    if (const std::uint64_t delay = schedule_detail::delay(point, thread, ++passages); delay == 1) {
        ::sched_yield();
    } else if (delay > 1) {
        const timespec time{0, static_cast<long>(delay)};
        ::nanosleep(&time, nullptr);
    }
    errno = error;
}

#else

[[gnu::always_inline]] inline void schedule(Point /*point*/) noexcept {}

#endif  // ICEGIL_DEBUG

}  // namespace icegil
