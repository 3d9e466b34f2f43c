// A library that the victim alone is linked to: the test program does not see this function.
//
// SPDX-License-Identifier: GPL-2.0-or-later
extern "C" int hidden_answer(int question) { return question + 2; }
