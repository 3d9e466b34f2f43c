// What the timeline's file promises: others find it whole or not at all, nothing is left beside it, what is no file is
// written into, numbers are in no language, and nobody is waited for who has a stream's lock.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "icegil/trace_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>

#include "check.hpp"

namespace {

using icegil::Trace;
using icegil::TraceKind;
using icegil::write_trace;

std::string folder;
std::string path;

std::string content(const std::string& of) {
    std::ifstream file(of);
    return {std::istreambuf_iterator<char>(file), {}};
}

bool is_whole(const std::string& text) {
    return text.rfind("{\"displayTimeUnit\"", 0) == 0 && text.size() > 4 && text.substr(text.size() - 4) == "\n]}\n";
}

int files() {
    int number = 0;
    DIR* const directory = ::opendir(folder.c_str());
    while (const dirent* const entry = ::readdir(directory)) number += entry->d_name[0] != '.';
    ::closedir(directory);
    return number;
}

void record(Trace& trace, int events) {
    const char* const text = trace.kept("server.py:7");
    for (int number = 0; number < events; ++number) trace.record(TraceKind::made, 0x2a, text);
}

void texts_and_numbers_are_json() {
    Trace trace(4);
    trace.record(TraceKind::made, 0x2a, trace.kept("a \"b\" \\c\n\x1f \xc3\xa9"));
    trace.name(icegil::native_id(), "one\ttwo");
    CHECK_EQ(write_trace(trace, path.c_str(), "\"clean\": true"), 0);
    const std::string text = content(path);
    CHECK(is_whole(text));
    CHECK(text.find(R"("otherData": {"dropped_events": 0, "clean": true})") != std::string::npos);
    CHECK(text.find(R"("name": "communicator a \"b\" \\c\u000a\u001f )"
                    "\xc3\xa9\", \"id\": \"0x2a\"}") != std::string::npos);
    CHECK(text.find(R"({"name": "one\u0009two"})") != std::string::npos);
    const std::size_t time = text.find("\"ts\": ") + 6, end = text.find(',', time);
    const std::string number = text.substr(time, end - time);
    CHECK_EQ(number.find('.'), number.size() - 4);
    CHECK_EQ(number.find_first_not_of("0123456789."), std::string::npos);
}

void who_reads_it_meanwhile_finds_one_that_is_whole() {
    Trace trace(1024);
    record(trace, 1024);
    CHECK_EQ(write_trace(trace, path.c_str(), ""), 0);
    std::atomic<bool> is_over{false};
    std::thread reader([&is_over] {
        while (!is_over.load()) CHECK(is_whole(content(path)));
    });
    for (int time = 0; time < 100; ++time) CHECK_EQ(write_trace(trace, path.c_str(), ""), 0);
    is_over.store(true);
    reader.join();
    CHECK_EQ(files(), 1);
}

void what_fails_leaves_the_one_before_and_nothing_beside() {
    Trace trace(1024);
    CHECK_EQ(write_trace(trace, path.c_str(), "\"from\": \"before\""), 0);
    record(trace, 1024);
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{4096, before.rlim_max};
    CHECK_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_EQ(write_trace(trace, path.c_str(), ""), EFBIG);
    CHECK_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK(is_whole(content(path)) && content(path).find("\"before\"") != std::string::npos);
    CHECK_EQ(files(), 1);
    CHECK_EQ(write_trace(trace, (folder + "/none/timeline.json").c_str(), ""), ENOENT);
    CHECK_EQ(write_trace(trace, folder.c_str(), ""), EISDIR);
    CHECK_EQ(files(), 1);
}

void what_a_killed_process_left_beside_it_is_in_nobodys_way() {
    const std::string beside = path + "." + std::to_string(icegil::native_id()) + ".tmp", other = folder + "/other";
    std::ofstream(other) << "kept";
    CHECK_EQ(::symlink(other.c_str(), beside.c_str()), 0);
    Trace trace(4);
    CHECK_EQ(write_trace(trace, path.c_str(), ""), 0);
    CHECK(is_whole(content(path)) && content(other) == "kept");
    std::remove(other.c_str());
    CHECK_EQ(files(), 1);
}

void a_device_stays_one_and_a_pipe_without_a_reader_is_not_waited_for() {
    Trace trace(4);
    CHECK(icegil::is_replaceable(path.c_str()) && icegil::is_replaceable("/nowhere/timeline.json"));
    CHECK(!icegil::is_replaceable("/dev/null"));
    CHECK_EQ(write_trace(trace, "/dev/null", ""), 0);
    CHECK(!icegil::is_replaceable("/dev/null"));
    const std::string pipe = folder + "/pipe";
    CHECK_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    CHECK_EQ(write_trace(trace, pipe.c_str(), ""), ENXIO);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
    CHECK_EQ(write_trace(trace, pipe.c_str(), ""), 0);
    char text[4096];
    const ssize_t size = ::read(reader, text, sizeof text);
    CHECK(size > 0 && is_whole(std::string(text, static_cast<std::size_t>(size))));
    ::close(reader);
    std::remove(pipe.c_str());
}

/// Whether a thread of this process sleeps. Asked without a stream.
bool sleeps(pid_t thread) {
    char stat[256];
    const int file = ::open(("/proc/self/task/" + std::to_string(thread) + "/stat").c_str(), O_RDONLY);
    const ssize_t size = ::read(file, stat, sizeof stat);
    ::close(file);
    return size > 0 && std::string_view(stat, static_cast<std::size_t>(size)).find(") S ") != std::string_view::npos;
}

void nobody_is_waited_for_who_has_a_streams_lock() {
    ::flockfile(stdin);
    std::atomic<pid_t> flushing{0};
    std::thread thread([&flushing] {
        flushing.store(icegil::native_id());
        std::fflush(nullptr);  // has the lock of the list of streams, and waits for stdin's
    });
    while (flushing.load() == 0 || !sleeps(flushing.load())) std::this_thread::yield();
    ::alarm(20);
    Trace trace(4);
    CHECK_EQ(write_trace(trace, path.c_str(), ""), 0);
    ::alarm(0);
    ::funlockfile(stdin);
    thread.join();
    CHECK(is_whole(content(path)));
}

}  // namespace

int main() {
    char made[] = "/tmp/icegil-test-trace-file-XXXXXX";
    folder = ::mkdtemp(made);
    path = folder + "/timeline.json";
#define PROMISE(name) (name(), std::puts("ok " #name))
    PROMISE(texts_and_numbers_are_json);
    PROMISE(who_reads_it_meanwhile_finds_one_that_is_whole);
    PROMISE(what_fails_leaves_the_one_before_and_nothing_beside);
    PROMISE(what_a_killed_process_left_beside_it_is_in_nobodys_way);
    PROMISE(a_device_stays_one_and_a_pipe_without_a_reader_is_not_waited_for);
    PROMISE(nobody_is_waited_for_who_has_a_streams_lock);
#undef PROMISE
    std::remove(path.c_str());
    ::rmdir(folder.c_str());
    return 0;
}
