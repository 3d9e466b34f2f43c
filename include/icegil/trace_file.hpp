// The file of a timeline, in the Chrome trace event format: whole for whoever reads it, in every locale, and written
// without any lock of the C library's streams.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "native_id.hpp"
#include "trace.hpp"

namespace icegil {

namespace trace_file_detail {

/// Text on its way into a file. No `FILE`: to make one takes the lock of the list of them all, which a thread in
/// `fflush(nullptr)` keeps while it waits for a stream whose owner was stopped.
class Output {
public:
    explicit Output(int file) noexcept : file_(file) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() { static_cast<void>(close()); }

    Output& operator<<(std::string_view text) noexcept {
        while (!text.empty()) {
            if (used_ == buffer_.size()) {
                flush();
            }
            const std::size_t size = text.copy(&buffer_[used_], buffer_.size() - used_);
            used_ += size;
            text.remove_prefix(size);
        }
        return *this;
    }

    /// Digits, whatever the locale.
    template <typename Number, typename = std::enable_if_t<std::is_integral_v<Number>>>
    Output& operator<<(Number number) noexcept {
        return in_base(number, 10);
    }

    template <typename Number>
    Output& in_base(Number number, int base) noexcept {
        std::array<char, 24> digits{};
        const auto [end, _] = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
        return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
    }

    /// The inside of a JSON string. Bytes that are no ASCII go out as they are: UTF-8, as the file system has them.
    Output& text(std::string_view text) noexcept {
        for (const char& each : text) {
            if (each == '"' || each == '\\') {
                *this << "\\" << std::string_view(&each, 1);
            } else if (static_cast<unsigned char>(each) < 0x20) {
                *this << (each < 0x10 ? "\\u000" : "\\u00");
                in_base(static_cast<int>(each), 16);
            } else {
                *this << std::string_view(&each, 1);
            }
        }
        return *this;
    }

    /// Answers the first errno that there was, 0 is none.
    int close() noexcept {
        if (file_ >= 0) {
            flush();
            note(::close(std::exchange(file_, -1)) == 0);
        }
        return error_;
    }

private:
    void flush() noexcept {
        for (std::size_t written = 0; written < used_ && error_ == 0;) {
            const ssize_t size = ::write(file_, &buffer_[written], used_ - written);
            if (size > 0) {
                written += static_cast<std::size_t>(size);
            } else if (errno != EINTR) {
                note(false);
            }
        }
        used_ = 0;
    }

    void note(bool is_well) noexcept {
        if (!is_well && error_ == 0) {
            error_ = errno != 0 ? errno : EIO;
        }
    }

    int file_;
    int error_ = 0;
    std::size_t used_ = 0;
    std::array<char, 1 << 14> buffer_;
};

inline void write_event(Output& out, const Trace::Event& event, std::int64_t begun) noexcept {
    struct Form {
        std::string_view phase;
        std::string_view category;
        std::string_view name;
    };
    static constexpr Form forms[] = {
        {"B", "callback", "callback"},      {"E", "callback", "callback"},
        {"i", "gate", "refused"},           {"i", "gate", "parked"},
        {"i", "gate", "draining"},          {"i", "gate", "sealed"},
        {"i", "python", "shutdown begins"}, {"i", "python", "finalizing"},
        {"b", "communicator", ""},          {"n", "communicator", "destroying"},
        {"e", "communicator", ""},
    };
    const Form& form = forms[static_cast<std::size_t>(event.kind)];
    const std::int64_t nanoseconds = event.time - begun;
    const std::int64_t thousandths = nanoseconds % 1000;
    out << ",\n{\"ph\": \"" << form.phase << R"(", "cat": ")" << form.category << R"(", "pid": )" << ::getpid()
        << R"(, "tid": )" << event.thread << R"(, "ts": )" << nanoseconds / 1000
        << (thousandths < 10    ? ".00"
            : thousandths < 100 ? ".0"
                                : ".")
        << thousandths << R"(, "name": ")";
    if (form.name.empty()) {
        out << "communicator ";
        out.text(event.text != nullptr ? event.text : "");
    } else {
        out << form.name;
    }
    out << "\"";
    if (form.phase == "i") {
        const bool is_of_thread = event.kind == TraceKind::refused || event.kind == TraceKind::parked;
        out << (is_of_thread ? R"(, "s": "t")" : R"(, "s": "p")");
    }
    if (event.id != 0) {
        out << R"(, "id": "0x)";
        out.in_base(event.id, 16) << "\"";
    }
    out << "}";
}

/// What the file is to hold: all that takes memory, before there is a file.
struct Content {
    Content(const Trace& trace, std::string_view facts)
        : events(trace.events()), dropped(trace.recorded() - events.size()), begun(trace.begun()), facts(facts) {
        for (const Trace::Event& event : events) {
            names.try_emplace(event.thread, trace.name_of(event.thread));
        }
    }

    void write(Output& out) const noexcept {
        out << "{\"displayTimeUnit\": \"ms\",\n\"otherData\": {\"dropped_events\": " << dropped
            << (facts.empty() ? "" : ", ") << facts << "},\n\"traceEvents\": [\n";
        out << R"({"ph": "M", "name": "process_name", "pid": )" << ::getpid() << R"(, "args": {"name": "python"}})";
        for (const auto& [thread, name] : names) {
            out << ",\n" << R"({"ph": "M", "name": "thread_name", "pid": )" << ::getpid() << R"(, "tid": )" << thread;
            out << R"(, "args": {"name": ")";
            out.text(name) << "\"}}";
        }
        for (const Trace::Event& event : events) {
            write_event(out, event, begun);
        }
        out << "\n]}\n";
    }

    std::vector<Trace::Event> events;
    std::uint64_t dropped;
    std::int64_t begun;
    std::string_view facts;
    std::map<pid_t, std::string> names;
};

/// A new file, nobody else's: a link that somebody has put there is not followed.
inline int create(const char* path) noexcept {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const int file = ::open(path, flags, 0666);
    if (file >= 0 || errno != EEXIST || ::unlink(path) != 0) {  // a process of this number was killed while it wrote
        return file;
    }
    return ::open(path, flags, 0666);
}

/// A device or a pipe, which is not waited for: nobody may be reading it.
inline int open_there(const char* path) noexcept {
    const int file = ::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file >= 0) {
        ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) & ~O_NONBLOCK);
    }
    return file;
}

}  // namespace trace_file_detail

/// Whether there is a file, or nothing, at this path: what others find there is then exchanged in one step. Into a
/// device or a pipe it is written.
[[nodiscard]] inline bool is_replaceable(const char* path) noexcept {
    struct stat found{};
    return ::stat(path, &found) != 0 || S_ISREG(found.st_mode);
}

/// Writes what a trace has to a file; `facts` go with it as they are, JSON. Answers an errno, 0 is none; what was there
/// before is then still there. From any thread, beside threads that record: what is being overwritten is left out.
[[nodiscard]] inline int write_trace(const Trace& trace, const char* path, std::string_view facts) noexcept try {
    using namespace trace_file_detail;
    const Content content(trace, facts);
    const bool is_exchanged = is_replaceable(path);
    const std::string beside = std::string(path) + "." + std::to_string(native_id()) + ".tmp";
    const int file = is_exchanged ? create(beside.c_str()) : open_there(path);
    if (file < 0) {
        return errno;
    }
    Output out(file);
    content.write(out);
    int error = out.close();
    if (is_exchanged && error == 0 && std::rename(beside.c_str(), path) != 0) {
        error = errno;
    }
    if (is_exchanged && error != 0) {
        ::unlink(beside.c_str());
    }
    return error;
} catch (const std::bad_alloc&) {
    return ENOMEM;
}

}  // namespace icegil
