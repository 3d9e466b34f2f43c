// What the list of places promises: each once, in the order in which they came, and no more than there is room for.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include "icegil/places.hpp"

#include <vector>

#include "check.hpp"

int main() {
    icegil::Places places;
    CHECK(places.begin() == places.end());
    std::vector<char> code(icegil::Places::most + 10);
    for (int pass = 0; pass < 2; ++pass) {
        for (const char& place : code) {
            places.note(&place);
        }
    }
    CHECK_EQ(places.count(), icegil::Places::most);
    for (std::size_t i = 0; i < places.count(); ++i) {
        CHECK(places[i] == &code[i]);
    }
}
