// What the finalization gate promises, one case each. `test_gate --list` names the cases, `test_gate NAME` runs one in
// this process, which ends with 0 when the promise was kept. Run by tests/test_native_gate.py.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iterator>
#include <memory>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "icegil/thread.hpp"

namespace icegil {

/// Opens a closed gate again, which a process never does: for many rounds of a race. No finalizer may be at work.
struct Reopener {
    static void reopen(Gate& gate) noexcept {
        const std::lock_guard lock(gate.mutex_);
        gate.name_finalizer(nullptr);
        gate.word_.fetch_and(Gate::inside_mask, std::memory_order_seq_cst);
        gate.looks_closed_.store(false, std::memory_order_relaxed);
    }
};

}  // namespace icegil

namespace {

using icegil::Counters;
using icegil::Gate;
using icegil::Occupant;
using icegil::Visitor;
using State = icegil::Gate::State;
using namespace std::chrono_literals;

// What lets a record be used until its thread's very end.
static_assert(std::is_trivially_destructible_v<icegil::Thread>);

Gate& gate() {
    static Gate& never_destroyed = *new Gate;
    return never_destroyed;
}

Visitor& me() { return icegil::this_thread(gate()).visitor; }

/// What the bridge does for callers that cannot be told no.
void enter_or_park() {
    if (!gate().try_enter(me())) {
        gate().park(me());
    }
}

void spin(int turns) {
    for (volatile int i = 0; i < turns; i = i + 1) {
    }
}

template <class Condition>
void wait_until(Condition condition) {
    for (int look = 0; !condition(); ++look) {
        if (look % 100 == 99) {  // seldom: where processors are few, it may be long until the turn comes again
            std::this_thread::yield();
        }
    }
}

/// The rounds of a race: as many as there is time for, so that a busy machine makes them fewer and not the test long.
class Rounds {
public:
    explicit Rounds(std::chrono::milliseconds time = 1s) : end_(Gate::Clock::now() + time) {}

    /// Whether there is another one.
    bool next() { return ++number_ <= 10 || Gate::Clock::now() < end_; }
    [[nodiscard]] int number() const { return number_; }

private:
    Gate::Clock::time_point end_;
    int number_ = 0;
};

/// Drains with a deadline that is only reached when the finalizer was not woken.
void drain_until_empty() {
    const auto deadline = Gate::Clock::now() + 30s;
    CHECK_EQ(gate().drain(me(), deadline), 0);
    CHECK(Gate::Clock::now() < deadline);
}

void visit() {
    CHECK(gate().try_enter(me()));
    gate().leave(me());
}

/// A thread that is inside the gate until it is told to leave.
class Insider {
public:
    explicit Insider(std::uint32_t depth = 1) : thread_([this, depth] { stay(depth); }) { is_inside_.wait(); }

    void leave() {
        may_leave_.set_value();
        thread_.join();
    }

    [[nodiscard]] bool is(const Occupant& occupant) {
        return occupant.native_id == native_id_ && pthread_equal(occupant.thread, thread_.native_handle()) != 0;
    }

private:
    void stay(std::uint32_t depth) {
        for (std::uint32_t i = 0; i < depth; ++i) {
            CHECK(gate().try_enter(me()));
        }
        native_id_ = ::gettid();
        entered_.set_value();
        may_leave_.get_future().wait();
        for (std::uint32_t i = 0; i < depth; ++i) {
            gate().leave(me());
        }
    }

    pid_t native_id_ = 0;
    std::promise<void> entered_;
    std::promise<void> may_leave_;
    std::future<void> is_inside_ = entered_.get_future();
    std::thread thread_;
};

/// Threads that do the same thing again and again until they are told to stop.
class Crowd {
public:
    template <class Deed>
    Crowd(int size, Deed deed) {
        for (int i = 0; i < size; ++i) {
            threads_.emplace_back([this, deed] {
                while (!is_over_.load(std::memory_order_relaxed)) {
                    deed();
                }
            });
        }
    }

    void stop() {
        is_over_ = true;
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }

private:
    std::atomic<bool> is_over_{false};
    std::vector<std::thread> threads_;
};

using SignalHandler = void (*)(int);

void handle(int signal, SignalHandler handler) {
    struct sigaction action = {};
    action.sa_handler = handler;
    CHECK_EQ(::sigaction(signal, &action, nullptr), 0);
}

// --- admission against drain ---

/// What the gate protects. Plain memory: only the gate orders those who use it and the finalizer who closes it.
volatile int runtime_is_alive = 1;

void close_and_open_before(int crowd_size) {
    std::atomic<int> admitted{0};
    Crowd crowd(crowd_size, [&] {
        if (!gate().try_enter(me())) {
            std::this_thread::yield();
            return;
        }
        for (int look = 0; look < 20; ++look) {
            CHECK(runtime_is_alive == 1);
        }
        gate().leave(me());
        admitted.fetch_add(1, std::memory_order_relaxed);
    });
    for (Rounds rounds; rounds.next();) {
        const int before = admitted.load(std::memory_order_relaxed);
        wait_until([&] { return admitted.load(std::memory_order_relaxed) != before; });
        spin(rounds.number() % 500);
        drain_until_empty();
        runtime_is_alive = 0;
        gate().seal();
        spin(100);
        runtime_is_alive = 1;
        icegil::Reopener::reopen(gate());
    }
    crowd.stop();
}

void the_runtime_closes_only_when_nobody_is_inside() {
    close_and_open_before(1);  // side by side, also on two processors: many close calls
    close_and_open_before(4);
}

void nobody_is_admitted_after_drain_answered_empty() {
    for (Rounds rounds; rounds.next();) {
        std::atomic<bool> is_closed{false};
        std::atomic<int> attempts{0};
        std::atomic<int> late_attempts{0};
        Crowd crowd(3, [&] {
            const bool was_closed = is_closed.load(std::memory_order_relaxed);
            if (gate().try_enter(me())) {
                CHECK(!was_closed);
                gate().leave(me());
            }
            attempts.fetch_add(1, std::memory_order_relaxed);
            late_attempts.fetch_add(was_closed ? 1 : 0, std::memory_order_relaxed);
        });
        wait_until([&] { return attempts.load(std::memory_order_relaxed) > 10; });
        drain_until_empty();
        const std::uint64_t admitted = gate().counters().admitted;
        is_closed = true;
        wait_until([&] { return late_attempts.load(std::memory_order_relaxed) > 10; });
        crowd.stop();
        CHECK_EQ(gate().counters().admitted, admitted);
        icegil::Reopener::reopen(gate());
    }
}

/// A thread on its way through the gate, and a finalizer that comes between two of its instructions: by a signal
/// handler in that same thread. Only while the thread is armed, since there it holds no lock that drain() wants.
struct Interrupted {
    Visitor finalizer;
    std::atomic<bool> is_armed{false};
    std::atomic<bool> is_closed{false};
    std::atomic<int> times_inside{0};
    std::atomic<int> times_refused{0};
} interrupted;

void close_in_the_middle() {
    if (interrupted.is_armed.load(std::memory_order_relaxed)) {
        interrupted.is_armed.store(false, std::memory_order_relaxed);
        const std::size_t inside = gate().drain(interrupted.finalizer, Gate::Clock::now());
        interrupted.is_closed.store(inside == 0, std::memory_order_relaxed);
        interrupted.times_inside.fetch_add(static_cast<int>(inside), std::memory_order_relaxed);
    }
}

void pass_through_armed() {
    interrupted.is_armed.store(true, std::memory_order_relaxed);
    if (gate().try_enter(me())) {
        CHECK(!interrupted.is_closed.load(std::memory_order_relaxed));
        gate().leave(me());
    } else {
        interrupted.times_refused.fetch_add(1, std::memory_order_relaxed);
    }
    interrupted.is_armed.store(false, std::memory_order_relaxed);
    if (gate().state() != State::open) {
        CHECK_EQ(gate().drain(interrupted.finalizer, Gate::Clock::now()), 0);
        interrupted.is_closed.store(false, std::memory_order_relaxed);
        icegil::Reopener::reopen(gate());
    }
}

void a_thread_interrupted_at_the_gate_is_waited_for_or_refused() {
    CHECK_EQ(gate().drain(interrupted.finalizer, Gate::Clock::now()), 0);
    icegil::Reopener::reopen(gate());
    visit();
    handle(SIGALRM, [](int) { close_in_the_middle(); });
    constexpr itimerval often = {{0, 50}, {0, 50}};  // microseconds
    CHECK_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
    for (Rounds rounds; rounds.next() || interrupted.times_inside == 0 || interrupted.times_refused == 0;) {
        for (int i = 0; i < 1000; ++i) {
            pass_through_armed();
        }
    }
}

void drain_answers_empty_whoever_knocks() {
    drain_until_empty();
    std::atomic<int> refused{0};
    Crowd crowd(3, [&] {
        CHECK(!gate().try_enter(me()));
        refused.fetch_add(1, std::memory_order_relaxed);
    });
    for (Rounds rounds; rounds.next();) {
        const int before = refused.load(std::memory_order_relaxed);
        wait_until([&] { return refused.load(std::memory_order_relaxed) != before; });
        drain_until_empty();
    }
    crowd.stop();
}

void a_closed_gate_refuses_and_counts() {
    visit();
    drain_until_empty();
    CHECK_EQ(gate().state(), State::draining);
    std::thread([] {
        CHECK(!gate().try_enter(me()));
        gate().seal();
        CHECK(!gate().try_enter(me()));
        CHECK_EQ(me().depth(), 0);
    }).join();
    CHECK_EQ(gate().state(), State::sealed);
    drain_until_empty();
    CHECK_EQ(gate().state(), State::sealed);
    const Counters counters = gate().counters();
    CHECK_EQ(counters.admitted, 1);
    CHECK_EQ(counters.refused, 2);
    CHECK_EQ(counters.parked, 0);
    CHECK_EQ(counters.inside, 0);
}

void nested_entries_pass_in_every_state() {
    std::promise<void> inside;
    std::promise<void> drained;
    std::promise<void> nested;
    std::promise<void> sealed;
    std::thread guest([&] {
        CHECK(gate().try_enter(me()));
        inside.set_value();
        drained.get_future().wait();
        CHECK(gate().try_enter(me()));
        enter_or_park();
        CHECK_EQ(me().depth(), 3);
        gate().leave(me());
        nested.set_value();
        sealed.get_future().wait();
        enter_or_park();
        CHECK(gate().try_enter(me()));
        CHECK_EQ(me().depth(), 4);
        for (int i = 0; i < 3; ++i) {
            gate().leave(me());
        }
        CHECK(gate().try_enter(me()));
        CHECK_EQ(gate().counters().inside, 1);
        gate().leave(me());
        gate().leave(me());
        CHECK_EQ(me().depth(), 0);
        CHECK(!gate().try_enter(me()));  // from outside again
    });
    inside.get_future().wait();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    drained.set_value();
    nested.get_future().wait();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    gate().seal();
    sealed.set_value();
    drain_until_empty();
    guest.join();
    CHECK_EQ(gate().counters().admitted, 1);
    CHECK_EQ(gate().counters().refused, 1);
    CHECK_EQ(gate().counters().inside, 0);
}

// --- the finalizer ---

void the_finalizer_is_never_refused() {
    const auto enter_and_leave = [] {
        CHECK(gate().try_enter(me()));
        CHECK(gate().try_enter(me()));
        enter_or_park();
        for (int i = 0; i < 3; ++i) {
            gate().leave(me());
        }
        enter_or_park();
        gate().leave(me());
    };
    // Whichever thread it is, also one that the gate never saw before.
    std::thread([&] {
        drain_until_empty();
        enter_and_leave();
        gate().seal();
        enter_and_leave();
    }).join();
    CHECK_EQ(gate().counters().refused, 0);
    CHECK_EQ(gate().counters().inside, 0);
    CHECK(!gate().try_enter(me()));
}

void the_finalizer_does_not_wait_for_itself() {
    CHECK(gate().try_enter(me()));
    CHECK(gate().try_enter(me()));
    drain_until_empty();
    CHECK_EQ(gate().counters().inside, 1);
    gate().seal();
    CHECK(gate().try_enter(me()));
    drain_until_empty();
    for (int i = 0; i < 3; ++i) {
        gate().leave(me());
    }
    CHECK_EQ(gate().counters().inside, 0);
}

void the_finalizer_waits_for_others_while_it_is_inside() {
    Insider other;
    CHECK(gate().try_enter(me()));
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    std::thread usher([&] { other.leave(); });
    drain_until_empty();
    usher.join();
    gate().leave(me());
}

// --- waiting ---

void the_deadline_is_kept_and_says_how_many_are_inside() {
    Insider first;
    Insider second(3);
    Insider third;
    const auto deadline = Gate::Clock::now() + 50ms;
    CHECK_EQ(gate().drain(me(), deadline), 3);
    CHECK(Gate::Clock::now() >= deadline);
    // It can be asked again, and answers what is true then.
    second.leave();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now() + 1ms), 2);
    std::thread usher([&] {
        first.leave();
        third.leave();
    });
    drain_until_empty();
    usher.join();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now() - 1s), 0);
}

void the_deadline_counts_nobody_who_was_refused() {
    Insider insider;
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    std::atomic<int> refused{0};
    Crowd crowd(3, [&] {
        CHECK(!gate().try_enter(me()));
        refused.fetch_add(1, std::memory_order_relaxed);
    });
    for (Rounds rounds; rounds.next();) {
        const int before = refused.load(std::memory_order_relaxed);
        wait_until([&] { return refused.load(std::memory_order_relaxed) != before; });
        CHECK_EQ(gate().drain(me(), Gate::Clock::now() + 1us), 1);
    }
    crowd.stop();
    CHECK_EQ(gate().counters().most, 1);
    insider.leave();
}

void occupants_are_those_inside() {
    CHECK(gate().occupants().empty());
    Insider shallow;
    Insider deep(3);
    Insider gone;
    std::thread(visit).join();
    visit();
    gone.leave();
    std::vector<Occupant> found = gate().occupants();
    CHECK_EQ(found.size(), 2);
    if (!deep.is(found[0])) {
        std::swap(found[0], found[1]);
    }
    CHECK(deep.is(found[0]));
    CHECK_EQ(found[0].depth, 3);
    CHECK(shallow.is(found[1]));
    CHECK_EQ(found[1].depth, 1);
    deep.leave();
    shallow.leave();
    CHECK(gate().occupants().empty());
}

void no_wake_up_is_lost() {
    constexpr int never = -1;
    std::atomic<int> entered{0};
    std::atomic<int> called{0};
    std::thread guest([&] {
        for (int round = 1;; ++round) {
            wait_until([&] { return called.load(std::memory_order_acquire) != round - 1; });
            if (called.load(std::memory_order_relaxed) == never) {
                return;
            }
            CHECK(gate().try_enter(me()));
            entered.store(round, std::memory_order_release);
            wait_until([] { return gate().state() == State::draining; });
            spin(round % 400);  // from before the finalizer's look to after it fell asleep
            gate().leave(me());
        }
    });
    for (Rounds rounds; rounds.next();) {
        called.store(rounds.number(), std::memory_order_release);
        wait_until([&] { return entered.load(std::memory_order_acquire) == rounds.number(); });
        drain_until_empty();
        icegil::Reopener::reopen(gate());
    }
    called.store(never, std::memory_order_release);
    guest.join();
}

// --- parking ---

std::atomic<int> signals_handled{0};

/// Has `thread` run a signal handler `times` times: it is alive, and sleeps where signals reach it. Each signal is sent
/// until it is handled: ThreadSanitizer may keep one to itself while the thread falls asleep.
void wake_by_signals(pthread_t thread, int times) {
    handle(SIGUSR1, [](int) { signals_handled.fetch_add(1); });
    const int goal = signals_handled.load() + times;
    wait_until([&] {
        CHECK_EQ(::pthread_kill(thread, SIGUSR1), 0);
        return signals_handled.load() >= goal;
    });
}

void wait_until_parked(std::uint64_t count) {
    wait_until([&] { return gate().counters().parked == count; });
}

void a_parked_thread_never_returns_and_holds_up_nobody() {
    drain_until_empty();
    std::thread parked([] {
        enter_or_park();
        CHECK(!"it came back");
    });
    wait_until_parked(1);
    drain_until_empty();
    wake_by_signals(parked.native_handle(), 100);
    gate().seal();
    drain_until_empty();
    icegil::Reopener::reopen(gate());
    drain_until_empty();
    wake_by_signals(parked.native_handle(), 100);
    const Counters counters = gate().counters();
    CHECK_EQ(counters.parked, 1);
    CHECK_EQ(counters.refused, 1);
    CHECK_EQ(counters.admitted, 0);
    CHECK_EQ(counters.inside, 0);
    parked.detach();
}

void a_thread_that_parks_inside_is_inside_no_more() {
    std::promise<void> inside;
    std::promise<void> sealed;
    std::thread parked([&] {
        CHECK(gate().try_enter(me()));
        CHECK(gate().try_enter(me()));
        inside.set_value();
        sealed.get_future().wait();
        CHECK(gate().try_enter(me()));
        gate().park(me());  // the bridge, when Python finalizes
        CHECK(!"it came back");
    });
    inside.get_future().wait();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    gate().seal();
    sealed.set_value();
    drain_until_empty();
    wait_until_parked(1);
    CHECK(gate().occupants().empty());
    CHECK_EQ(gate().counters().refused, 0);
    icegil::Reopener::reopen(gate());
    drain_until_empty();
    parked.detach();
}

void a_parked_thread_does_not_heed_its_cancellation() {
    drain_until_empty();
    std::thread parked([] { enter_or_park(); });
    wait_until_parked(1);
    CHECK_EQ(::pthread_cancel(parked.native_handle()), 0);
    wake_by_signals(parked.native_handle(), 100);
    parked.detach();
}

// --- threads that end ---

void a_thread_that_ended_inside_is_not_waited_for() {
    std::thread([] {
        for (int i = 0; i < 3; ++i) {
            CHECK(gate().try_enter(me()));
        }
    }).join();
    CHECK_EQ(gate().counters().inside, 0);
    CHECK_EQ(gate().counters().admitted, 1);
    CHECK(gate().occupants().empty());
    drain_until_empty();
}

void a_thread_that_is_unwound_inside_wakes_the_finalizer() {
    std::promise<void> inside;
    std::thread unwound([&] {
        CHECK(gate().try_enter(me()));
        inside.set_value();
        wait_until([] { return gate().state() == State::draining; });
        ::pthread_exit(nullptr);
    });
    inside.get_future().wait();
    drain_until_empty();
    unwound.join();
}

/// Runs something when its thread ends, and was made before the thread's record: so it runs after that was forgotten.
class AfterTheEnd {
public:
    AfterTheEnd() = default;
    AfterTheEnd(const AfterTheEnd&) = delete;
    AfterTheEnd& operator=(const AfterTheEnd&) = delete;
    ~AfterTheEnd() {
        if (deed_ != nullptr) {
            deed_();
        }
    }
    void will(void (*deed)()) { deed_ = deed; }

private:
    void (*deed_)() = nullptr;
};

thread_local AfterTheEnd after_the_end;

std::promise<void> late_one_is_inside;
std::promise<void> late_one_may_leave;

void a_thread_local_destructor_after_the_record_is_still_counted() {
    std::thread late([] {
        after_the_end.will([] {
            CHECK(gate().try_enter(me()));
            CHECK(gate().try_enter(me()));
            gate().leave(me());
            late_one_is_inside.set_value();
            late_one_may_leave.get_future().wait();
            gate().leave(me());
            CHECK(!gate().try_enter(me()));
        });
        visit();
        visit();
    });
    late_one_is_inside.get_future().wait();
    CHECK_EQ(gate().counters().admitted, 3);
    CHECK_EQ(gate().counters().inside, 1);
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    late_one_may_leave.set_value();
    drain_until_empty();
    late.join();
    CHECK_EQ(gate().counters().admitted, 3);
    CHECK_EQ(gate().counters().refused, 1);
    CHECK(gate().occupants().empty());
    // Its record is gone with it: the next thread may well have its own in the same place.
    icegil::Reopener::reopen(gate());
    std::thread(visit).join();
    std::thread(visit).join();
    CHECK_EQ(gate().counters().admitted, 5);
    CHECK(gate().occupants().empty());
}

// --- counting ---

/// What a POSIX key runs when a thread ends: after all `thread_local` destructors.
void a_thread_may_come_for_the_first_time_from_a_key_destructor() {
    pthread_key_t key{};
    CHECK_EQ(::pthread_key_create(&key, [](void*) { visit(); }), 0);
    for (int i = 0; i < 50; ++i) {
        std::thread([&] { ::pthread_setspecific(key, &key); }).join();
        visit();  // walks over the list that the thread must not be in any more
    }
    CHECK_EQ(gate().counters().admitted, 100);
    CHECK_EQ(gate().counters().inside, 0);
    drain_until_empty();
}

void leaving_without_an_entry_counts_nobody_out() {
    Insider other;
    gate().leave(me());
    CHECK_EQ(gate().counters().inside, 1);
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 1);
    other.leave();
    drain_until_empty();
}

void counters_add_up_over_a_storm() {
    constexpr int lasting = 3;
    std::atomic<std::uint64_t> admitted{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> inside{0};
    std::atomic<std::uint64_t> most{0};
    const auto knock = [&] {
        if (!gate().try_enter(me())) {
            refused.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        const std::uint64_t now = inside.fetch_add(1, std::memory_order_relaxed) + 1;
        std::uint64_t before = most.load(std::memory_order_relaxed);
        while (now > before && !most.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
        }
        admitted.fetch_add(1, std::memory_order_relaxed);
        CHECK(gate().try_enter(me()));  // nested: no further admission
        gate().leave(me());
        inside.fetch_sub(1, std::memory_order_relaxed);
        gate().leave(me());
    };
    Crowd crowd(lasting, knock);
    for (Rounds rounds; rounds.next();) {
        std::thread passing([&] {
            for (int i = 0; i < 50; ++i) {
                knock();
            }
        });
        const std::uint64_t goal = refused.load(std::memory_order_relaxed) + 1;
        drain_until_empty();
        wait_until([&] { return refused.load(std::memory_order_relaxed) >= goal; });
        icegil::Reopener::reopen(gate());
        passing.join();
    }
    crowd.stop();
    const Counters counters = gate().counters();
    CHECK(admitted > 0);
    CHECK_EQ(counters.admitted, admitted.load());
    CHECK_EQ(counters.refused, refused.load());
    CHECK_EQ(counters.parked, 0);
    CHECK_EQ(counters.inside, 0);
    CHECK(counters.most >= most);
    CHECK(counters.most <= lasting + 1);
}

void most_is_how_many_were_inside_at_once() {
    visit();
    CHECK_EQ(gate().counters().most, 1);
    {
        Insider a;
        Insider b(2);
        Insider c;
        CHECK_EQ(gate().counters().inside, 3);
        b.leave();
        CHECK_EQ(gate().counters().inside, 2);
        Insider d;
        a.leave();
        c.leave();
        d.leave();
    }
    visit();
    CHECK_EQ(gate().counters().inside, 0);
    CHECK_EQ(gate().counters().most, 3);
}

void threads_may_come_and_go_while_somebody_looks() {
    Crowd crowd(2, [] { std::thread(visit).join(); });
    for (Rounds rounds; rounds.next();) {
        const std::uint64_t admitted = gate().counters().admitted;
        for (const Occupant& occupant : gate().occupants()) {
            CHECK_EQ(occupant.depth, 1);
        }
        CHECK(gate().counters().inside <= 2);
        CHECK(gate().counters().admitted >= admitted);
    }
    crowd.stop();
}

// --- fork ---

void renew_after_fork() { gate().renew_in_child(me()); }

/// Forks, runs `deed` in the child, and answers how the child ended: 0 when its checks held. A child that hangs is
/// ended by its alarm.
template <class Deed>
int in_child(Deed deed) {
    const pid_t child = ::fork();
    CHECK(child >= 0);
    if (child == 0) {
        ::alarm(30);
        deed();
        std::_Exit(0);
    }
    int status = -1;
    CHECK_EQ(::waitpid(child, &status, 0), child);
    return status;
}

void check_new(std::uint64_t inside) {
    CHECK_EQ(gate().state(), State::open);
    const Counters counters = gate().counters();
    CHECK_EQ(counters.admitted, inside);
    CHECK_EQ(counters.refused, 0);
    CHECK_EQ(counters.parked, 0);
    CHECK_EQ(counters.inside, inside);
    CHECK_EQ(counters.most, inside);
    CHECK_EQ(gate().occupants().size(), inside);
}

void a_forked_child_has_a_new_gate() {
    CHECK_EQ(::pthread_atfork(nullptr, nullptr, renew_after_fork), 0);
    Insider one;
    Insider two(2);
    visit();
    std::thread(visit).join();
    CHECK_EQ(gate().drain(me(), Gate::Clock::now()), 2);
    std::thread parked([] { enter_or_park(); });
    wait_until_parked(1);
    const auto live_in_child = [] {
        check_new(0);
        CHECK(gate().try_enter(me()));
        const std::vector<Occupant> found = gate().occupants();
        CHECK_EQ(found.size(), 1);
        CHECK_EQ(found[0].native_id, ::getpid());
        gate().leave(me());
        CHECK_EQ(gate().counters().admitted, 1);
        // The parent's finalizer is nothing special here, and the parent's threads hold up nobody.
        Visitor other;
        CHECK_EQ(gate().drain(other, Gate::Clock::now() + 30s), 0);
        CHECK(!gate().try_enter(me()));
        gate().seal();
        CHECK(!gate().try_enter(me()));
        gate().forget(other);
    };
    CHECK_EQ(in_child(live_in_child), 0);
    gate().seal();
    CHECK_EQ(in_child(live_in_child), 0);
    // A child of the child as well.
    CHECK_EQ(in_child([&] { CHECK_EQ(in_child(live_in_child), 0); }), 0);
    CHECK_EQ(gate().counters().inside, 2);
    one.leave();
    two.leave();
    parked.detach();
}

void a_forked_child_has_a_mutex_of_its_own() {
    CHECK_EQ(::pthread_atfork(nullptr, nullptr, renew_after_fork), 0);
    // Each of these looks holds the mutex for as long as it walks the list of those inside.
    std::vector<std::unique_ptr<Insider>> insiders;
    for (int i = 0; i < 50; ++i) {
        insiders.push_back(std::make_unique<Insider>());
    }
    std::atomic<int> looks{0};
    Crowd crowd(2, [&] {
        CHECK(gate().occupants().size() >= 50);
        CHECK(gate().counters().inside >= 50);
        looks.fetch_add(1, std::memory_order_relaxed);
    });
    for (Rounds rounds; rounds.next();) {
        const int before = looks.load(std::memory_order_relaxed);
        wait_until([&] { return looks.load(std::memory_order_relaxed) != before; });
        const int status = in_child([] {
            check_new(0);
            visit();
            drain_until_empty();
        });
        CHECK_EQ(status, 0);
    }
    crowd.stop();
    for (const auto& insider : insiders) {
        insider->leave();
    }
}

void a_child_forked_beside_a_sleeping_finalizer_can_drain() {
    CHECK_EQ(::pthread_atfork(nullptr, nullptr, renew_after_fork), 0);
    Insider insider;
    std::thread finalizer(drain_until_empty);
    wait_until([] { return gate().state() == State::draining; });
    for (Rounds rounds; rounds.next();) {
        // Several waits and wake-ups: the condition variable must know nothing of the parent's sleeper.
        const int status = in_child([] {
            check_new(0);
            for (int wait = 0; wait < 10; ++wait) {
                Insider late;
                CHECK_EQ(gate().drain(me(), Gate::Clock::now() + 1ms), 1);
                std::thread usher([&] { late.leave(); });
                drain_until_empty();
                usher.join();
                icegil::Reopener::reopen(gate());
            }
        });
        CHECK_EQ(status, 0);
    }
    insider.leave();
    finalizer.join();
}

void a_thread_that_forked_inside_leaves_in_the_child() {
    CHECK_EQ(::pthread_atfork(nullptr, nullptr, renew_after_fork), 0);
    Insider other;
    CHECK(gate().try_enter(me()));
    CHECK(gate().try_enter(me()));
    const int status = in_child([] {
        check_new(1);
        CHECK_EQ(gate().occupants()[0].native_id, ::getpid());
        CHECK_EQ(gate().occupants()[0].depth, 2);
        Visitor finalizer;
        CHECK_EQ(gate().drain(finalizer, Gate::Clock::now()), 1);
        CHECK(gate().try_enter(me()));
        for (int i = 0; i < 3; ++i) {
            gate().leave(me());
        }
        CHECK_EQ(gate().drain(finalizer, Gate::Clock::now()), 0);
        CHECK_EQ(gate().counters().inside, 0);
        CHECK(!gate().try_enter(me()));
        icegil::Reopener::reopen(gate());
        visit();
        CHECK_EQ(gate().counters().admitted, 2);
        gate().forget(finalizer);
    });
    CHECK_EQ(status, 0);
    gate().leave(me());
    gate().leave(me());
    other.leave();
}

void there_is_one_finalizer_the_latest() {
    drain_until_empty();
    std::thread(drain_until_empty).join();
    CHECK(!gate().try_enter(me()));
}

struct Case {
    const char* name;
    void (*run)();
};

#define CASE(function) \
    Case { #function, function }

constexpr Case cases[] = {
    CASE(the_runtime_closes_only_when_nobody_is_inside),
    CASE(nobody_is_admitted_after_drain_answered_empty),
    CASE(a_thread_interrupted_at_the_gate_is_waited_for_or_refused),
    CASE(drain_answers_empty_whoever_knocks),
    CASE(a_closed_gate_refuses_and_counts),
    CASE(nested_entries_pass_in_every_state),
    CASE(the_finalizer_is_never_refused),
    CASE(the_finalizer_does_not_wait_for_itself),
    CASE(the_finalizer_waits_for_others_while_it_is_inside),
    CASE(the_deadline_is_kept_and_says_how_many_are_inside),
    CASE(the_deadline_counts_nobody_who_was_refused),
    CASE(occupants_are_those_inside),
    CASE(no_wake_up_is_lost),
    CASE(a_parked_thread_never_returns_and_holds_up_nobody),
    CASE(a_thread_that_parks_inside_is_inside_no_more),
    CASE(a_parked_thread_does_not_heed_its_cancellation),
    CASE(a_thread_that_ended_inside_is_not_waited_for),
    CASE(a_thread_that_is_unwound_inside_wakes_the_finalizer),
    CASE(a_thread_local_destructor_after_the_record_is_still_counted),
    CASE(a_thread_may_come_for_the_first_time_from_a_key_destructor),
    CASE(leaving_without_an_entry_counts_nobody_out),
    CASE(counters_add_up_over_a_storm),
    CASE(most_is_how_many_were_inside_at_once),
    CASE(threads_may_come_and_go_while_somebody_looks),
    CASE(a_forked_child_has_a_new_gate),
    CASE(a_forked_child_has_a_mutex_of_its_own),
    CASE(a_child_forked_beside_a_sleeping_finalizer_can_drain),
    CASE(a_thread_that_forked_inside_leaves_in_the_child),
    CASE(there_is_one_finalizer_the_latest),
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: test_gate --list | NAME\n", stderr);
        return 2;
    }
    if (std::strcmp(argv[1], "--list") == 0) {
        for (const Case& one : cases) {
            std::puts(one.name);
        }
        return 0;
    }
    const auto* const found = std::find_if(std::begin(cases), std::end(cases),
                                           [&](const Case& one) { return std::strcmp(one.name, argv[1]) == 0; });
    if (found == std::end(cases)) {
        std::fprintf(stderr, "no case is named %s\n", argv[1]);
        return 2;
    }
    found->run();
    std::_Exit(0);  // parked threads are still there: nothing that they could reach is destroyed
}
