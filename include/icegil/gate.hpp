// The finalization gate: who is inside, who may enter, and waiting until nobody is left.
//
// A runtime that is about to be finalized must know that no foreign thread is inside it, and that none will come in
// any more. Asking "is it finalizing?" first is not enough: the answer can change right after the question. The gate
// puts question and count into one atomic word, so that a thread is either counted before the runtime closes, and then
// waited for, or sees that it is closed.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <new>
#include <vector>

#include "native_id.hpp"

namespace icegil {

class Gate;

/// One thread's standing with one gate. It is used by its own thread only, but for what the gate reads to list it.
/// Constant-initialised and trivially destructible, so that a `thread_local` one costs nothing to reach and is still
/// there for whatever runs while the thread ends. Whoever owns it calls `Gate::forget` when the thread ends.
class Visitor {
public:
    constexpr Visitor() noexcept = default;

    /// Nested entries of this thread that are open now; 0 when it is outside.
    [[nodiscard]] std::uint32_t depth() const noexcept { return depth_.load(std::memory_order_relaxed); }

    /// Whether this thread was the last to drain.
    [[nodiscard]] bool is_finalizer() const noexcept { return is_finalizer_.load(std::memory_order_relaxed); }

private:
    friend class Gate;

    std::atomic<std::uint32_t> depth_{0};
    std::atomic<std::uint64_t> admitted_{0};
    std::atomic<std::int64_t> since_{0};
    std::atomic<bool> is_finalizer_{false};
    bool is_listed_ = false;
    bool is_ended_ = false;
    pthread_t thread_{};
    pid_t native_id_ = 0;
    Visitor* previous_ = nullptr;
    Visitor* next_ = nullptr;
};

/// Someone who is inside the gate at the moment of the question.
struct Occupant {
    pthread_t thread;     ///< as `threading.get_ident()` gives it
    pid_t native_id;      ///< as `threading.get_native_id()` gives it
    std::uint32_t depth;  ///< nested entries
    double seconds;       ///< how long it has been inside, to some milliseconds; counted from keep_time() on
};

/// Totals since the gate was made; each is exact when no thread is on its way in or out.
struct Counters {
    std::uint64_t admitted;  ///< outer entries that were let in
    std::uint64_t refused;   ///< entries that were turned away
    std::uint64_t parked;    ///< threads that sleep in `park` for ever
    std::uint64_t inside;    ///< threads inside now
    std::uint64_t most;      ///< most threads inside at once; one that was just being refused may be among them
};

/// The finalization gate.
///
///   state      outer entry   entry by a thread already inside   left by
///   open       admitted      admitted                           drain()
///   draining   refused       admitted                           seal()
///   sealed     refused       admitted                           nobody, but in a forked child
///
/// Whoever comes from outside can hold nothing that the runtime's own clean-up waits for; whoever is inside can, a lock
/// say, and is let through to give it back. When the runtime itself finalizes is its own affair: it stops everybody.
/// The thread that drains is the finalizer: it is never refused, and never waits for itself.
/// Every member may be called from any thread at any time, unless it says otherwise.
/// It begins with a page: processors that tell addresses apart by their last twelve bits first take what an entry
/// touches for something on the stack otherwise, by bad luck with the heap, and a crossing takes 3 to 7 % longer.
class alignas(4096) Gate {
public:
    using Clock = std::chrono::steady_clock;

    enum class State : std::uint8_t { open = 0, draining = 1, sealed = 2 };

    Gate() noexcept = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// Lets the calling thread in, or not. True: it is inside, and must `leave` as many times as it entered.
    /// False: it was refused and counted; it must not touch what the gate protects.
    /// One atomic add when it enters from outside, none when it is inside already; no allocation, and no lock but at a
    /// thread's first entry.
    [[nodiscard, gnu::always_inline]] inline bool try_enter(Visitor& visitor) noexcept {
        if (visitor.depth() != 0) {
            visitor.depth_.store(visitor.depth() + 1, std::memory_order_relaxed);
            return true;
        }
        // Looked at first, so that only those who come while it closes get as far as the add to be refused there: they
        // are counted for a moment, in which drain() takes them for someone inside.
        if (looks_closed_.load(std::memory_order_relaxed) && is_refused(state(), visitor)) {
            return refuse();
        }
        // This add and the state change of drain() are read-modify-writes of one word: one of them comes first. Either
        // drain() finds this thread counted and waits for it, or this thread finds the gate closed.
        const Word before = word_.fetch_add(1, std::memory_order_seq_cst);
        if (is_refused(state_of(before), visitor)) {
            leave_word();
            return refuse();
        }
        if (!visitor.is_listed_) {
            list(visitor);
        }
        if (timed_since_.load(std::memory_order_relaxed) != 0) {
            visitor.since_.store(coarse_now(), std::memory_order_relaxed);
        }
        visitor.depth_.store(1, std::memory_order_relaxed);
        visitor.admitted_.store(visitor.admitted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        raise_most(inside_of(before) + 1);
        return true;
    }

    /// Ends the latest entry of the calling thread. What it did inside must be over, the runtime's own lock released.
    /// Without an entry it has no effect: it must not count out somebody else.
    void leave(Visitor& visitor) noexcept {
        const std::uint32_t depth = visitor.depth();
        if (depth == 0) {
            return;
        }
        visitor.depth_.store(depth - 1, std::memory_order_relaxed);
        if (depth == 1) {
            leave_word();
        }
    }

    /// Puts the calling thread to sleep for ever and counts it: it was told no and has no way back. If it is inside,
    /// nobody waits for it any more. The caller must hold nothing that the finalizer needs.
    [[noreturn]] void park(Visitor& visitor) noexcept {
        leave_for_good(visitor);
        // pause() is a cancellation point: the unwinding would end the process with "terminate called".
        ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
        parked_.fetch_add(1, std::memory_order_relaxed);
        for (;;) {
            ::pause();  // signals wake it; their handlers have run by then, and nothing else is left to do
        }
    }

    /// Closes the gate to everyone outside and waits until all but `finalizer`, the calling thread, have left, or until
    /// `deadline`. There is one finalizer, the thread that called this last. Answers how many others are still inside:
    /// 0 means empty. May be called again to wait longer. The caller must not hold what those inside need to get out
    /// (the GIL).
    std::size_t drain(Visitor& finalizer, Clock::time_point deadline) {
        if (!finalizer.is_listed_ && !finalizer.is_ended_) {
            list(finalizer);  // for the next drain() to find, also when it never entered
        }
        std::unique_lock lock(mutex_);
        name_finalizer(&finalizer);
        advance(State::draining);
        std::size_t others = 0;  // as last seen: looked at again, it could be someone who is just being refused
        emptier_.wait_until(lock, deadline, [&] { return (others = others_inside(finalizer)) == 0; });
        return others;
    }

    /// Ends the waiting: nobody who is still inside is waited for any more.
    void seal() noexcept { advance(State::sealed); }

    /// Makes the gate new in a forked child, whose only thread is the caller. To be called there before anything else,
    /// as by `pthread_atfork`. The parent's threads do not exist here, whatever they were doing: not those inside, not
    /// the one that held the mutex. A thread that forked while it was inside is still inside.
    void renew_in_child(Visitor& survivor) noexcept {
        forget_native_id();
        new (&mutex_) std::mutex;
        new (&emptier_) std::condition_variable;
        first_ = nullptr;
        survivor.is_listed_ = false;
        survivor.is_finalizer_.store(false, std::memory_order_relaxed);
        survivor.admitted_.store(0, std::memory_order_relaxed);
        survivor.previous_ = survivor.next_ = nullptr;
        const Word inside = survivor.depth() != 0 ? 1 : 0;
        word_.store(inside, std::memory_order_seq_cst);
        looks_closed_.store(false, std::memory_order_relaxed);
        most_.store(inside, std::memory_order_relaxed);
        refused_.store(0, std::memory_order_relaxed);
        parked_.store(0, std::memory_order_relaxed);
        admitted_by_ended_ = 0;
        if (inside != 0) {
            survivor.admitted_.store(1, std::memory_order_relaxed);
            list(survivor);
        }
    }

    /// Takes a thread that ends off the list and keeps its count. Called by that thread, last. A thread that ends
    /// inside (it was cancelled, or unwound by force) leaves here, so that nobody waits for it.
    void forget(Visitor& visitor) noexcept {
        leave_for_good(visitor);
        const std::lock_guard lock(mutex_);
        visitor.is_ended_ = true;
        if (visitor.is_listed_) {
            unlink(visitor);
            admitted_by_ended_ += visitor.admitted_.exchange(0, std::memory_order_relaxed);
        }
    }

    [[nodiscard]] State state() const noexcept { return state_of(word_.load(std::memory_order_acquire)); }

    [[nodiscard]] Counters counters() noexcept {
        const std::lock_guard lock(mutex_);
        std::uint64_t admitted = admitted_by_ended_;
        for (const Visitor* v = first_; v != nullptr; v = v->next_) {
            admitted += v->admitted_.load(std::memory_order_relaxed);
        }
        return {admitted, refused_.load(std::memory_order_relaxed), parked_.load(std::memory_order_relaxed),
                inside_of(word_.load(std::memory_order_relaxed)), most_.load(std::memory_order_relaxed)};
    }

    /// Notes from now on when a thread comes in; a few nanoseconds for each entry.
    void keep_time() noexcept {
        std::int64_t off = 0;
        timed_since_.compare_exchange_strong(off, coarse_now(), std::memory_order_relaxed);
    }

    /// Who is inside at this moment. Allocates.
    [[nodiscard]] std::vector<Occupant> occupants() {
        const std::lock_guard lock(mutex_);
        const std::int64_t now = coarse_now();
        std::vector<Occupant> found;
        for (const Visitor* v = first_; v != nullptr; v = v->next_) {
            if (const std::uint32_t depth = v->depth(); depth != 0) {
                const std::int64_t since = std::max(v->since_.load(std::memory_order_relaxed), timed_since_.load());
                const std::int64_t inside_for = since != 0 ? now - since : 0;
                found.push_back({v->thread_, v->native_id_, depth, static_cast<double>(inside_for) / 1e9});
            }
        }
        return found;
    }

private:
    friend struct Reopener;  // the native tests': many rounds on one gate

    // The word: the state in the top two bits, below it the number of threads inside.
    using Word = std::uint64_t;
    static constexpr int state_shift = 62;
    static constexpr Word inside_mask = (Word{1} << state_shift) - 1;

    static constexpr State state_of(Word word) noexcept { return static_cast<State>(word >> state_shift); }
    static constexpr Word inside_of(Word word) noexcept { return word & inside_mask; }

    /// As the kernel's last tick had it: read from memory that it shares, where the exact time asks the processor.
    static std::int64_t coarse_now() noexcept {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
    }

    static bool is_refused(State state, const Visitor& outsider) noexcept {
        return state != State::open && !outsider.is_finalizer();
    }

    [[nodiscard]] bool refuse() noexcept {
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }

    void leave_word() noexcept {
        const Word before = word_.fetch_sub(1, std::memory_order_seq_cst);
        if (state_of(before) != State::open) {
            // Through the mutex, so that the wake-up cannot fall between the finalizer's look and its sleep.
            mutex_.lock();
            mutex_.unlock();
            emptier_.notify_all();
        }
    }

    void leave_for_good(Visitor& visitor) noexcept {
        if (visitor.depth() != 0) {
            visitor.depth_.store(0, std::memory_order_relaxed);
            leave_word();
        }
    }

    void advance(State to) noexcept {
        looks_closed_.store(true, std::memory_order_relaxed);
        Word word = word_.load(std::memory_order_relaxed);
        while (state_of(word) < to &&
               !word_.compare_exchange_weak(word, (static_cast<Word>(to) << state_shift) | inside_of(word),
                                            std::memory_order_seq_cst)) {
        }
    }

    void name_finalizer(Visitor* finalizer) noexcept {
        for (Visitor* v = first_; v != nullptr; v = v->next_) {
            v->is_finalizer_.store(false, std::memory_order_relaxed);
        }
        if (finalizer != nullptr) {
            finalizer->is_finalizer_.store(true,
                                           std::memory_order_relaxed);  // also of one that ended: it is not listed
        }
    }

    [[nodiscard]] std::size_t others_inside(const Visitor& finalizer) const noexcept {
        return inside_of(word_.load(std::memory_order_seq_cst)) - (finalizer.depth() != 0 ? 1 : 0);
    }

    void raise_most(Word inside) noexcept {
        Word most = most_.load(std::memory_order_relaxed);
        while (inside > most && !most_.compare_exchange_weak(most, inside, std::memory_order_relaxed)) {
        }
    }

    void list(Visitor& visitor) noexcept {
        const std::lock_guard lock(mutex_);
        if (visitor.is_ended_) {
            ++admitted_by_ended_;  // its memory goes with its thread, and nobody would unlink it: counted, not listed
            return;
        }
        visitor.thread_ = pthread_self();
        visitor.native_id_ = native_id();
        visitor.previous_ = nullptr;
        visitor.next_ = first_;
        if (first_ != nullptr) {
            first_->previous_ = &visitor;
        }
        first_ = &visitor;
        visitor.is_listed_ = true;
    }

    void unlink(Visitor& visitor) noexcept {
        (visitor.previous_ != nullptr ? visitor.previous_->next_ : first_) = visitor.next_;
        if (visitor.next_ != nullptr) {
            visitor.next_->previous_ = visitor.previous_;
        }
        visitor.is_listed_ = false;
    }

    std::atomic<Word> word_{0};
    std::atomic<bool> looks_closed_{false};  // for the first look alone: at the word, right before the add, it is dear
    std::atomic<Word> most_{0};
    std::atomic<std::int64_t> timed_since_{0};  // 0: no time is kept
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> parked_{0};

    std::mutex mutex_;  // guards what follows, and the finalizer's sleep
    std::condition_variable emptier_;
    Visitor* first_ = nullptr;
    std::uint64_t admitted_by_ended_ = 0;
};

}  // namespace icegil
