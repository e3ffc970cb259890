// What work costs, in instructions: they are the same on every machine and at every load, so a slip
// shows where times would not.
#ifndef GUANTONG_TESTS_UNIT_INSTRUCTIONS_H_
#define GUANTONG_TESTS_UNIT_INSTRUCTIONS_H_

#include <cstdint>
#include <string>

namespace guantong::test {

// Why they cannot be counted here; empty: they can.
std::string CannotCountInstructions();

// Within guantong::`function`, which is not inlined and has external linkage, while the hidden test
// case of this program runs under valgrind; -1 where that says nothing.
int64_t InstructionsOf(const std::string& function, const std::string& test_case);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_UNIT_INSTRUCTIONS_H_
