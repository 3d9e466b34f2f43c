// What the timeline promises: every event is written whole or left out, and equal texts are kept once.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.hpp"
#include "icegil/trace.hpp"

namespace {

using icegil::Trace;
using icegil::TraceKind;

/// The events of communicators that are there: the id and the text.
std::vector<std::pair<std::string, std::string>> recorded(const Trace& trace) {
    std::vector<std::pair<std::string, std::string>> events;
    for (const Trace::Event& event : trace.events()) events.emplace_back(std::to_string(event.id), event.text);
    return events;
}

void equal_texts_are_kept_once_and_outlive_what_they_were_copied_from() {
    Trace trace(4);
    std::string text = "server.py:7, which is too long for the place that a string has in itself";
    const char* const kept = trace.kept(text);
    CHECK(kept != text.c_str());
    CHECK(trace.kept(std::string(text)) == kept);
    CHECK(trace.kept("client.py:1") != kept);
    trace.record(TraceKind::made, 1, kept);
    const std::string expected = text;
    std::fill(text.begin(), text.end(), '?');
    const auto events = recorded(trace);
    CHECK_EQ(events.size(), 1U);
    CHECK(events[0].second == expected);
}

void events_are_whole_while_others_record() {
    Trace trace(8);
    std::atomic<bool> is_over{false};
    std::vector<std::thread> threads;
    for (std::uint64_t number = 1; number <= 4; ++number) {
        const char* const text = trace.kept(std::to_string(number));
        threads.emplace_back([&trace, &is_over, number, text] {
            while (!is_over.load(std::memory_order_relaxed)) trace.record(TraceKind::made, number, text);
        });
    }
    std::size_t seen = 0;
    while (seen < 5000) {
        for (const auto& [id, text] : recorded(trace)) {
            ++seen;
            CHECK_EQ(id, text);
        }
    }
    is_over.store(true, std::memory_order_relaxed);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
#define PROMISE(name) (name(), std::puts("ok " #name))
    PROMISE(equal_texts_are_kept_once_and_outlive_what_they_were_copied_from);
    PROMISE(events_are_whole_while_others_record);
#undef PROMISE
    return 0;
}
