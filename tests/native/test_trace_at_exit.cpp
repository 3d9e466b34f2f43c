// What the timeline at exit promises: nothing without a path, the facts of the ending that it was, a pipe gets it once,
// and a failure is said once and past the stream, whose lock a stopped thread may hold.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "icegil/trace_at_exit.hpp"

#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "check.hpp"

namespace {

std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main() {
    const std::string base = "/tmp/icegil-test-trace-at-exit-" + std::to_string(::getpid());
    const std::string path = base + ".json", said = base + ".txt";
    icegil::Trace trace(4);
    trace.record(icegil::TraceKind::sealed);
    icegil::TraceAtExit at_exit;
    at_exit.write(trace, false);

    at_exit = {path.c_str(), "\"ending\": \"clean\"", "\"ending\": \"unclean\""};
    at_exit.write(trace, true);
    CHECK(content(path).find("\"unclean\"") != std::string::npos);
    at_exit.write(trace, false);
    CHECK(content(path).find("\"clean\"") != std::string::npos);
    CHECK(content(path).find("\"sealed\"") != std::string::npos);

    const int file = ::open(said.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    CHECK(file >= 0 && ::dup2(file, STDERR_FILENO) >= 0);
    at_exit.path = "/nowhere/timeline.json";
    std::atomic<bool> has_lock{false}, is_over{false};
    std::thread owner([&] {
        ::flockfile(stderr);
        has_lock.store(true);
        while (!is_over.load()) std::this_thread::yield();
        ::funlockfile(stderr);
    });
    while (!has_lock.load()) std::this_thread::yield();
    ::alarm(20);
    at_exit.write(trace, false);
    at_exit.write(trace, false);
    ::alarm(0);
    is_over.store(true);
    owner.join();
    const std::string line = content(said);
    CHECK(line == "icegil: the timeline cannot be written to /nowhere/timeline.json: No such file or directory\n");

    int ends[2];
    CHECK_EQ(::pipe2(ends, O_NONBLOCK), 0);
    const std::string pipe = "/dev/fd/" + std::to_string(ends[1]);
    at_exit.path = pipe.c_str();
    at_exit.write(trace, false);
    char once[4096], twice[1];
    CHECK(::read(ends[0], once, sizeof once) > 0);
    at_exit.write(trace, false);
    CHECK(::read(ends[0], twice, sizeof twice) < 0);
    std::remove(path.c_str());
    std::remove(said.c_str());
}
