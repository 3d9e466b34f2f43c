// What is left of redirecting where it is impossible: the same names, and the one answer. Built as if for such a
// platform, with -U__ELF__.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>

#include "check.hpp"
#include "icegil/redirect.hpp"

int main() {
    static_assert(!icegil::redirect_supported);
    CHECK(icegil::loaded_objects().empty());
    CHECK(!icegil::object_containing(stdout).has_value());
    const icegil::LoadedObject object;
    CHECK(icegil::needed_objects(object).empty());
    CHECK(icegil::find_import(object, "answer").outcome == icegil::RedirectOutcome::unsupported);
    auto redirection = icegil::redirect(object, "answer", nullptr);
    CHECK(redirection.outcome == icegil::RedirectOutcome::unsupported);
    CHECK(!icegil::still_ours(redirection));
    CHECK(icegil::undo(redirection).outcome == icegil::RedirectOutcome::unsupported);
    std::puts("ok unsupported");
    return 0;
}
