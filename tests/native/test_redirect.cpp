// What redirecting promises, on libraries that a linker made. test_native_redirect.py makes them and names the case.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "elf_image.hpp"
#include "icegil/redirect.hpp"

extern "C" int answer(int question);
extern "C" long answer_calls();

namespace {

int mprotect_calls = 0;
int failing_mprotect_call = 0;  // counted from 1

}  // namespace

/// In place of the C library's, so that a test can have it fail.
extern "C" int mprotect(void* address, size_t size, int protection) noexcept {
    if (++mprotect_calls == failing_mprotect_call) {
        errno = ENOMEM;
        return -1;
    }
    return static_cast<int>(syscall(SYS_mprotect, address, size, protection));
}

namespace {

using icegil::LoadedObject;
using icegil::Redirection;
using icegil::RedirectOutcome;
using icegil::SlotKind;
using Answer = int(int);

std::atomic<long> diverted_calls{0};

int diverted(int question) {
    diverted_calls.fetch_add(1, std::memory_order_relaxed);
    return -question;
}

int diverted_by_somebody_else(int question) { return 1000 + question; }

template <class Function>
void* address(Function* function) {
    return reinterpret_cast<void*>(function);
}

std::uintptr_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

std::uintptr_t& word(const icegil::Slot& slot) { return *reinterpret_cast<std::uintptr_t*>(slot.address); }

/// A victim library, loaded as Python loads its extensions; each of its ways to `answer` that the variant has not is
/// null.
struct Victim {
    explicit Victim(const char* path) : handle(dlopen(path, RTLD_LAZY | RTLD_LOCAL)) {
        if (handle == nullptr) check::fail(__FILE__, __LINE__, dlerror());
        call = find<Answer*>("victim_call");
        take_address = find<Answer* (*)()>("victim_address");
        variable = find<Answer**>("victim_variable");
        constant = find<Answer* const*>("victim_constant");
        inside = find<const char* const*>("victim_inside");
        link_map* entry = nullptr;
        CHECK_EQ(dlinfo(handle, RTLD_DI_LINKMAP, &entry), 0);
        const auto found = icegil::object_containing(entry->l_ld);
        CHECK(found.has_value());
        object = *found;
    }

    template <class Pointer>
    Pointer find(const char* name) const {
        return reinterpret_cast<Pointer>(dlsym(handle, name));
    }

    /// Every way there is leads to `expected`.
    void check_leads_to(Answer* expected) const {
        CHECK_EQ(call(5), expected(5));
        if (take_address != nullptr) CHECK(take_address() == expected);
        if (variable != nullptr) CHECK(*variable == expected);
        if (constant != nullptr) CHECK(*const_cast<Answer* const volatile*>(constant) == expected);
    }

    void* handle;
    Answer* call;
    Answer* (*take_address)();
    Answer** variable;
    Answer* const* constant;
    const char* const* inside;
    LoadedObject object;
};

/// The permissions of each page between the object's first and last.
std::map<std::uintptr_t, std::string> permissions(const LoadedObject& object) {
    const auto page_size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t first = object.segments.front().begin & ~(page_size - 1);
    const std::uintptr_t last = object.segments.back().end;
    std::map<std::uintptr_t, std::string> pages;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::size_t used = 0;
        const std::uintptr_t begin = std::stoul(line, &used, 16);
        const std::uintptr_t end = std::stoul(line.substr(used + 1), nullptr, 16);
        for (std::uintptr_t page = std::max(begin, first); page < std::min(end, last); page += page_size) {
            pages[page] = line.substr(line.find(' ') + 1, 4);
        }
    }
    CHECK(!pages.empty());
    return pages;
}

/// The slots that are found, for test_native_redirect.py to compare with what readelf shows.
void lists_slots(const char* path) {
    const Victim victim(path);
    const auto found = icegil::find_import(victim.object, "answer");
    CHECK(found.outcome == RedirectOutcome::done);
    CHECK(found.original == address(&answer));
    const auto pages = permissions(victim.object);
    for (const auto& slot : found.slots) {
        const char* kind = slot.kind == SlotKind::jump_slot ? "JUMP_SLOT" : "GLOB_DAT";
        if (slot.kind == SlotKind::pointer) kind = "POINTER";
        const std::uintptr_t page = slot.address & ~(static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE)) - 1);
        std::printf("%s %zx %s\n", kind, slot.address - victim.object.base, pages.at(page).c_str());
    }
}

void diverts_every_way_and_gives_it_back(const char* path) {
    const Victim victim(path);
    const auto before = permissions(victim.object);
    const char* inside = victim.inside == nullptr ? nullptr : *victim.inside;
    for (int round = 0; round < 3; ++round) {  // in the first, nothing was called and bound yet
        Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted));
        CHECK(redirection.outcome == RedirectOutcome::done);
        CHECK_EQ(redirection.error, 0);
        CHECK(redirection.original == address(&answer));
        CHECK(icegil::still_ours(redirection));
        CHECK(permissions(victim.object) == before);
        victim.check_leads_to(&diverted);
        CHECK_EQ(answer(5), 6);  // the test program's own import
        if (inside != nullptr) CHECK(*victim.inside == inside);

        const auto slots = redirection.slots;
        const auto undone = icegil::undo(redirection);
        CHECK(undone.outcome == RedirectOutcome::done);
        CHECK_EQ(undone.restored, slots.size());
        for (const auto& slot : slots) CHECK_EQ(word(slot), number(address(&answer)));  // bound from now on
        CHECK_EQ(undone.not_ours, 0U);
        CHECK(redirection.slots.empty());
        CHECK(!icegil::still_ours(redirection));
        CHECK(permissions(victim.object) == before);
        victim.check_leads_to(&answer);
        CHECK(permissions(victim.object) == before);
    }
    Redirection nothing;
    CHECK(icegil::undo(nothing).outcome == RedirectOutcome::done);
}

void leaves_a_variable_that_points_elsewhere(const char* path) {
    const Victim victim(path);
    *victim.variable = &diverted_by_somebody_else;
    Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::done);
    CHECK(*victim.variable == &diverted_by_somebody_else);
    CHECK(*const_cast<Answer* const volatile*>(victim.constant) == &diverted);
    CHECK_EQ(icegil::undo(redirection).not_ours, 0U);
    CHECK(*victim.variable == &diverted_by_somebody_else);
}

void leaves_what_somebody_else_wrote_since(const char* path) {
    const Victim victim(path);
    Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::done);
    const auto slots = redirection.slots;
    Redirection theirs = icegil::redirect(victim.object, "answer", address(&diverted_by_somebody_else));
    CHECK(theirs.outcome == RedirectOutcome::done);
    CHECK(theirs.original == address(&answer));
    CHECK(!icegil::still_ours(redirection));
    const std::size_t rewritten = theirs.slots.size();  // not the pointers: those held no `answer` any more
    CHECK(rewritten > 0);

    const auto undone = icegil::undo(redirection);
    CHECK(undone.outcome == RedirectOutcome::done);
    CHECK_EQ(undone.not_ours, rewritten);
    CHECK_EQ(undone.restored, slots.size() - rewritten);
    CHECK(redirection.slots.empty());
    CHECK(icegil::still_ours(theirs));
    CHECK_EQ(victim.call(5), 1005);

    // Theirs taken away, what they had found comes back: ours.
    CHECK_EQ(icegil::undo(theirs).restored, rewritten);
    CHECK_EQ(victim.call(5), -5);
}

void every_call_of_a_storm_lands_in_exactly_one(const char* path) {
    constexpr int kThreads = 4;
    const Victim victim(path);
    CHECK_EQ(victim.call(5), 6);  // a first call while the slot is written could have ld.so write over it
    const auto before = permissions(victim.object);
    const long answered_before = answer_calls();
    std::atomic<bool> is_over{false};
    std::atomic<long> calls{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            long made = 0;
            for (int question = 1; !is_over.load(std::memory_order_relaxed); question = question % 1000 + 1, ++made) {
                const int answered = victim.call(question);
                if (answered != question + 1 && answered != -question) CHECK_EQ(answered, question);
            }
            calls.fetch_add(made);
        });
    }
    for (int flip = 0; flip < FLIPS; ++flip) {
        Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted));
        CHECK(redirection.outcome == RedirectOutcome::done);
        CHECK(icegil::still_ours(redirection));
        const std::size_t slots = redirection.slots.size();
        const long diverted_before = diverted_calls.load();
        if (flip == 0) {
            while (diverted_calls.load() == diverted_before) std::this_thread::yield();
        }
        CHECK_EQ(icegil::undo(redirection).restored, slots);
        const long answered = answer_calls();
        if (flip == 0) {
            while (answer_calls() == answered) std::this_thread::yield();
        }
    }
    is_over.store(true);
    for (auto& thread : threads) thread.join();
    CHECK_EQ(answer_calls() - answered_before + diverted_calls.load(), calls.load());
    CHECK(permissions(victim.object) == before);
    CHECK_EQ(victim.call(5), 6);
    std::printf("%ld calls, %ld of them diverted\n", calls.load(), diverted_calls.load());
}

std::string file_name(const LoadedObject& object) { return object.path.substr(object.path.rfind('/') + 1); }

void finds_objects_and_what_they_need(const char* path) {
    const std::string folder = std::string(path).substr(0, std::string(path).rfind('/'));
    CHECK(dlopen((folder + "/libhidden-7.so").c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr);
    const Victim victim(path);
    CHECK_EQ(victim.object.path, std::string(path));
    const auto by_function = icegil::object_containing(address(victim.call));
    CHECK(by_function.has_value());
    CHECK_EQ(by_function->path, victim.object.path);
    CHECK_EQ(by_function->base, victim.object.base);

    const auto objects = icegil::loaded_objects();
    CHECK_EQ(objects.front().path, std::string());
    const auto executable = icegil::object_containing(address(&diverted));
    CHECK(executable.has_value());
    CHECK_EQ(executable->base, objects.front().base);
    const int on_the_stack = 0;
    CHECK(!icegil::object_containing(&on_the_stack).has_value());
    CHECK(!icegil::object_containing(nullptr).has_value());

    std::vector<std::string> needed;
    for (const auto& object : icegil::needed_objects(victim.object)) {
        const auto by_base = [&](const LoadedObject& other) { return other.base == object.base; };
        CHECK(std::any_of(objects.begin(), objects.end(), by_base));
        needed.push_back(file_name(object));
    }
    // One by its soname, which its file is not named after; one by the name of its file, as it has no soname.
    CHECK(std::find(needed.begin(), needed.end(), "libhidden-7.so") != needed.end());
    CHECK(std::find(needed.begin(), needed.end(), "libcallee.so") != needed.end());
    for (const auto& object : objects) {  // the vdso too
        CHECK(icegil::find_import(object, "answer").outcome != RedirectOutcome::damaged);
    }
}

void says_why_not(const char* path) {
    const Victim victim(path);
    CHECK(icegil::find_import(victim.object, "unheard_of").outcome == RedirectOutcome::not_imported);
    CHECK(icegil::find_import(victim.object, "victim_call").outcome == RedirectOutcome::not_imported);
    CHECK(icegil::find_import(victim.object, "").outcome == RedirectOutcome::not_imported);
    const auto callee = icegil::object_containing(address(&answer));
    CHECK(icegil::find_import(*callee, "answer").outcome == RedirectOutcome::not_imported);
    CHECK(icegil::redirect(victim.object, "nobody_has_this", address(&diverted)).outcome ==
          RedirectOutcome::no_original);
    CHECK_EQ(victim.find<Answer*>("victim_call_weak")(5), -1);

    LoadedObject damaged = victim.object;
    damaged.segments.resize(1);  // the tables of a real library, but its data cut off
    const auto redirection = icegil::redirect(damaged, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::damaged);
    CHECK(redirection.slots.empty());
    CHECK(!icegil::still_ours(redirection));
    CHECK_EQ(victim.call(5), 6);
}

void knows_a_function_that_only_the_library_sees(const char* path) {
    const Victim victim(path);
    auto* const call = victim.find<Answer*>("victim_call_hidden");
    CHECK(dlsym(RTLD_DEFAULT, "hidden_answer") == nullptr);
    // Bound lazily and not called yet, nothing says where it is.
    CHECK(icegil::find_import(victim.object, "hidden_answer").outcome == RedirectOutcome::no_original);
    void* hidden = dlsym(victim.handle, "hidden_answer");
    CHECK(icegil::find_import(victim.object, "hidden_answer", hidden).outcome == RedirectOutcome::done);
    CHECK_EQ(call(5), 7);
    Redirection redirection = icegil::redirect(victim.object, "hidden_answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::done);
    CHECK(redirection.original == hidden);
    CHECK_EQ(call(5), -5);
    // The slot alone knew it, and now holds the replacement, which must not be taken for the original.
    const auto again = icegil::redirect(victim.object, "hidden_answer", address(&diverted));
    CHECK(again.outcome == RedirectOutcome::no_original);
    CHECK_EQ(icegil::undo(redirection).restored, 1U);
    CHECK_EQ(call(5), 7);
}

void diverts_a_function_that_the_library_has_itself(const char* path) {
    const Victim victim(path);
    auto* const own = victim.find<Answer*>("answer");
    CHECK(own != &answer);  // this program's comes from the library beside
    for (int round = 0; round < 2; ++round) {
        const int expected = victim.call(5);
        Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted), address(own));
        CHECK(redirection.outcome == RedirectOutcome::done);
        CHECK_EQ(victim.call(5), -5);
        CHECK(icegil::undo(redirection).restored > 0);
        CHECK_EQ(victim.call(5), expected);
    }
}

void gives_back_a_function_of_its_own_to_a_library_that_prefers_it(const char* path) {
    CHECK(dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND) != nullptr);
    const Victim victim(path);
    for (int round = 0; round < 2; ++round) {  // in the first, nothing was called and bound yet
        Redirection redirection = icegil::redirect(victim.object, "answer", address(&diverted));
        CHECK(redirection.outcome == RedirectOutcome::done);
        CHECK_EQ(victim.call(5), -5);
        CHECK(icegil::undo(redirection).restored > 0);
        CHECK_EQ(victim.call(5), 8);  // its own, and not the one that this program sees
    }
}

Answer* real_answer = nullptr;

int diverted_and_on_to_the_original(int question) { return -real_answer(question); }

/// This program itself, whose address of `answer` is its own PLT entry where it is not position-independent.
void original_is_never_the_way_through_the_slot(const char* /*path*/) {
    const auto executable = icegil::object_containing(address(&diverted));
    const auto found = icegil::find_import(*executable, "answer");
    CHECK(found.outcome == RedirectOutcome::done);
    CHECK_EQ(file_name(*icegil::object_containing(found.original)), "libcallee.so");
    real_answer = reinterpret_cast<Answer*>(found.original);
    Redirection redirection = icegil::redirect(*executable, "answer", address(&diverted_and_on_to_the_original));
    CHECK(redirection.outcome == RedirectOutcome::done);
    CHECK_EQ(answer(5), -6);
    Answer* volatile through_a_pointer = &answer;
    CHECK_EQ(through_a_pointer(5), -6);
    icegil::undo(redirection);
    CHECK_EQ(answer(5), 6);
}

/// A made-up object over three pages: its tables, a slot in `second`, a slot in `third`.
struct Pages {
    explicit Pages(int third_protection, int third_flags, int third_file) {
        bytes = static_cast<unsigned char*>(
            mmap(nullptr, 3 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(bytes != MAP_FAILED);
        elf_image::Image image;
        image.rela[1].r_offset = size;
        image.rela[2] = image.relocation(elf_image::kRelative, 0, 0);
        image.plt[0].r_offset = 2 * size;
        image.rel[0].r_offset = size + sizeof(void*);  // a second one in the same page
        std::memcpy(bytes, &image, sizeof(image));
        void* third = mmap(bytes + 2 * size, size, third_protection, third_flags | MAP_FIXED, third_file, 0);
        CHECK(third != MAP_FAILED);
        object = elf_image::loaded(bytes, 3 * size);
    }
    ~Pages() { munmap(bytes, 3 * size); }

    std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    unsigned char* bytes;
    LoadedObject object;
};

void pages_are_left_as_they_were(const char* /*path*/) {
    const Pages pages(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    CHECK_EQ(mprotect(pages.bytes + pages.size, pages.size, PROT_READ | PROT_EXEC), 0);
    const auto before = permissions(pages.object);
    CHECK_EQ(before.at(number(pages.bytes) + pages.size), std::string("r-xp"));
    CHECK_EQ(before.at(number(pages.bytes) + 2 * pages.size), std::string("rw-p"));
    Redirection redirection = icegil::redirect(pages.object, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::done);
    CHECK_EQ(redirection.slots.size(), 3U);
    for (const auto& slot : redirection.slots) CHECK_EQ(word(slot), number(address(&diverted)));
    CHECK(permissions(pages.object) == before);
    CHECK_EQ(icegil::undo(redirection).restored, 3U);
    CHECK(permissions(pages.object) == before);
}

void nothing_is_written_when_a_page_cannot_be_opened(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);  // shared and opened for reading: never to be made writable
    CHECK(file >= 0);
    const Pages pages(PROT_READ, MAP_SHARED, file);
    CHECK_EQ(mprotect(pages.bytes + pages.size, pages.size, PROT_READ), 0);
    const auto before = permissions(pages.object);
    const auto redirection = icegil::redirect(pages.object, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::not_permitted);
    CHECK_EQ(redirection.error, EACCES);
    CHECK(redirection.slots.empty());
    CHECK(permissions(pages.object) == before);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK_EQ(*reinterpret_cast<std::uintptr_t*>(pages.bytes + pages.size + i * sizeof(void*)), 0U);
    }
    close(file);
}

void a_page_that_cannot_be_closed_again_is_told(const char* /*path*/) {
    const Pages pages(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    CHECK_EQ(mprotect(pages.bytes + pages.size, pages.size, PROT_READ), 0);
    mprotect_calls = 0;
    failing_mprotect_call = 2;
    Redirection redirection = icegil::redirect(pages.object, "answer", address(&diverted));
    CHECK_EQ(mprotect_calls, 2);  // two slots, one page
    CHECK(redirection.outcome == RedirectOutcome::not_permitted);
    CHECK_EQ(redirection.error, ENOMEM);
    CHECK(icegil::still_ours(redirection));
    CHECK_EQ(icegil::undo(redirection).restored, 3U);
}

void code_in_the_page_of_a_slot_goes_on_running(const char* /*path*/) {
    const Pages pages(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    unsigned char* const code = pages.bytes + pages.size + 64;
#if defined(__x86_64__)
    const unsigned char ret[] = {0xc3};
#else
    const unsigned char ret[] = {0xc0, 0x03, 0x5f, 0xd6};
#endif
    std::memcpy(code, ret, sizeof(ret));
    __builtin___clear_cache(reinterpret_cast<char*>(code), reinterpret_cast<char*>(code) + sizeof(ret));
    CHECK_EQ(mprotect(pages.bytes + pages.size, pages.size, PROT_READ | PROT_EXEC), 0);
    std::atomic<long> runs{0};
    std::atomic<bool> is_over{false};
    std::thread runner([&] {
        for (; !is_over.load(); ++runs) reinterpret_cast<void (*)()>(code)();
    });
    for (int flip = 0; flip < 100; ++flip) {
        for (const long before = runs.load(); runs.load() == before;) std::this_thread::yield();
        Redirection redirection = icegil::redirect(pages.object, "answer", address(&diverted));
        CHECK(redirection.outcome == RedirectOutcome::done);
        CHECK_EQ(icegil::undo(redirection).restored, 3U);
    }
    is_over.store(true);
    runner.join();
}

void undo_touches_nothing_that_is_not_mapped(const char* /*path*/) {
    const Pages pages(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    Redirection redirection = icegil::redirect(pages.object, "answer", address(&diverted));
    CHECK(redirection.outcome == RedirectOutcome::done);
    CHECK_EQ(munmap(pages.bytes + pages.size, pages.size), 0);
    const auto undone = icegil::undo(redirection);
    CHECK(undone.outcome == RedirectOutcome::not_permitted);
    CHECK_EQ(undone.error, EFAULT);
    CHECK_EQ(undone.restored, 0U);
    CHECK_EQ(redirection.slots.size(), 3U);
}

const std::map<std::string, void (*)(const char*)> cases{
#define CASE(name) {#name, name}
    CASE(lists_slots),
    CASE(diverts_every_way_and_gives_it_back),
    CASE(leaves_a_variable_that_points_elsewhere),
    CASE(leaves_what_somebody_else_wrote_since),
    CASE(every_call_of_a_storm_lands_in_exactly_one),
    CASE(finds_objects_and_what_they_need),
    CASE(says_why_not),
    CASE(knows_a_function_that_only_the_library_sees),
    CASE(diverts_a_function_that_the_library_has_itself),
    CASE(gives_back_a_function_of_its_own_to_a_library_that_prefers_it),
    CASE(original_is_never_the_way_through_the_slot),
    CASE(pages_are_left_as_they_were),
    CASE(nothing_is_written_when_a_page_cannot_be_opened),
    CASE(a_page_that_cannot_be_closed_again_is_told),
    CASE(code_in_the_page_of_a_slot_goes_on_running),
    CASE(undo_touches_nothing_that_is_not_mapped),
#undef CASE
};

}  // namespace

int main(int argc, char** argv) {
    const auto found = cases.find(argc == 3 ? argv[1] : "");
    if (found == cases.end()) {
        std::fputs("usage: test_redirect CASE LIBRARY\n", stderr);
        return 2;
    }
    found->second(argv[2]);
    if (found->first != "lists_slots") std::printf("ok %s\n", found->first.c_str());
    return 0;
}
