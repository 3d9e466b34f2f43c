// Writing the timeline when the process ends, by native code: its last events come when there is no Python any more.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unistd.h>

#include <cstring>
#include <string>

#include "trace.hpp"
#include "trace_file.hpp"

namespace icegil {

/// What is to be written, and where; all of it lives as long as the process. Without a path nothing is.
struct TraceAtExit {
    const char* path = nullptr;
    const char* facts_if_clean = nullptr;
    const char* facts_if_unclean = nullptr;

    /// Writes the file, and writes it anew each time; into a device or a pipe once. A failure is said on the standard
    /// error, once, past the streams, whose locks somebody may hold.
    void write(const Trace& trace, bool is_unclean) noexcept {
        if (path == nullptr || (path == written && !is_replaceable(path))) {
            return;
        }
        const int error = write_trace(trace, path, is_unclean ? facts_if_unclean : facts_if_clean);
        if (error == 0) {
            written = path;
        } else if (path != failed) {
            failed = path;
            say(error);
        }
    }

    const char* written = nullptr;  // the path where this was done, and the one where it could not be
    const char* failed = nullptr;

private:
    void say(int error) const noexcept try {
        const std::string line =
            std::string("icegil: the timeline cannot be written to ") + path + ": " + std::strerror(error) + "\n";
        static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
    } catch (const std::bad_alloc&) {
        return;
    }
};

}  // namespace icegil
