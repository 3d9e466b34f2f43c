// Point one loaded object's imported function at another, and back.
//
// Another address in the slots of one object (loaded_object.hpp says what those are) diverts that object's calls and
// nobody else's.
//
// Threads: everything may be called from any thread, redirect() and undo() from one at a time: the caller sees to that.
// Others may be calling through the slots all the while: each call reaches either the old function or the new one.
// Failure: nothing throws, an outcome says what was in the way; without memory the process ends.
// Lifetime: an object must stay loaded for as long as anything below speaks of it.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "loaded_object.hpp"

#if ICEGIL_REDIRECT_SUPPORTED
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <utility>
#endif

namespace icegil {

/// Whether this platform can redirect. Where it cannot, all below compiles, finds nothing and answers `unsupported`.
inline constexpr bool redirect_supported = ICEGIL_REDIRECT_SUPPORTED != 0;

enum class RedirectOutcome {
    done,
    unsupported,    // not on this platform
    not_imported,   // the object has no slot for that name
    damaged,        // the object's tables point outside the object
    no_original,    // no function of that name is to be found (a weak import that was left null)
    not_permitted,  // a slot's page could not be opened, or not closed again: `error` is the errno
};

/// The slots of one name in one object, and the function that they stand for.
struct Import {
    RedirectOutcome outcome = RedirectOutcome::unsupported;
    void* original = nullptr;
    std::vector<Slot> slots;
};

/// What redirect() did, and all that undo() needs. `slots` are those that were written.
struct Redirection {
    RedirectOutcome outcome = RedirectOutcome::unsupported;
    int error = 0;
    void* original = nullptr;
    void* replacement = nullptr;
    std::vector<Slot> slots;
};

struct Undone {
    RedirectOutcome outcome = RedirectOutcome::unsupported;
    int error = 0;
    std::size_t restored = 0;
    std::size_t not_ours = 0;  // somebody else had written there since: left as found
};

/// Where `object` keeps the imported function `name`, whatever its symbol version, and the function itself (unless the
/// caller gives it). Writes nothing. A replacement that calls the original asks here first: threads may be in the
/// replacement before redirect() returns.
[[nodiscard]] Import find_import(const LoadedObject& object, const char* name, void* original = nullptr) noexcept;

/// Makes every slot of `name` in `object` hold `replacement`. Unless the outcome is `done`, no slot was written; only
/// when a page could not be closed again are there `slots` beside a `not_permitted`.
/// One thing can undo it unasked: another thread just binding a lazily bound slot at its first call. ld.so stores what
/// it found without a second look. still_ours() tells, and redirecting once more mends it.
[[nodiscard]] Redirection redirect(const LoadedObject& object, const char* name, void* replacement,
                                   void* original = nullptr) noexcept;

/// Puts back what the slots held (the original, where nothing was bound yet), if they still hold the replacement.
/// Empties `redirection`, unless a page could not be opened: then nothing was written, and one may try again. Threads
/// may be inside the replacement for some time after.
Undone undo(Redirection& redirection) noexcept;

/// Whether every slot of a redirection still holds the replacement; false if there are none. Reads memory only.
[[nodiscard]] bool still_ours(const Redirection& redirection) noexcept;

#if ICEGIL_REDIRECT_SUPPORTED

namespace redirect_detail {

inline std::uintptr_t* word(const Slot& slot) noexcept { return reinterpret_cast<std::uintptr_t*>(slot.address); }

/// Whether this is an executable's PLT entry, which leads back through the executable's slot: redirect that slot, and a
/// replacement that calls the entry calls itself. An executable that is not position-independent gives its entry out as
/// the function's address, to the whole process and to dlsym. Its symbol then has an address but no section.
inline bool is_plt_entry(void* function) noexcept {
    Dl_info info;
    void* symbol = nullptr;
    return dladdr1(function, &info, &symbol, RTLD_DL_SYMENT) != 0 && symbol != nullptr &&
           static_cast<const Elf64_Sym*>(symbol)->st_shndx == SHN_UNDEF;
}

/// A jump slot that has not been called through yet points back into its own object, at the code that binds it.
inline bool is_unbound(const LoadedObject& object, const Slot& slot, std::uintptr_t value) noexcept {
    return slot.kind == SlotKind::jump_slot && object.holds(value);
}

/// The function that a name stands for: what this library would call itself, else what the next one would, else what
/// the loader has bound the object to already (it may see functions of libraries that others do not).
inline void* find_original(const LoadedObject& object, const char* name, const std::vector<Slot>& slots) noexcept {
    for (void* scope : {RTLD_DEFAULT, RTLD_NEXT}) {
        void* found = dlsym(scope, name);
        if (found != nullptr && !is_plt_entry(found)) return found;
    }
    for (const Slot& slot : slots) {
        const std::uintptr_t value = __atomic_load_n(word(slot), __ATOMIC_ACQUIRE);
        void* found = reinterpret_cast<void*>(value);
        if (slot.kind == SlotKind::pointer || is_unbound(object, slot, value) || is_plt_entry(found)) continue;
        if (found != nullptr) return found;
    }
    return nullptr;
}

/// The read-only pages (RELRO mostly) around some slots, writable from open() to close(). Errors are errno, 0 is none.
/// What they were is asked of the kernel, not worked out from PT_GNU_RELRO: ld.so rounds that to whole pages, and
/// others may have been here. The right to write is added, not put in place of the others: code may run in the page.
class WritablePages {
public:
    int open(const std::vector<Slot>& slots) {
        std::ifstream maps("/proc/self/maps");
        if (!maps.is_open()) return ENOENT;
        std::size_t located = 0;
        AddressRange mapping;
        char dash = '-';
        std::string rights;
        std::string rest;
        while (maps >> std::hex >> mapping.begin >> dash >> mapping.end >> rights && std::getline(maps, rest)) {
            for (const Slot& slot : slots) {
                if (slot.address < mapping.begin || slot.address >= mapping.end) continue;
                ++located;
                if (rights[1] != 'w') add(slot, rights);
            }
        }
        if (located != slots.size()) return EFAULT;
        for (; opened_ < pages_.size(); ++opened_) {
            if (const int error = protect(pages_[opened_], PROT_WRITE)) {
                close();
                return error;
            }
        }
        return 0;
    }

    int close() noexcept {
        int first_error = 0;
        while (opened_ > 0) {
            const int error = protect(pages_[--opened_], 0);
            if (first_error == 0) first_error = error;
        }
        return first_error;
    }

private:
    struct Page {
        std::uintptr_t address;
        int protection;
    };

    void add(const Slot& slot, const std::string& rights) {
        const std::uintptr_t address = slot.address & ~(page_size_ - 1);
        const auto is_there = [address](const Page& page) { return page.address == address; };
        if (std::any_of(pages_.begin(), pages_.end(), is_there)) return;
        pages_.push_back({address, (rights[0] == 'r' ? PROT_READ : 0) | (rights[2] == 'x' ? PROT_EXEC : 0)});
    }

    [[nodiscard]] int protect(const Page& page, int added) const noexcept {
        return mprotect(reinterpret_cast<void*>(page.address), page_size_, page.protection | added) == 0 ? 0 : errno;
    }

    const std::uintptr_t page_size_ = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    std::vector<Page> pages_;
    std::size_t opened_ = 0;
};

}  // namespace redirect_detail

inline Import find_import(const LoadedObject& object, const char* name, void* original) noexcept {
    DynamicSection dynamic(object);
    std::vector<Slot> slots = dynamic.slots(name);
    if (dynamic.damaged()) return {RedirectOutcome::damaged, nullptr, {}};
    if (slots.empty()) return {RedirectOutcome::not_imported, nullptr, {}};
    if (original == nullptr) original = redirect_detail::find_original(object, name, slots);
    if (original == nullptr) return {RedirectOutcome::no_original, nullptr, {}};
    // A variable that has been made to point elsewhere since the object was loaded stays as it is.
    const auto is_elsewhere = [original](const Slot& slot) {
        const std::uintptr_t value = __atomic_load_n(redirect_detail::word(slot), __ATOMIC_ACQUIRE);
        return slot.kind == SlotKind::pointer && value != reinterpret_cast<std::uintptr_t>(original);
    };
    slots.erase(std::remove_if(slots.begin(), slots.end(), is_elsewhere), slots.end());
    return {slots.empty() ? RedirectOutcome::not_imported : RedirectOutcome::done, original, std::move(slots)};
}

inline Redirection redirect(const LoadedObject& object, const char* name, void* replacement, void* original) noexcept {
    Import found = find_import(object, name, original);
    // The slots alone knew the function, and they are redirected already: the replacement would call itself.
    if (found.original == replacement) found.outcome = RedirectOutcome::no_original;
    if (found.outcome != RedirectOutcome::done) return {found.outcome, 0, found.original, replacement, {}};
    redirect_detail::WritablePages pages;
    if (const int error = pages.open(found.slots)) {
        return {RedirectOutcome::not_permitted, error, found.original, replacement, {}};
    }
    for (Slot& slot : found.slots) {
        const auto value = reinterpret_cast<std::uintptr_t>(replacement);
        slot.previous = __atomic_exchange_n(redirect_detail::word(slot), value, __ATOMIC_ACQ_REL);
        // Undone, an unbound slot is left bound: unbound again, the next call would have ld.so write to it once more,
        // maybe over the next redirection.
        if (!slot.defined_here && redirect_detail::is_unbound(object, slot, slot.previous)) {
            slot.previous = reinterpret_cast<std::uintptr_t>(found.original);
        }
    }
    const int error = pages.close();
    const auto outcome = error == 0 ? RedirectOutcome::done : RedirectOutcome::not_permitted;
    return {outcome, error, found.original, replacement, std::move(found.slots)};
}

inline Undone undo(Redirection& redirection) noexcept {
    redirect_detail::WritablePages pages;
    if (const int error = pages.open(redirection.slots)) return {RedirectOutcome::not_permitted, error, 0, 0};
    Undone undone;
    for (const Slot& slot : redirection.slots) {
        auto expected = reinterpret_cast<std::uintptr_t>(redirection.replacement);
        const bool was_ours = __atomic_compare_exchange_n(redirect_detail::word(slot), &expected, slot.previous, false,
                                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
        ++(was_ours ? undone.restored : undone.not_ours);
    }
    redirection.slots.clear();
    undone.error = pages.close();
    undone.outcome = undone.error == 0 ? RedirectOutcome::done : RedirectOutcome::not_permitted;
    return undone;
}

inline bool still_ours(const Redirection& redirection) noexcept {
    const auto ours = reinterpret_cast<std::uintptr_t>(redirection.replacement);
    const auto is_ours = [ours](const Slot& slot) {
        return __atomic_load_n(redirect_detail::word(slot), __ATOMIC_ACQUIRE) == ours;
    };
    return !redirection.slots.empty() && std::all_of(redirection.slots.begin(), redirection.slots.end(), is_ours);
}

#else

inline Import find_import(const LoadedObject& /*object*/, const char* /*name*/, void* /*original*/) noexcept {
    return {};
}
inline Redirection redirect(const LoadedObject& /*object*/, const char* /*name*/, void* /*replacement*/,
                            void* /*original*/) noexcept {
    return {};
}
inline Undone undo(Redirection& /*redirection*/) noexcept { return {}; }
inline bool still_ours(const Redirection& /*redirection*/) noexcept { return false; }

#endif  // ICEGIL_REDIRECT_SUPPORTED

}  // namespace icegil
