// A made-up ELF object in memory, for what no linker makes: damaged tables, DT_REL, addends, slots on odd pages.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "icegil/loaded_object.hpp"

namespace elf_image {

#if defined(__x86_64__)
constexpr std::uint64_t kJumpSlot = R_X86_64_JUMP_SLOT, kGlobDat = R_X86_64_GLOB_DAT, kPointer = R_X86_64_64,
                        kRelative = R_X86_64_RELATIVE;
#else
constexpr std::uint64_t kJumpSlot = R_AARCH64_JUMP_SLOT, kGlobDat = R_AARCH64_GLOB_DAT, kPointer = R_AARCH64_ABS64,
                        kRelative = R_AARCH64_RELATIVE;
#endif

/// Imports `answer` (symbol 1) and `other` (symbol 2), needs libother.so, and calls itself libimage.so. Its one segment
/// is this structure, and addresses in its file are offsets in it, as in the dynamic section of a vdso.
struct Image {
    std::array<Elf64_Dyn, 20> dynamic{};
    std::array<Elf64_Sym, 3> symbols{};
    std::array<char, 48> strings{};
    std::array<Elf64_Rela, 4> rela{};
    std::array<Elf64_Rela, 2> plt{};
    std::array<Elf64_Rel, 2> rel{};
    std::array<std::uint64_t, 8> slots{};

    Image() {
        constexpr char text[] = "\0answer\0other\0libother.so\0libimage.so";
        std::memcpy(strings.data(), text, sizeof(text));
        symbols[1].st_name = 1;
        symbols[2].st_name = 8;
        std::size_t next = 0;
        const auto entry = [&](std::int64_t tag, std::uint64_t value) { dynamic[next++] = {tag, {value}}; };
        entry(DT_NEEDED, 14);
        entry(DT_SONAME, 26);
        entry(DT_STRTAB, offset_of(strings));
        entry(DT_STRSZ, sizeof(strings));
        entry(DT_SYMTAB, offset_of(symbols));
        entry(DT_SYMENT, sizeof(Elf64_Sym));
        entry(DT_RELA, offset_of(rela));
        entry(DT_RELASZ, sizeof(rela));
        entry(DT_RELAENT, sizeof(Elf64_Rela));
        entry(DT_JMPREL, offset_of(plt));
        entry(DT_PLTRELSZ, sizeof(plt));
        entry(DT_PLTREL, DT_RELA);
        entry(DT_REL, offset_of(rel));
        entry(DT_RELSZ, sizeof(rel));
        entry(DT_RELENT, sizeof(Elf64_Rel));
        rela[0] = relocation(kRelative, 0, 4);
        rela[1] = relocation(kGlobDat, 1, 1);
        rela[2] = relocation(kPointer, 1, 2);
        rela[3] = relocation(kGlobDat, 2, 5);
        plt[0] = relocation(kJumpSlot, 1, 0);
        plt[1] = relocation(kJumpSlot, 2, 6);
        rel[0] = {offset_of(slots) + 3 * sizeof(std::uint64_t), ELF64_R_INFO(1, kGlobDat)};
        rel[1] = {offset_of(slots) + 7 * sizeof(std::uint64_t), ELF64_R_INFO(2, kGlobDat)};
    }

    template <class Member>
    std::uint64_t offset_of(const Member& member) const {
        return reinterpret_cast<std::uintptr_t>(&member) - reinterpret_cast<std::uintptr_t>(this);
    }

    Elf64_Rela relocation(std::uint64_t type, std::uint64_t symbol, std::size_t slot, std::int64_t addend = 0) const {
        return {offset_of(slots) + slot * sizeof(std::uint64_t), ELF64_R_INFO(symbol, type), addend};
    }

    std::uint64_t& value(std::int64_t tag) {
        std::size_t i = 0;
        while (dynamic[i].d_tag != tag) ++i;
        return dynamic[i].d_un.d_val;
    }

    /// As if the object had no entry of that tag.
    void remove(std::int64_t tag) {
        for (auto& entry : dynamic) {
            if (entry.d_tag == tag) entry.d_tag = DT_DEBUG;
        }
    }
};

/// The object whose file begins with an image, and whose `size` bytes in memory begin at the image's copy there.
inline icegil::LoadedObject loaded(const void* image, std::size_t size = sizeof(Image)) {
    icegil::LoadedObject object;
    object.path = "image";
    object.base = reinterpret_cast<std::uintptr_t>(image);
    object.segments = {{object.base, object.base + size}};
    object.dynamic = {object.base, object.base + sizeof(Image::dynamic)};
    return object;
}

}  // namespace elf_image
