// One admission to the gate, in nanoseconds, with some threads at once; beside it the same with a mutex.
//
//   gate THREADS ADMISSIONS
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <icegil/gate.hpp>
#include <icegil/thread.hpp>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t rounds = 7;

icegil::Gate gate;

void through_the_gate() {
    icegil::Visitor& visitor = icegil::this_thread(gate).visitor;
    if (gate.try_enter(visitor)) {
        gate.leave(visitor);
    }
}

/// What the gate would be without its atomic word: state and count under a lock.
struct LockedGate {
    std::mutex mutex;
    bool is_open = true;
    std::size_t inside = 0;
} locked_gate;

void through_a_mutex() {
    {
        const std::lock_guard lock(locked_gate.mutex);
        if (!locked_gate.is_open) {
            return;
        }
        ++locked_gate.inside;
    }
    const std::lock_guard lock(locked_gate.mutex);
    --locked_gate.inside;
}

/// Nanoseconds of elapsed time for each admission, all threads' admissions together.
template <typename Admit>
double nanoseconds_each(int threads, long admissions, Admit admit) {
    const long share = admissions / threads;
    std::vector<std::thread> running;
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < threads; ++i) {
        running.emplace_back([share, admit] {
            for (long n = 0; n < share; ++n) {
                admit();
            }
        });
    }
    for (std::thread& each : running) {
        each.join();
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    return took.count() / static_cast<double>(share * threads);
}

double median(std::array<double, rounds> values) {
    std::nth_element(values.begin(), values.begin() + rounds / 2, values.end());
    return values[rounds / 2];
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: gate THREADS ADMISSIONS\n");
        return 2;
    }
    const int threads = std::atoi(arguments[1]);
    const long admissions = std::atol(arguments[2]) / static_cast<long>(rounds);
    std::array<double, rounds> by_gate{};
    std::array<double, rounds> by_mutex{};
    for (std::size_t i = 0; i < rounds; ++i) {
        by_mutex[i] = nanoseconds_each(threads, admissions, through_a_mutex);
        by_gate[i] = nanoseconds_each(threads, admissions, through_the_gate);
    }
    std::printf("{\"gate_ns\": %.3f, \"mutex_ns\": %.3f}\n", median(by_gate), median(by_mutex));
    return 0;
}
