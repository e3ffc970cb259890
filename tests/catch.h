// The one door to the test framework: tests include this header and never Catch itself, so that
// moving from v2 to v3 is a change of one line.
#pragma once

#include <catch2/catch.hpp>
#include <iostream>

// Ends the test as skipped: for what this machine cannot offer (a privilege, a data set, a second
// program). Catch2 v2 has no skip of its own; ctest recognises the printed line, provided nothing
// in the test failed. Use it in the body of a test, before the first check; `reason` is anything
// that can be streamed.
#define GUANTONG_SKIP(reason)                        \
  do {                                               \
    std::cout << "SKIPPED: " << reason << std::endl; \
    return;                                          \
  } while (false)
