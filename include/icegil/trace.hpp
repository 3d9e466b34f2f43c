// The timeline of a process: who was inside the gate when, and what the gate and the communicators did. Recorded by any
// thread without a lock into a ring of fixed size, and written in the Chrome trace event format.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
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
    void record(TraceKind kind, std::uint64_t id = 0, const char* text = nullptr) noexcept {
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

    /// What the file calls a thread: the last name that it was given, else "Ice-" and its id, since threads of Ice have
    /// no names of their own.
    void name(pid_t thread, std::string_view name) {
        const std::lock_guard lock(mutex_);
        names_[thread] = name;
    }

    /// Writes what is there to a file; `facts` go with it as they are, JSON. Answers an errno, 0 is none.
    /// From any thread, beside threads that record: what is being overwritten meanwhile is left out.
    [[nodiscard]] int write(const char* path, std::string_view facts) const noexcept {
        std::FILE* const file = std::fopen(path, "w");
        if (file == nullptr) {
            return errno;
        }
        const std::vector<Event> events = this->events();
        std::fprintf(file, "{\"displayTimeUnit\": \"ms\",\n\"otherData\": {\"dropped_events\": %llu%s%.*s},\n",
                     static_cast<unsigned long long>(recorded_.load(std::memory_order_relaxed) - events.size()),
                     facts.empty() ? "" : ", ", static_cast<int>(facts.size()), facts.data());
        std::fputs("\"traceEvents\": [\n", file);
        std::fprintf(file, R"({"ph": "M", "name": "process_name", "pid": %d, "args": {"name": "python"}})", ::getpid());
        std::set<pid_t> threads;
        for (const Event& event : events) {
            threads.insert(event.thread);
        }
        for (const pid_t thread : threads) {
            std::fprintf(file,
                         ",\n"
                         R"({"ph": "M", "name": "thread_name", "pid": %d, "tid": %d, "args": {"name": ")",
                         ::getpid(), thread);
            write_text(file, name_of(thread).c_str());
            std::fputs("\"}}", file);
        }
        for (const Event& event : events) {
            write_event(file, event);
        }
        std::fputs("\n]}\n", file);
        const bool failed = std::ferror(file) != 0;
        return std::fclose(file) != 0 || failed ? (errno != 0 ? errno : EIO) : 0;
    }

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

    std::string name_of(pid_t thread) const {
        const std::lock_guard lock(mutex_);
        const auto found = names_.find(thread);
        return found != names_.end() ? found->second : "Ice-" + std::to_string(thread);
    }

    void write_event(std::FILE* file, const Event& event) const {
        struct Form {
            const char* phase;
            const char* category;
            const char* name;
        };
        static constexpr Form forms[] = {
            {"B", "callback", "callback"},      {"E", "callback", "callback"},
            {"i", "gate", "refused"},           {"i", "gate", "parked"},
            {"i", "gate", "draining"},          {"i", "gate", "sealed"},
            {"i", "python", "shutdown begins"}, {"i", "python", "finalizing"},
            {"b", "communicator", nullptr},     {"n", "communicator", "destroying"},
            {"e", "communicator", nullptr},
        };
        const Form& form = forms[static_cast<std::size_t>(event.kind)];
        std::fprintf(file,
                     ",\n"
                     R"({"ph": "%s", "cat": "%s", "pid": %d, "tid": %d, "ts": %.3f, "name": ")",
                     form.phase, form.category, ::getpid(), event.thread,
                     static_cast<double>(event.time - begun_) / 1e3);
        if (form.name != nullptr) {
            std::fputs(form.name, file);
        } else {
            std::fputs("communicator ", file);
            write_text(file, event.text != nullptr ? event.text : "");
        }
        std::fputc('"', file);
        if (form.phase[0] == 'i') {
            const bool is_of_thread = event.kind == TraceKind::refused || event.kind == TraceKind::parked;
            std::fputs(is_of_thread ? R"(, "s": "t")" : R"(, "s": "p")", file);
        }
        if (event.id != 0) {
            std::fprintf(file, R"(, "id": "0x%llx")", static_cast<unsigned long long>(event.id));
        }
        std::fputc('}', file);
    }

    /// The inside of a JSON string. Bytes that are no ASCII go out as they are: UTF-8, as the file system has them.
    static void write_text(std::FILE* file, const char* text) {
        for (; *text != '\0'; ++text) {
            const auto byte = static_cast<unsigned char>(*text);
            if (byte == '"' || byte == '\\') {
                std::fprintf(file, "\\%c", byte);
            } else if (byte < 0x20) {
                std::fprintf(file, "\\u%04x", byte);
            } else {
                std::fputc(byte, file);
            }
        }
    }

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
