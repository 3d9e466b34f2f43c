// What icegil keeps of each native thread, for as long as the thread lives.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "gate.hpp"

namespace icegil {

/// One native thread's record. Plain storage: it can be reached from its first use to the thread's very end, also by
/// destructors that run after icegil's own.
struct Thread {
    Visitor visitor;
    bool is_watched = false;
    std::uint32_t frames = 0;    // frames of native code in Python that entered the gate and have not left it
    bool is_known = false;       // whose thread it is has been looked at
    void (*at_end)() = nullptr;  // called by the thread itself when it ends, before the gate forgets it
};

/// Runs when its thread ends: a C++ `thread_local` destructor, the only hook that native threads have everywhere.
class ThreadEnd {
public:
    ThreadEnd(Gate& gate, Thread& thread) noexcept : gate_(gate), thread_(thread) {}
    ThreadEnd(const ThreadEnd&) = delete;
    ThreadEnd& operator=(const ThreadEnd&) = delete;
    ~ThreadEnd() {
        if (thread_.at_end != nullptr) {
            thread_.at_end();
        }
        gate_.forget(thread_.visitor);
    }

private:
    Gate& gate_;
    Thread& thread_;
};

/// The calling thread's record. The first call of a thread has it watched: when the thread ends, `gate` forgets it.
/// `gate` must be the same one in every call, and never be destroyed.
inline Thread& this_thread(Gate& gate) noexcept {
    thread_local Thread thread;
    if (!thread.is_watched) {
        thread.is_watched = true;
        thread_local const ThreadEnd end{gate, thread};
    }
    return thread;
}

}  // namespace icegil
