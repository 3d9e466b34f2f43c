// The reader of an object's tables on damaged ELF files: nothing outside the segments is touched, and nothing but slots
// is written. Two drivers: libFuzzer (-DWITH_LIBFUZZER), or the mutator below, which every compiler has and which does
// the same each time for the same seed.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <sanitizer/asan_interface.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "icegil/redirect.hpp"

namespace {

/// Unlike the checks of the other tests by abort(), at which either driver saves the input.
void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

using Bytes = std::vector<unsigned char>;

constexpr std::size_t largest = std::size_t{1} << 20;

/// A file as the loader would have mapped it: one piece of memory, of which all but the segments is poisoned.
/// The program headers are taken as they are: ld.so has mapped what they say before anybody else can look.
class Mapped {
public:
    Mapped(const unsigned char* file, std::size_t size) {
        Elf64_Ehdr header;
        if (size < sizeof header) return;
        std::memcpy(&header, file, sizeof header);
        for (std::size_t i = 0; i < std::min<std::size_t>(header.e_phnum, 16); ++i) {
            const std::size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
            if (at > size || size - at < sizeof(Elf64_Phdr)) break;
            headers_.emplace_back();
            std::memcpy(&headers_.back(), file + at, sizeof(Elf64_Phdr));
        }
        std::size_t end = 0;
        for (const auto& each : headers_) {
            if (each.p_type != PT_LOAD) continue;
            if (each.p_vaddr > largest || each.p_memsz > largest || each.p_filesz > each.p_memsz) return;
            if (each.p_offset > size || each.p_filesz > size - each.p_offset) return;
            end = std::max<std::size_t>(end, each.p_vaddr + each.p_memsz);
        }
        size_ = (end + 7) / 8 * 8;  // poison has the grain of eight bytes
        memory_ = std::make_unique<std::uint64_t[]>(size_ / 8);
        ASAN_POISON_MEMORY_REGION(memory_.get(), size_);
        for (const auto& each : headers_) {
            if (each.p_type != PT_LOAD) continue;
            ASAN_UNPOISON_MEMORY_REGION(begin() + each.p_vaddr, each.p_memsz);
            std::memcpy(begin() + each.p_vaddr, file + each.p_offset, each.p_filesz);
        }
        for (const auto& each : headers_) {
            if (each.p_type == PT_LOAD && (each.p_flags & PF_R) == 0) {
                ASAN_POISON_MEMORY_REGION(begin() + each.p_vaddr, each.p_memsz);
            }
        }
        for (const auto& each : headers_) {  // overlapping ones: readable is readable
            if (each.p_type == PT_LOAD && (each.p_flags & PF_R) != 0) {
                ASAN_UNPOISON_MEMORY_REGION(begin() + each.p_vaddr, each.p_memsz);
            }
        }
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    ~Mapped() {
        if (size_ != 0) ASAN_UNPOISON_MEMORY_REGION(memory_.get(), size_);
    }

    /// Whether ld.so would have mapped it too.
    [[nodiscard]] bool is_mapped() const { return size_ != 0; }

    [[nodiscard]] dl_phdr_info info() const {
        dl_phdr_info info{};
        info.dlpi_addr = reinterpret_cast<std::uintptr_t>(memory_.get());
        info.dlpi_name = "damaged";
        info.dlpi_phdr = headers_.data();
        info.dlpi_phnum = static_cast<Elf64_Half>(headers_.size());
        return info;
    }

    /// The words of the segments, as they are now.
    [[nodiscard]] std::vector<std::uint64_t> words(const icegil::LoadedObject& object) const {
        std::vector<std::uint64_t> words(size_ / 8);
        for (std::size_t i = 0; i < words.size(); ++i) {
            const auto* word = memory_.get() + i;
            if (object.holds(reinterpret_cast<std::uintptr_t>(word), 8)) words[i] = *word;
        }
        return words;
    }

private:
    [[nodiscard]] unsigned char* begin() const { return reinterpret_cast<unsigned char*>(memory_.get()); }

    std::vector<Elf64_Phdr> headers_;
    std::unique_ptr<std::uint64_t[]> memory_;
    std::size_t size_ = 0;
};

/// How far inputs came.
struct Tally {
    unsigned long inputs = 0, damaged = 0, with_slots = 0;
} tally;

void replacement() {}

void read_and_redirect(const unsigned char* file, std::size_t size) {
    ++tally.inputs;
    const Mapped mapped(file, size);
    if (!mapped.is_mapped()) return;
    const dl_phdr_info info = mapped.info();
    const icegil::LoadedObject object = icegil::described(info);
    (void)icegil::needed_objects(object);
    auto before = mapped.words(object);
    auto redirection = icegil::redirect(object, "answer", reinterpret_cast<void*>(&replacement));
    if (redirection.outcome == icegil::RedirectOutcome::damaged) {
        ++tally.damaged;
        expect(redirection.slots.empty(), "of damaged tables no slot is written");
    }
    if (!redirection.slots.empty()) ++tally.with_slots;
    for (const auto& slot : redirection.slots) {
        expect(object.holds(slot.address, sizeof(void*)), "slots are inside the segments");
        before[(slot.address - object.base) / 8] = reinterpret_cast<std::uintptr_t>(&replacement);
    }
    expect(mapped.words(object) == before, "slots alone are written");
    for (const auto& slot : redirection.slots) before[(slot.address - object.base) / 8] = slot.previous;
    expect(icegil::undo(redirection).not_ours == 0, "undo finds what redirect wrote");
    expect(mapped.words(object) == before, "undo puts back what redirect found");
}

}  // namespace

/// What the damaged libraries import.
extern "C" int answer(int question) { return question + 1; }

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* file, std::size_t size) {
    read_and_redirect(file, size);
    return 0;
}

#ifndef WITH_LIBFUZZER

namespace {

Bytes current;

/// Where the input that broke something is found afterwards.
void save_current() {
    std::ofstream("crash-input.so", std::ios::binary)
        .write(reinterpret_cast<const char*>(current.data()), static_cast<std::streamsize>(current.size()));
}

/// Some words replaced, mostly among those that mean something: the headers, the dynamic section, the tables; mostly by
/// what could be meant: another word of the file, or one nearby.
Bytes damaged(Bytes bytes, std::mt19937_64& random) {
    std::vector<std::size_t> telling;  // offsets of words that are not zero
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, &bytes[at], 8);
        if (word != 0) telling.push_back(at);
    }
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
        const std::size_t at = telling[random() % telling.size()];
        std::uint64_t value = 0;
        std::memcpy(&value, &bytes[random() % 2 == 0 ? at : telling[random() % telling.size()]], 8);
        switch (random() % 6) {
            case 0: value = random() >> (random() % 64); break;
            case 1: value += random() % 33 - 16; break;
            case 2: value ^= std::uint64_t{1} << (random() % 64); break;
            case 3: value = ~std::uint64_t{0} - random() % 16; break;
            case 4: value = random() % (2 * bytes.size()); break;
            default: break;
        }
        std::memcpy(&bytes[at], &value, random() % 4 == 0 ? 4 : 8);
    }
    if (random() % 20 == 0) bytes.resize(random() % bytes.size());
    return bytes;
}

}  // namespace

/// Arguments: how many inputs, the seed, and the libraries that are damaged.
int main(int count, char** words) {
    std::vector<Bytes> corpus;
    for (int i = 3; i < count; ++i) {
        std::ifstream file(words[i], std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
        read_and_redirect(corpus.back().data(), corpus.back().size());
    }
    expect(tally.with_slots == corpus.size(), "the undamaged libraries have slots");
    __asan_set_death_callback(save_current);
    std::signal(SIGABRT, [](int) { save_current(); });
    std::mt19937_64 random(std::strtoull(words[2], nullptr, 10));
    for (auto left = std::strtoull(words[1], nullptr, 10); left > 0; --left) {
        current = damaged(corpus[random() % corpus.size()], random);
        read_and_redirect(current.data(), current.size());
    }
    std::printf("%lu inputs, %lu damaged, %lu with slots\n", tally.inputs, tally.damaged, tally.with_slots);
    return 0;
}

#endif
