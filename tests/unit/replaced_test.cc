#include "catalog/base/replaced.h"

#include <cstdlib>

#include "tests/catch.h"

// As the library has it; nobody in this program minds that it is called here first.
extern "C" int rand_r(unsigned int* seed) {
  using Function = int (*)(unsigned int*);
  static const auto own = reinterpret_cast<Function>(guantong::Replaced("rand_r"));
  return own(seed);
}

namespace guantong {
namespace {

TEST_CASE("replaced: what is defined here and in a library, and nothing else") {
  CHECK(IsReplaced("rand_r"));
  CHECK_FALSE(IsReplaced("strtoull"));                          // the library's alone
  CHECK_FALSE(IsReplaced("guantong_has_no_function_of_this"));  // nobody's
  CHECK(Replaced("guantong_has_no_function_of_this") == nullptr);
  unsigned int seed = 7;
  CHECK(rand_r(&seed) >= 0);
}

}  // namespace
}  // namespace guantong
