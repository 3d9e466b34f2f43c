// The objects that the loader has mapped, and where each keeps the functions that it imports. ELF with glibc.
//
// An object reaches an imported function through slots: words in its data that the loader (ld.so) fills with the
// function's address. Which words, and for which name, the object's relocation tables say; they stay in memory.
//
// Threads: any. Nothing here is shared, and nothing is written.
// Failure: nothing throws (without memory the process ends). Damaged tables are told, never followed: not one byte
// outside an object's segments is read.
// Lifetime: what was noted of an object holds for as long as the object stays loaded.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#if defined(__linux__) && defined(__ELF__) && defined(__GLIBC__) && defined(__LP64__) && \
    (defined(__x86_64__) || defined(__aarch64__))
#define ICEGIL_REDIRECT_SUPPORTED 1
#include <link.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#else
#define ICEGIL_REDIRECT_SUPPORTED 0
#endif

namespace icegil {

struct AddressRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;  // one past the last
};

/// One object as the loader knew it when it was asked: names and addresses, no hold on the object itself.
struct LoadedObject {
    std::string path;                    // empty for the executable, as the loader has it
    std::string soname;                  // empty where there is none
    std::uintptr_t base = 0;             // turns an address in the file into one in memory
    std::vector<AddressRange> segments;  // what is mapped and readable
    AddressRange dynamic;                // the dynamic section

    [[nodiscard]] bool holds(std::uintptr_t address, std::size_t size = 1) const noexcept {
        for (const AddressRange& segment : segments) {
            if (segment.begin <= address && address <= segment.end && size <= segment.end - address) return true;
        }
        return false;
    }
};

enum class SlotKind {
    jump_slot,  // calls through the PLT; filled at the first call where the object is bound lazily
    glob_dat,   // calls without the PLT, and code that asks for the function's address
    pointer,    // a variable or table that starts out with the function's address (R_X86_64_64, R_AARCH64_ABS64)
};

struct Slot {
    std::uintptr_t address = 0;
    SlotKind kind = SlotKind::jump_slot;
    bool defined_here = false;    // the object has such a function itself and would let another object's go first
    std::uintptr_t previous = 0;  // what undo() puts back; redirect() notes it here
};

/// Every object loaded now, in the loader's order, the executable first; empty where unsupported. Waits for the lock
/// that dlopen takes, so never from a dl_iterate_phdr callback; nor may the next two.
[[nodiscard]] std::vector<LoadedObject> loaded_objects() noexcept;

/// The object that has `address` in one of its segments: a function, a variable, or `l_ld` of a link map entry.
/// Nothing if there is none.
[[nodiscard]] std::optional<LoadedObject> object_containing(const void* address) noexcept;

/// The loaded objects that `object` itself names as needed (DT_NEEDED), in its order. Loads nothing: what is not loaded
/// is left out. Empty if the object's tables are damaged.
[[nodiscard]] std::vector<LoadedObject> needed_objects(const LoadedObject& object) noexcept;

#if ICEGIL_REDIRECT_SUPPORTED

/// An object's dynamic section and the tables that it names: a pure function of what stands in the object's segments.
/// It works like a stream: what would lie outside reads as zero and leaves it damaged(); no answer of it counts then.
class DynamicSection {
public:
    explicit DynamicSection(const LoadedObject& object) : object_(object) {
        for (std::uintptr_t at = object.dynamic.begin; at < object.dynamic.end; at += sizeof(Elf64_Dyn)) {
            const auto entry = read<Elf64_Dyn>(at);
            if (entry.d_tag == DT_NULL) break;
            entries_.push_back(entry);
        }
        strings_ = table(DT_STRTAB, DT_STRSZ);
        if (strings_.begin != strings_.end && *text(strings_.end - 1) != '\0') {
            damaged_ = true;
            strings_ = {};
        }
    }

    [[nodiscard]] bool damaged() const { return damaged_; }

    /// The strings that the entries of one tag name (DT_NEEDED, DT_SONAME), in their order.
    std::vector<std::string> strings(std::int64_t tag) {
        std::vector<std::string> found;
        for (const auto& entry : entries_) {
            if (entry.d_tag == tag) found.emplace_back(string_at(entry.d_un.d_val));
        }
        return found;
    }

    /// The slots of one imported function, by address. A function that the object defines itself counts too where there
    /// are slots for it (inline functions of C++): calls go where the slot says, and the slot is what gets redirected.
    std::vector<Slot> slots(std::string_view name) {
        std::vector<Slot> found;
        collect<Elf64_Rela>(table(DT_RELA, DT_RELASZ), DT_RELAENT, name, found);
        collect<Elf64_Rel>(table(DT_REL, DT_RELSZ), DT_RELENT, name, found);
        if (value(DT_PLTREL) == DT_REL) {
            collect<Elf64_Rel>(table(DT_JMPREL, DT_PLTRELSZ), DT_RELENT, name, found);
        } else {
            collect<Elf64_Rela>(table(DT_JMPREL, DT_PLTRELSZ), DT_RELAENT, name, found);
        }
        // A slot can be listed twice: some linkers count DT_JMPREL in with DT_RELA (ld.so makes allowance for it too).
        std::sort(found.begin(), found.end(), [](const Slot& a, const Slot& b) { return a.address < b.address; });
        const auto is_same = [](const Slot& a, const Slot& b) { return a.address == b.address; };
        found.erase(std::unique(found.begin(), found.end(), is_same), found.end());
        return found;
    }

private:
    template <class T>
    T read(std::uintptr_t at) {
        T value{};
        if (object_.holds(at, sizeof(T))) {
            std::memcpy(&value, reinterpret_cast<const void*>(at), sizeof(T));
        } else {
            damaged_ = true;
        }
        return value;
    }

    /// The value of the entry with that tag, 0 without one: no size, offset or kind that is looked up here is ever 0.
    [[nodiscard]] std::uint64_t value(std::int64_t tag) const {
        const auto has_tag = [tag](const auto& entry) { return entry.d_tag == tag; };
        const auto entry = std::find_if(entries_.begin(), entries_.end(), has_tag);
        return entry == entries_.end() ? 0 : entry->d_un.d_val;
    }

    /// Where `size` bytes named by a pointer entry begin. In memory glibc has added the base to most such entries, but
    /// not where the dynamic section is read-only (the vdso); other loaders never add it.
    std::uintptr_t located(std::int64_t tag, std::size_t size) {
        const std::uintptr_t pointer = value(tag);
        for (const std::uintptr_t begin : {pointer, object_.base + pointer}) {
            if (pointer != 0 && object_.holds(begin, size)) return begin;
        }
        damaged_ = true;
        return 0;
    }

    AddressRange table(std::int64_t pointer_tag, std::int64_t size_tag) {
        const std::size_t size = value(size_tag);
        const std::uintptr_t begin = size == 0 ? 0 : located(pointer_tag, size);
        return begin == 0 ? AddressRange{} : AddressRange{begin, begin + size};
    }

    static const char* text(std::uintptr_t at) { return reinterpret_cast<const char*>(at); }

    /// Every string ends within the table: its last byte is zero.
    std::string_view string_at(std::size_t offset) {
        if (offset < strings_.end - strings_.begin) return text(strings_.begin + offset);
        damaged_ = true;
        return {};
    }

    bool is_string_at(std::size_t offset, std::string_view string) {
        const std::size_t size = strings_.end - strings_.begin;
        if (offset >= size) damaged_ = true;
        return offset < size && string.size() < size - offset &&
               std::memcmp(text(strings_.begin + offset), string.data(), string.size()) == 0 &&
               *text(strings_.begin + offset + string.size()) == '\0';
    }

    template <class Entry>
    void collect(AddressRange table, std::int64_t entry_size_tag, std::string_view name, std::vector<Slot>& found) {
        if (table.begin == table.end) return;
        const std::size_t stated_size = value(entry_size_tag);  // may be missing where DT_JMPREL is the only table
        const std::uintptr_t symbols = located(DT_SYMTAB, sizeof(Elf64_Sym));
        const bool is_whole = (table.end - table.begin) % sizeof(Entry) == 0;
        if (!is_whole || (stated_size != 0 && stated_size != sizeof(Entry))) damaged_ = true;
        for (std::uintptr_t at = table.begin; at < table.end && !damaged_; at += sizeof(Entry)) {
            Entry entry;
            std::memcpy(&entry, reinterpret_cast<const void*>(at), sizeof entry);  // table() has looked: it is there
            const std::optional<SlotKind> kind = slot_kind(entry);
            if (!kind) continue;
            // The length of the symbol table is written nowhere: its segment is the bound.
            const auto symbol = read<Elf64_Sym>(symbols + ELF64_R_SYM(entry.r_info) * sizeof(Elf64_Sym));
            if (!is_string_at(symbol.st_name, name)) continue;
            const std::uintptr_t address = object_.base + entry.r_offset;
            if (!object_.holds(address, sizeof(void*))) damaged_ = true;
            // A pointer in a packed structure may straddle two words: no single store changes it.
            if (address % sizeof(void*) == 0) found.push_back({address, *kind, symbol.st_shndx != SHN_UNDEF, 0});
        }
    }

    template <class Entry>
    static std::optional<SlotKind> slot_kind(const Entry& entry) {
#if defined(__x86_64__)
        constexpr auto jump_slot = R_X86_64_JUMP_SLOT, glob_dat = R_X86_64_GLOB_DAT, pointer = R_X86_64_64;
#else
        constexpr auto jump_slot = R_AARCH64_JUMP_SLOT, glob_dat = R_AARCH64_GLOB_DAT, pointer = R_AARCH64_ABS64;
#endif
        const auto type = ELF64_R_TYPE(entry.r_info);
        if (type == jump_slot) return SlotKind::jump_slot;
        if (type == glob_dat) return SlotKind::glob_dat;
        if (type == pointer && has_no_addend(entry)) return SlotKind::pointer;
        return std::nullopt;
    }

    /// With an addend a pointer points past the function. Asked of pointers alone: to a call an addend means nothing,
    /// and ld -z mark-plt keeps something else there.
    static bool has_no_addend(const Elf64_Rela& entry) { return entry.r_addend == 0; }

    /// Without a field for it, the addend stood in the slot until the loader wrote over it: no telling any more.
    static bool has_no_addend(const Elf64_Rel& /*entry*/) { return false; }

    const LoadedObject& object_;
    std::vector<Elf64_Dyn> entries_;
    AddressRange strings_;
    bool damaged_ = false;
};

/// An object by what the loader tells of it. To be called under the loader's lock: afterwards another thread may unload
/// the object. The program headers are taken at their word: the loader has mapped what they say.
inline LoadedObject described(const dl_phdr_info& info) noexcept {
    LoadedObject object;
    object.path = info.dlpi_name;
    object.base = info.dlpi_addr;
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& header = info.dlpi_phdr[i];
        const std::uintptr_t begin = object.base + header.p_vaddr;
        const AddressRange range{begin, begin + header.p_memsz};
        if (header.p_type == PT_LOAD && (header.p_flags & PF_R) != 0) object.segments.push_back(range);
        if (header.p_type == PT_DYNAMIC) object.dynamic = range;
    }
    DynamicSection dynamic(object);
    const std::vector<std::string> names = dynamic.strings(DT_SONAME);
    if (!dynamic.damaged() && !names.empty()) object.soname = names.front();
    return object;
}

inline std::vector<LoadedObject> loaded_objects() noexcept {
    std::vector<LoadedObject> objects;
    const auto note = [](dl_phdr_info* info, std::size_t /*size*/, void* out) noexcept {
        static_cast<std::vector<LoadedObject>*>(out)->push_back(described(*info));
        return 0;
    };
    dl_iterate_phdr(note, &objects);
    return objects;
}

inline std::vector<LoadedObject> needed_objects(const LoadedObject& object) noexcept {
    std::vector<LoadedObject> needed;
    DynamicSection dynamic(object);
    const std::vector<std::string> names = dynamic.strings(DT_NEEDED);
    if (dynamic.damaged()) return needed;
    const std::vector<LoadedObject> loaded = loaded_objects();
    for (const std::string& name : names) {
        const auto has_name = [&name](const LoadedObject& other) {
            return other.soname == name || other.path == name || other.path.substr(other.path.rfind('/') + 1) == name;
        };
        const auto found = std::find_if(loaded.begin(), loaded.end(), has_name);
        if (found != loaded.end()) needed.push_back(*found);
    }
    return needed;
}

#else

inline std::vector<LoadedObject> loaded_objects() noexcept { return {}; }
inline std::vector<LoadedObject> needed_objects(const LoadedObject& /*object*/) noexcept { return {}; }

#endif  // ICEGIL_REDIRECT_SUPPORTED

inline std::optional<LoadedObject> object_containing(const void* address) noexcept {
    for (LoadedObject& object : loaded_objects()) {
        if (object.holds(reinterpret_cast<std::uintptr_t>(address))) return std::move(object);
    }
    return std::nullopt;
}

}  // namespace icegil
