// Writing the timeline when the process ends, by native code: its last events come when there is no Python any more.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstring>

#include "trace.hpp"

namespace icegil {

/// What is to be written, and where; all of it lives as long as the process. Without a path nothing is.
struct TraceAtExit {
    const char* path = nullptr;
    const char* facts_if_clean = nullptr;
    const char* facts_if_unclean = nullptr;

    /// Writes the file. A failure is said on the standard error, past its stream: somebody may hold that one's lock.
    void write(const Trace& trace, bool is_unclean) const noexcept {
        if (path == nullptr) {
            return;
        }
        if (const int error = trace.write(path, is_unclean ? facts_if_unclean : facts_if_clean); error != 0) {
            ::dprintf(STDERR_FILENO, "icegil: the timeline cannot be written to %s: %s\n", path, std::strerror(error));
        }
    }
};

}  // namespace icegil
