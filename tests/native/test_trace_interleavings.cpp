// The ring of the timeline under every order of the steps of two threads that record and one that reads. Ends with 0
// when no event was taken for whole that was not, and none was lost without a reason. Run by
// tests/test_native_interleavings.py.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "interleaving.hpp"
// First: what it includes must be the C++ library's own.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "icegil/trace.hpp"

namespace {

using icegil::Trace;
using icegil::TraceKind;
using interleaving::Search;

alignas(Trace) char storage[sizeof(Trace)];
alignas(64) char ring[512];  // in the same place in each run, as the search needs it
bool is_ring_made = true;

Trace& trace() { return *reinterpret_cast<Trace*>(storage); }

void expect(bool promise, const char* what) {
    if (!promise) {
        Search::the().fail(what);
    }
}

struct Case {
    const char* name;
    std::size_t capacity;
    int records;  // of the first thread; the second has one
};

void record(std::uint64_t id) {
    trace().record(id == 1 ? TraceKind::made : TraceKind::destroyed, id, id == 1 ? "one" : "two");
}

/// How many events are there. Each has to be what one thread recorded.
std::size_t read() {
    const auto events = trace().events();
    for (const Trace::Event& event : events) {
        const bool is_first = event.id == 1;
        expect(std::strcmp(event.text, is_first ? "one" : "two") == 0, "the text is another event's");
        expect(event.kind == (is_first ? TraceKind::made : TraceKind::destroyed), "the kind is another event's");
    }
    return events.size();
}

void prepare(const Case& one) {
    is_ring_made = false;
    new (storage) Trace(one.capacity);  // what was there has nothing to free
    expect(is_ring_made, "the ring lies elsewhere");
}

constexpr Case cases[] = {
    {"a place for each", 2, 1},
    {"one place", 1, 1},
    {"two events and one", 2, 2},
};

}  // namespace

void* operator new(std::size_t size) {
    if (!is_ring_made && size <= sizeof ring) {
        is_ring_made = true;
        return ring;
    }
    void* const memory = std::malloc(size);
    return memory != nullptr ? memory : throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char** argv) {
    for (const Case& one : cases) {
        if (argc > 1 && std::strcmp(argv[1], one.name) != 0) {
            continue;
        }
        std::printf("%s: ", one.name);
        const auto first = [&] {
            for (int number = 0; number < one.records; ++number) {
                record(1);
            }
        };
        const auto check = [&] {
            const std::size_t left = read();
            expect(left == one.capacity || one.records + 1U > one.capacity, "an event is lost");
        };
        const interleaving::Found found =
            Search::the().run({first, [] { record(2); }, [] { read(); }}, [&] { prepare(one); }, check);
        std::printf("%lu orders of up to %zu steps\n", found.orders, found.steps);
        std::fflush(stdout);
    }
}
