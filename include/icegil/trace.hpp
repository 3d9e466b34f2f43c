// The timeline of a process: who was inside the gate when, and what the gate and the communicators did. Recorded by any
// thread without a lock into a ring of fixed size.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "native_id.hpp"

namespace icegil {

enum class TraceKind : std::uint8_t {
    callback_begins,
    callback_ends,
    refused,
    parked,
    draining,
    sealed,
    shutdown_begins,
    finalizing,
    made,        // a communicator: `id` tells it from others, `text` says where
    destroying,  // the same `id`
    destroyed,   // the same `id` and `text`
};

/// The latest events of a process. Never destroyed once threads may record into it.
class Trace {
public:
    using Clock = std::chrono::steady_clock;

    /// `capacity` is a power of two: how many of the latest events are kept, 48 bytes each.
    explicit Trace(std::size_t capacity) : slots_(capacity), mask_(capacity - 1) {}
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;

    /// Notes an event of the calling thread. No lock, no allocation, no system call but at a thread's first.
    /// `text` must live as long as this: see `kept()`.
    // Out of line: every crossing would save the registers for it.
    [[gnu::noinline, gnu::cold]] void record(TraceKind kind, std::uint64_t id = 0,
                                             const char* text = nullptr) noexcept {
        const std::uint64_t number = recorded_.fetch_add(1, std::memory_order_relaxed) + 1;
        Slot& slot = slots_[number & mask_];
        // One thread at a time writes a slot. Whoever was held up for a round of the ring, or finds one that is, leaves
        // its event out.
        std::uint64_t there = slot.number.load(std::memory_order_relaxed);
        if (there >= number || !slot.number.compare_exchange_strong(there, being_written, std::memory_order_acquire,
                                                                    std::memory_order_relaxed)) {
            return;
        }
        // A reader takes a slot only if it finds the same number before and after: whoever sees any of these releases
        // sees that it is being written, too. (No fences: ThreadSanitizer knows none.)
        slot.time.store(Clock::now().time_since_epoch().count(), std::memory_order_release);
        slot.id.store(id, std::memory_order_release);
        slot.text.store(text, std::memory_order_release);
        slot.thread.store(native_id(), std::memory_order_release);
        slot.kind.store(kind, std::memory_order_release);
        slot.number.store(number, std::memory_order_release);
    }

    struct Event {
        std::int64_t time;
        std::uint64_t id;
        const char* text;
        pid_t thread;
        TraceKind kind;
    };

    /// The events that are there in full, in the order of their numbers.
    [[nodiscard]] std::vector<Event> events() const {
        const std::uint64_t end = recorded_.load(std::memory_order_acquire);
        std::vector<Event> events;
        for (std::uint64_t number = end > slots_.size() ? end - slots_.size() + 1 : 1; number <= end; ++number) {
            const Slot& slot = slots_[number & mask_];
            if (slot.number.load(std::memory_order_acquire) != number) {
                continue;
            }
            const Event event{slot.time.load(std::memory_order_acquire), slot.id.load(std::memory_order_acquire),
                              slot.text.load(std::memory_order_acquire), slot.thread.load(std::memory_order_acquire),
                              slot.kind.load(std::memory_order_acquire)};
            if (slot.number.load(std::memory_order_relaxed) == number) {
                events.push_back(event);
            }
        }
        return events;
    }

    /// A copy of `text` that lives as long as this, one for all that are equal.
    const char* kept(std::string_view text) {
        const std::lock_guard lock(mutex_);
        return texts_.emplace(text).first->c_str();
    }

    /// What a thread is called: the last name that it was given, else "Ice-" and its id, since threads of Ice have no
    /// names of their own.
    void name(pid_t thread, std::string_view name) {
        const std::lock_guard lock(mutex_);
        names_[thread] = name;
    }
    [[nodiscard]] std::string name_of(pid_t thread) const {
        const std::lock_guard lock(mutex_);
        const auto found = names_.find(thread);
        return found != names_.end() ? found->second : "Ice-" + std::to_string(thread);
    }

    /// How many events there were, also those that are no longer there.
    [[nodiscard]] std::uint64_t recorded() const noexcept { return recorded_.load(std::memory_order_relaxed); }

    /// When the recording began, as `Event::time` counts.
    [[nodiscard]] std::int64_t begun() const noexcept { return begun_; }

private:
    static constexpr std::uint64_t being_written = ~std::uint64_t{0};

    struct Slot {
        std::atomic<std::uint64_t> number{0};  // of its event, from 1 on
        std::atomic<std::int64_t> time{0};
        std::atomic<std::uint64_t> id{0};
        std::atomic<const char*> text{nullptr};
        std::atomic<pid_t> thread{0};
        std::atomic<TraceKind> kind{};
    };

    std::vector<Slot> slots_;
    const std::uint64_t mask_;
    const std::int64_t begun_ = Clock::now().time_since_epoch().count();
    std::atomic<std::uint64_t> recorded_{0};

    mutable std::mutex mutex_;  // guards what follows
    std::set<std::string, std::less<>> texts_;
    std::map<pid_t, std::string> names_;
};

/// Where the process records its events; nowhere if null.
inline std::atomic<Trace*> current_trace{nullptr};

/// Notes an event, if events are noted at all: one load if not.
inline void trace(TraceKind kind, std::uint64_t id = 0, const char* text = nullptr) noexcept {
    if (Trace* const into = current_trace.load(std::memory_order_acquire); into != nullptr) {
        into->record(kind, id, text);
    }
}

}  // namespace icegil
