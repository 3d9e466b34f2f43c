// Checks for the native tests: the first one that fails says where and what, and ends the process.
//
// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <type_traits>

namespace check {

// `_Exit`, from whichever thread: destructors and exit handlers would run beside the other threads of a test.
[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
    std::fflush(stderr);
    std::_Exit(1);
}

template <class T>
std::string show(const T& value) {
    std::ostringstream text;
    if constexpr (std::is_enum_v<T>) {
        text << +static_cast<std::underlying_type_t<T>>(value);
    } else {
        text << std::boolalpha << value;
    }
    return text.str();
}

template <class A, class B>
bool equal(const A& a, const B& b) {
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
        using Common = std::common_type_t<A, B>;  // a count compares with a plain literal, without a warning
        return static_cast<Common>(a) == static_cast<Common>(b);
    } else {
        return a == b;
    }
}

template <class A, class B>
void expect_equal(const A& a, const B& b, const char* expression, const char* file, int line) {
    if (!equal(a, b)) {
        fail(file, line, std::string("CHECK_EQ(") + expression + "): " + show(a) + " != " + show(b));
    }
}

}  // namespace check

#define CHECK(cond)                                                \
    do {                                                           \
        if (!(cond)) {                                             \
            ::check::fail(__FILE__, __LINE__, "CHECK(" #cond ")"); \
        }                                                          \
    } while (false)

#define CHECK_EQ(a, b) ::check::expect_equal((a), (b), #a ", " #b, __FILE__, __LINE__)
