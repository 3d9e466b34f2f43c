// What the timeline at exit promises: nothing without a path, the facts of the ending that it was, and a failure is said
// past the stream, whose lock a stopped thread may hold.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "icegil/trace_at_exit.hpp"

#include <fcntl.h>

#include <fstream>
#include <iterator>
#include <string>

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
    ::flockfile(stderr);
    at_exit.write(trace, false);
    ::funlockfile(stderr);
    const std::string line = content(said);
    CHECK(line == "icegil: the timeline cannot be written to /nowhere/timeline.json: No such file or directory\n");
    std::remove(path.c_str());
    std::remove(said.c_str());
}
