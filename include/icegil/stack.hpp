// What is on the calling thread's stack: code of certain loaded objects, or certain functions.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unwind.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "loaded_object.hpp"

namespace icegil {

namespace stack_detail {

template <class Predicate>
struct Search {
    Predicate& is_wanted;
    bool is_found = false;
};

/// Whether `is_wanted` of a frame, asked from the innermost outwards. No lock but the loader's, which nobody holds for
/// long; what was compiled without unwind tables ends the walk.
template <class Predicate>
bool any_frame(Predicate is_wanted) noexcept {
    Search<Predicate> search{is_wanted};
    _Unwind_Backtrace(
        [](_Unwind_Context* frame, void* argument) {
            auto& search = *static_cast<Search<Predicate>*>(argument);
            search.is_found = search.is_wanted(frame);
            return search.is_found ? _URC_NORMAL_STOP : _URC_NO_REASON;
        },
        &search);
    return search.is_found;
}

/// An address inside the call that the frame is in: the return address may be the next function's.
inline std::uintptr_t call_in(_Unwind_Context* frame) noexcept {
    const std::uintptr_t address = _Unwind_GetIP(frame);
    return address == 0 ? 0 : address - 1;
}

}  // namespace stack_detail

/// Whether the calling thread came through code of one of these objects. Whoever asks is in one of them itself: the
/// innermost frames that are do not count.
[[nodiscard]] inline bool came_through(const std::vector<LoadedObject>& objects) noexcept {
    bool is_outside = false;
    return stack_detail::any_frame([&](_Unwind_Context* frame) {
        const std::uintptr_t address = stack_detail::call_in(frame);
        const bool is_in = std::any_of(objects.begin(), objects.end(), [&](const auto& o) { return o.holds(address); });
        is_outside = is_outside || !is_in;
        return is_outside && is_in;
    });
}

/// Whether one of these functions is on the calling thread's stack. They may be in any object.
[[nodiscard]] inline bool is_on_stack(const std::vector<const void*>& functions) noexcept {
    return stack_detail::any_frame([&](_Unwind_Context* frame) {
        auto* const address = reinterpret_cast<void*>(stack_detail::call_in(frame));
        const void* const function = address == nullptr ? nullptr : _Unwind_FindEnclosingFunction(address);
        return function != nullptr && std::find(functions.begin(), functions.end(), function) != functions.end();
    });
}

}  // namespace icegil
