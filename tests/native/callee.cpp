// The library that the victim imports from.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <atomic>

namespace {

std::atomic<long> calls{0};

}  // namespace

extern "C" {

int answer(int question) {
    calls.fetch_add(1, std::memory_order_relaxed);
    return question + 1;
}

long answer_calls() { return calls.load(std::memory_order_relaxed); }

}  // extern "C"
