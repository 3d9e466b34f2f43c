// The first distinct addresses that something was seen at, each once.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace icegil {

/// For one thread at a time. Constant-initialised; does not allocate.
class Places {
public:
    static constexpr std::size_t most = 64;

    /// Keeps `place` if it is new and there is room.
    void note(const void* place) noexcept {
        if (std::find(begin(), end(), place) == end() && count_ < most) {
            places_[count_++] = place;
        }
    }

    [[nodiscard]] const void* const* begin() const noexcept { return places_.data(); }
    [[nodiscard]] const void* const* end() const noexcept { return places_.data() + count_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] const void* operator[](std::size_t index) const noexcept { return places_[index]; }

private:
    std::array<const void*, most> places_{};
    std::size_t count_ = 0;
};

}  // namespace icegil
