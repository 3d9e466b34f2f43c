// A library that reaches the imported function `answer` in the ways that its variant asks for.
//
// SPDX-License-Identifier: GPL-2.0-or-later
extern "C" {

#ifdef DEFINES_ANSWER
[[gnu::noinline]] int answer(int question) { return question + 3; }
#else
int answer(int question);
#endif

int victim_call(int question) { return answer(question); }

#ifdef TAKES_ADDRESS
using Answer = int(int);
Answer* victim_address() { return &answer; }
#endif

#ifdef HAS_POINTERS
extern int (*const victim_constant)(int);
extern const char* const victim_inside;
extern int* const victim_relative;

int victim_number = 0;
int (*victim_variable)(int) = answer;
int (*const victim_constant)(int) = answer;
const char* const victim_inside = reinterpret_cast<const char*>(answer) + 8;  // an addend: not the function
int* const victim_relative = &victim_number;
#endif

#ifdef CALLS_HIDDEN
int hidden_answer(int question);
int victim_call_hidden(int question) { return hidden_answer(question); }
#endif

#ifdef IMPORTS_WEAKLY
[[gnu::weak]] int nobody_has_this(int question);
int victim_call_weak(int question) { return nobody_has_this != nullptr ? nobody_has_this(question) : -1; }
#endif

}  // extern "C"
