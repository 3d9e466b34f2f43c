// The compiled gate under every order of the steps of two callback threads and the finalizer. `test_interleavings`
// searches each of the cases through and ends with 0 when every promise was kept in each order; else it prints the
// order in which one was not. Run by tests/test_native_interleavings.py.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "interleaving.hpp"
// First: what it includes must be the C++ library's own.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>
#include <vector>

#include "icegil/gate.hpp"

namespace {

using icegil::Counters;
using icegil::Gate;
using icegil::Visitor;
using interleaving::Search;

constexpr int callbacks = 2;

// What is new in each run, in the same place each time.
struct World {
    Gate gate;
    Visitor finalizer;
    Visitor visitors[callbacks];
    interleaving::Atomic<bool> is_finalized{false};  // written with the runtime, read by who uses it
    bool is_closed = false;                          // drain() has answered, or the finalizer has gone on without
    unsigned inside = 0;                             // outer entries that are open, as their threads know it
    unsigned most = 0;
    unsigned admitted = 0;
    unsigned refused = 0;
    unsigned parked = 0;
};

alignas(World) char storage[sizeof(World)];

World& world() { return *reinterpret_cast<World*>(storage); }

void expect(bool promise, const char* what) {
    if (!promise) {
        Search::the().fail(what);
    }
}

/// What a callback thread does.
struct Callback {
    int entries = 1;
    bool parks = false;    // what it does when it is refused: a redirected function parks, an errand goes home
    bool nests = false;    // it enters again inside, whatever the state of the gate
    bool ends = false;     // the thread ends afterwards, as soon as it is inside if it nests
    bool is_known = true;  // it was here before the search begins
};

struct Case {
    const char* name;
    Callback callback[callbacks];
    bool has_deadline = false;
    bool finalizer_is_inside = false;
};

void use_runtime() {
    expect(!world().is_finalized.load() || interleaving::deadline_may_pass, "somebody used the runtime after its end");
}

/// From outside. False: the thread goes home. Does not return when it parks.
bool enter(Visitor& visitor, bool parks) {
    const bool was_closed = world().is_closed;
    if (world().gate.try_enter(visitor)) {
        expect(!was_closed, "somebody came in after the gate was closed");
        ++world().inside;
        ++world().admitted;
        world().most = std::max(world().most, world().inside);
        return true;
    }
    ++world().refused;
    if (parks) {
        ++world().parked;
        world().gate.park(visitor);
    }
    return false;
}

/// By a thread that is inside. A redirected function parks when the finalizer has gone on without the thread.
void enter_again(Visitor& visitor, bool parks) {
    expect(world().gate.try_enter(visitor), "somebody who is inside was refused");
    if (parks && interleaving::deadline_may_pass && world().is_finalized.load()) {
        ++world().parked;
        --world().inside;
        world().gate.park(visitor);
    }
}

void call_back(const Callback& kind, Visitor& visitor) {
    for (int entry = 0; entry < kind.entries; ++entry) {
        if (!enter(visitor, kind.parks)) {
            break;
        }
        use_runtime();
        if (kind.nests) {
            enter_again(visitor, kind.parks);
            use_runtime();
            if (kind.ends) {
                break;
            }
            world().gate.leave(visitor);
        }
        --world().inside;
        world().gate.leave(visitor);
    }
    if (kind.ends) {
        world().inside -= visitor.depth() != 0 ? 1 : 0;
        world().gate.forget(visitor);
    }
}

void finalize(const Case& one) {
    World& now = world();
    const int own = one.finalizer_is_inside ? 1 : 0;
    const std::size_t left = now.gate.drain(now.finalizer, Gate::Clock::time_point::max());
    expect(now.inside <= left, "drain() overlooked somebody who is inside");
    expect(left == 0 || one.has_deadline, "drain() gave up without a deadline");
    now.is_closed = true;
    now.gate.seal();
    now.is_finalized.store(true);
    expect(now.gate.try_enter(now.finalizer), "the finalizer was refused");
    now.gate.leave(now.finalizer);
    if (own != 0) {
        now.gate.leave(now.finalizer);
    }
}

void prepare(const Case& one) {
    new (storage) World;
    for (int i = 0; i < callbacks; ++i) {
        if (one.callback[i].is_known) {
            enter(world().visitors[i], false);
            --world().inside;
            world().gate.leave(world().visitors[i]);
        }
    }
    if (one.finalizer_is_inside) {
        expect(world().gate.try_enter(world().finalizer), "the finalizer was refused");
    }
}

void check() {
    const Counters counters = world().gate.counters();
    expect(world().inside == 0 && counters.inside == 0, "somebody who left is still counted");
    expect(counters.admitted == world().admitted + 1, "admissions do not add up");  // and the finalizer's
    expect(counters.refused == world().refused, "refusals do not add up");
    expect(counters.parked == world().parked, "parked threads do not add up");
    expect(counters.most >= world().most, "more were inside at once than it says");
    expect(world().gate.state() == Gate::State::sealed, "the gate is not sealed");
}

constexpr Callback errand{};
constexpr Callback redirected{.parks = true};

// The quick ones first, for those who look for a mistake.
constexpr Case cases[] = {
    {"one entry", {errand, redirected}},
    {"first entries", {{.is_known = false}, {.parks = true, .is_known = false}}},
    {"nested entries", {{.nests = true}, {.parks = true, .nests = true}}},
    {"finalizer inside", {errand, redirected}, false, true},
    {"threads that end", {{.ends = true}, {.parks = true, .nests = true, .ends = true}}},
    {"a deadline", {errand, redirected}, true},
    {"two entries", {{.entries = 2}, redirected}},
    {"a deadline, nested", {errand, {.parks = true, .nests = true}}, true},
};

/// Six writes of one object have 6! / (2! 2! 2!) orders, of three objects one: none is left out, none comes twice.
void search_what_is_known() {
    interleaving::Atomic<int> objects[3];
    const auto orders = [&](int distance) {
        const auto write_twice = [&, distance](int thread) {
            return [&, object = thread * distance] {
                objects[object].store(1);
                objects[object].store(2);
            };
        };
        return Search::the().run({write_twice(0), write_twice(1), write_twice(2)}, [] {}, [] {}).orders;
    };
    expect(orders(0) == 90 && orders(1) == 1, "the search itself is wrong");
}

}  // namespace

int main(int argc, char** argv) {
    search_what_is_known();
    for (const Case& one : cases) {
        if (argc > 1 && std::strcmp(argv[1], one.name) != 0) {
            continue;
        }
        interleaving::deadline_may_pass = one.has_deadline;
        std::printf("%s: ", one.name);
        const std::clock_t began = std::clock();
        const interleaving::Found found = Search::the().run(
            {
                [&] { finalize(one); },
                [&] { call_back(one.callback[0], world().visitors[0]); },
                [&] { call_back(one.callback[1], world().visitors[1]); },
            },
            [&] { prepare(one); }, check);
        const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
        std::printf("%lu orders of up to %zu steps, %.1f s\n", found.orders, found.steps, seconds);
        std::fflush(stdout);
    }
}
