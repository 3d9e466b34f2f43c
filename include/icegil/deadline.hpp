// A deadline that one thread waits for while others may call it off.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace icegil {

class Deadline {
public:
    /// `seconds` from now. `subject` is for whoever waits; nothing here looks at it.
    Deadline(double seconds, void* subject) : subject(subject), time_(Clock::now() + from_seconds(seconds)) {}
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// Waits until the time has come (true), or until it is called off (false). From any thread.
    [[nodiscard]] bool passes() noexcept {
        std::unique_lock lock(mutex_);
        return !called_off_.wait_until(lock, time_, [this] { return is_off_; });
    }

    /// Ends the waiting, now and later. From any thread, any number of times.
    void call_off() noexcept {
        const std::lock_guard lock(mutex_);
        is_off_ = true;
        called_off_.notify_all();
    }

    [[nodiscard]] bool is_off() noexcept {
        const std::lock_guard lock(mutex_);
        return is_off_;
    }

    void* const subject;

private:
    using Clock = std::chrono::steady_clock;

    static Clock::duration from_seconds(double seconds) noexcept {
        constexpr double longest = 1e9;  // thirty years; more does not fit into a duration
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, longest)));
    }

    const Clock::time_point time_;
    std::mutex mutex_;  // guards what follows
    std::condition_variable called_off_;
    bool is_off_ = false;
};

}  // namespace icegil
