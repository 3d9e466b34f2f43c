// What a deadline promises: it passes in its time, or is called off, and whoever calls it off may let go of it at once.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "icegil/deadline.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

using icegil::Deadline;
using Clock = std::chrono::steady_clock;

void it_passes_and_not_too_early() {
    int subject = 0;
    const auto begun = Clock::now();
    Deadline deadline(0.05, &subject);
    CHECK(deadline.passes());
    CHECK(Clock::now() - begun >= std::chrono::milliseconds(50));
    CHECK(!deadline.is_off());
    CHECK(deadline.subject == &subject);
}

void called_off_it_does_not_pass_however_far_off_it_was() {
    for (const double seconds : {3600.0, 1e300}) {
        Deadline deadline(seconds, nullptr);
        std::thread caller([&] { deadline.call_off(); });
        CHECK(!deadline.passes());
        caller.join();
        deadline.call_off();
        CHECK(deadline.is_off());
        CHECK(!deadline.passes());
    }
}

void each_side_may_let_go_while_the_other_is_at_it() {
    std::atomic<int> passed{0};
    for (int round = 0; round < 500; ++round) {
        auto mine = std::make_shared<Deadline>(round % 2 == 0 ? 3600.0 : 0.0, nullptr);
        std::thread waiter([theirs = mine, &passed]() mutable {
            passed += theirs->passes();
            theirs.reset();
        });
        mine->call_off();
        mine.reset();
        waiter.join();
    }
    CHECK(passed <= 250);
}

}  // namespace

int main() {
    it_passes_and_not_too_early();
    called_off_it_does_not_pass_however_far_off_it_was();
    each_side_may_let_go_while_the_other_is_at_it();
}
