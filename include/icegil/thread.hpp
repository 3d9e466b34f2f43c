// What icegil keeps of each native thread, for as long as the thread lives.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pthread.h>

#include <cstdint>

#include "gate.hpp"

// One word of the storage that ld.so keeps ready for libraries loaded later: reached without a call, two nanoseconds
// each time. Where that storage is used up such a library cannot be loaded, and is built without.
#ifdef ICEGIL_WITHOUT_STATIC_TLS
#define ICEGIL_TLS
#else
#define ICEGIL_TLS __attribute__((tls_model("initial-exec")))
#endif

namespace icegil {

/// One native thread's record. Plain storage: it can be reached from its first use to the thread's very end, also by
/// destructors that run after icegil's own.
struct Thread {
    Visitor visitor;
    std::uint32_t frames = 0;    // frames of native code in Python that entered the gate and have not left it
    void* state = nullptr;       // what Python keeps of it, for as long as it lives
    unsigned long identity = 0;  // what Python calls it there
    void* invocation = nullptr;  // the innermost call of Ice that it is making
    bool is_named = false;       // whether the timeline knows what Python calls it
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

namespace thread_detail {

/// The record of a thread that comes for the first time, watched from here on.
[[gnu::noinline]] inline Thread& meet(Gate& gate) noexcept {
    thread_local Thread thread;
    thread_local const ThreadEnd end{gate, thread};
    // A thread may come for the first time when its C++ destructors have run: from the destructor of a POSIX key. Then
    // `end` is never destroyed, but keys that are set there have a turn of their own.
    static Gate* const only_gate = &gate;
    struct LastEnd {
        pthread_key_t key{};
        bool is_made = ::pthread_key_create(&key, forget) == 0;  // there are 1024; key 0 may be Python's own

        static void forget(void* late) { only_gate->forget(static_cast<Thread*>(late)->visitor); }
    };
    static const LastEnd last_end;
    if (last_end.is_made) {
        ::pthread_setspecific(last_end.key, &thread);
    }
    return thread;
}

}  // namespace thread_detail

/// The calling thread's record. The first call of a thread has it watched: when the thread ends, `gate` forgets it.
/// `gate` must be the same one in every call, and never be destroyed.
inline Thread& this_thread(Gate& gate) noexcept {
    thread_local Thread* known ICEGIL_TLS = nullptr;
    if (known == nullptr) {
        known = &thread_detail::meet(gate);
    }
    return *known;
}

}  // namespace icegil
