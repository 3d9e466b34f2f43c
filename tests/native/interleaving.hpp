// Every order in which threads can take their steps, for code that is compiled as it is. Included before that code,
// which has to be in the namespace `icegil`: what it calls std::atomic, std::mutex and std::condition_variable are then
// the ones below, whose every operation is a step. The threads are fibers, of which one runs at a time up to its next
// step. Memory is as one processor sees it (sequential consistency); what weaker orders allow is not searched.
//
// Orders that differ only in steps that do not touch the same object are one: dynamic partial-order reduction with
// sleep sets (Flanagan and Godefroid, POPL 2005; Godefroid, LNCS 1032). Nothing else is left out.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csetjmp>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace interleaving {

constexpr int threads = 3;

using Set = unsigned;  // of threads, a bit each
constexpr bool has(Set set, int thread) { return (set >> thread & 1U) != 0; }
constexpr Set only(int thread) { return 1U << thread; }

/// What a thread is about to do.
struct Step {
    const char* name;
    const void* object;
    bool writes = true;
    const void* second = nullptr;  // another object that it writes
    bool (*is_possible)(const void* object) = nullptr;
};

inline bool touches_same(const Step& a, const Step& b) {
    const bool same = a.object == b.object || a.object == b.second || a.second == b.object;
    return same && (a.writes || b.writes);
}

/// A point of the search: what the threads are about to do there, and which of them were or are to be chosen.
struct Node {
    std::array<Step, threads> steps;
    Set possible = 0;
    Set asleep = 0;  // leads to nothing new
    Set done = 0;
    Set wanted = 0;
    int chosen = -1;
    std::array<int, threads> after{};  // the steps of each thread that come before this one in every equal order
};

/// What a search came across.
struct Found {
    unsigned long orders = 0;
    std::size_t steps = 0;  // of the longest
};

class Search {
public:
    using Program = std::function<void()>;

    /// Runs the three programs in every order. `prepare` comes before each run, `check` after it.
    Found run(const std::array<Program, threads>& programs, const Program& prepare, const Program& check) {
        Found found;
        programs_ = &programs;
        do {
            prepare();
            if (run_to_end()) {
                check();
                ++found.orders;
                found.steps = std::max(found.steps, path_.size());
            }
        } while (next_order());
        return found;
    }

    /// A step of the thread that is running; returns when it has been chosen. Outside of a run: at once.
    void step(Step next) {
        if (running_ >= 0) {
            Fiber& fiber = fibers_[running_];
            fiber.next = std::move(next);
            change(fiber.place, scheduler_);
        }
    }

    /// The running thread sleeps for ever.
    void stop() {
        fibers_[running_].is_over = true;
        change(fibers_[running_].place, scheduler_);
    }

    [[noreturn]] void fail(const std::string& what) {
        std::printf("%s, in this order:\n", what.c_str());
        for (const Node& node : path_) {
            if (node.chosen >= 0) {
                std::printf("  thread %d: %s\n", node.chosen, node.steps[node.chosen].name);
            }
        }
        std::fflush(stdout);
        ::_exit(1);
    }

private:
    struct Fiber {
        std::array<char, 64 * 1024> stack;
        std::jmp_buf place;
        Step next{};
        bool is_over = false;
    };

    static void begin() {
        Search& search = the();
        (*search.programs_)[search.running_]();
        search.stop();
    }

    // Not swapcontext(), which asks the kernel each time.
    static void change(std::jmp_buf& from, std::jmp_buf& to) {
        if (_setjmp(from) == 0) {
            _longjmp(to, 1);
        }
    }

    void resume(int thread) {
        running_ = thread;
        change(scheduler_, fibers_[thread].place);
        running_ = -1;
    }

    /// Begins a thread's program; returns when it has come to its first step.
    void start(int thread) {
        Fiber& fiber = fibers_[thread];
        fiber.is_over = false;
        ucontext_t context;
        getcontext(&context);
        context.uc_stack.ss_sp = fiber.stack.data();
        context.uc_stack.ss_size = fiber.stack.size();
        makecontext(&context, begin, 0);
        running_ = thread;
        if (_setjmp(scheduler_) == 0) {
            setcontext(&context);
        }
        running_ = -1;
    }

    /// False: it was left half-way, since whatever comes next was seen in another order.
    bool run_to_end() {
        for (int thread = 0; thread < threads; ++thread) {
            start(thread);
        }
        clocks_ = {};
        for (std::size_t depth = 0; depth < path_.size() || add_node(); ++depth) {
            note_order(path_[depth], static_cast<int>(depth));
            resume(path_[depth].chosen);
        }
        return std::all_of(fibers_.begin(), fibers_.end(), [](const Fiber& fiber) { return fiber.is_over; });
    }

    /// The place where the run is now, if it goes on from here.
    bool add_node() {
        Node node;
        Set living = 0;
        for (int thread = 0; thread < threads; ++thread) {
            if (fibers_[thread].is_over) {
                continue;
            }
            living |= only(thread);
            node.steps[thread] = fibers_[thread].next;
            const auto is_possible = node.steps[thread].is_possible;
            if (is_possible == nullptr || is_possible(node.steps[thread].object)) {
                node.possible |= only(thread);
            }
        }
        if (living != 0 && node.possible == 0) {
            fail("everybody waits");
        }
        if (!path_.empty()) {
            const Node& before = path_.back();
            for (int thread = 0; thread < threads; ++thread) {
                const bool is_known = has(before.asleep | before.done, thread);
                if (is_known && !touches_same(before.steps[thread], before.steps[before.chosen])) {
                    node.asleep |= only(thread);
                }
            }
        }
        for (int thread = 0; thread < threads; ++thread) {
            if (has(living, thread)) {
                want_elsewhere(thread, node.steps[thread]);
            }
        }
        const Set awake = node.possible & ~node.asleep;
        if (awake == 0) {
            return false;
        }
        node.chosen = __builtin_ctz(awake);
        node.wanted = only(node.chosen);
        path_.push_back(node);
        return true;
    }

    /// Has this step of this thread tried before the latest one that it could as well come before.
    void want_elsewhere(int thread, const Step& step) {
        for (int i = static_cast<int>(path_.size()) - 1; i >= 0; --i) {
            Node& node = path_[i];
            const bool comes_after = i < clocks_[thread][node.chosen];
            if (node.chosen != thread && !comes_after && touches_same(node.steps[node.chosen], step)) {
                node.wanted |= has(node.possible, thread) ? only(thread) : node.possible;
                return;
            }
        }
    }

    /// What comes before the chosen step whatever the order: its thread's own steps, and those on the same objects.
    void note_order(Node& node, int depth) {
        auto& clock = clocks_[node.chosen];
        for (int i = 0; i < depth; ++i) {
            if (touches_same(path_[i].steps[path_[i].chosen], node.steps[node.chosen])) {
                for (int thread = 0; thread < threads; ++thread) {
                    clock[thread] = std::max(clock[thread], path_[i].after[thread]);
                }
            }
        }
        clock[node.chosen] = depth + 1;
        node.after = clock;
    }

    bool next_order() {
        for (; !path_.empty(); path_.pop_back()) {
            Node& node = path_.back();
            node.done |= only(node.chosen);
            if (const Set left = node.wanted & ~node.done & ~node.asleep; left != 0) {
                node.chosen = __builtin_ctz(left);
                return true;
            }
        }
        return false;
    }

public:
    static Search& the() {
        static Search search;
        return search;
    }

private:
    const std::array<Program, threads>* programs_ = nullptr;
    std::array<Fiber, threads> fibers_;
    std::jmp_buf scheduler_;
    int running_ = -1;
    std::vector<Node> path_;
    std::array<std::array<int, threads>, threads> clocks_{};
};

inline void step(Step next) { Search::the().step(std::move(next)); }

/// Whether a sleep with a deadline may end by itself: at any moment, which is then one more order.
inline bool deadline_may_pass = false;

template <class T>
class Atomic {
public:
    constexpr Atomic(T value = T{}) noexcept : value_(value) {}

    T load(std::memory_order = {}) const noexcept { return step({"load", this, false}), value_; }
    void store(T value, std::memory_order = {}) noexcept { step({"store", this}), value_ = value; }
    T exchange(T value, std::memory_order = {}) noexcept {
        step({"exchange", this});
        return std::exchange(value_, value);
    }
    T fetch_add(T by, std::memory_order = {}) noexcept {
        step({"fetch_add", this});
        return std::exchange(value_, value_ + by);
    }
    T fetch_sub(T by, std::memory_order = {}) noexcept {
        step({"fetch_sub", this});
        return std::exchange(value_, value_ - by);
    }
    T fetch_and(T with, std::memory_order = {}) noexcept {
        step({"fetch_and", this});
        return std::exchange(value_, value_ & with);
    }
    bool compare_exchange_strong(T& expected, T value, std::memory_order = {}, std::memory_order = {}) noexcept {
        step({"compare_exchange", this});
        const bool is_equal = value_ == expected;
        (is_equal ? value_ : expected) = is_equal ? value : value_;
        return is_equal;
    }
    bool compare_exchange_weak(T& expected, T value, std::memory_order = {}) noexcept {
        return compare_exchange_strong(expected, value);
    }

private:
    T value_;
};

class Mutex {
public:
    void lock() {
        step({"lock", this, true, nullptr,
              [](const void* mutex) { return !static_cast<const Mutex*>(mutex)->is_locked_; }});
        is_locked_ = true;
    }
    void unlock() {
        step({"unlock", this});
        is_locked_ = false;
    }

private:
    friend class ConditionVariable;
    bool is_locked_ = false;
};

/// Wakes who sleeps at that moment, and nobody who is about to.
class ConditionVariable {
public:
    void notify_all() noexcept {
        step({"notify_all", this});
        is_asleep_ = false;
    }

    template <class Time, class Predicate>
    bool wait_until(std::unique_lock<Mutex>& lock, Time /*deadline*/, Predicate predicate) {
        bool is_late = false;
        while (!predicate()) {
            if (is_late) {
                return false;
            }
            step({"sleep", this, true, lock.mutex()});
            is_asleep_ = true;
            lock.mutex()->is_locked_ = false;
            step({"wake up", this, true, nullptr, [](const void* condition) {
                      return !static_cast<const ConditionVariable*>(condition)->is_asleep_ || deadline_may_pass;
                  }});
            is_late = std::exchange(is_asleep_, false);
            lock.mutex()->lock();
        }
        return true;
    }

private:
    bool is_asleep_ = false;  // one sleeper
};

}  // namespace interleaving

// Inside `icegil`, `std` is this one.
namespace icegil::std {
using namespace ::std;
template <class T>
using atomic = interleaving::Atomic<T>;
using mutex = interleaving::Mutex;
using condition_variable = interleaving::ConditionVariable;
}  // namespace icegil::std

// What a parked thread calls, in place of the C library's.
extern "C" inline int pause() {
    interleaving::Search::the().stop();
    return -1;
}
