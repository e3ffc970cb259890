#include "node/round.h"

#include <string>

#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("Work put off is done once at the end of the outermost round, what it puts off as well") {
  std::string done;
  const int a = 0, b = 0, c = 0;
  const auto put_off = [&done](const int* who, const char* word) {
    return Round::PutOff(who, [&done, word] { done += word; });
  };
  {
    const Round outer;
    CHECK(put_off(&a, "a"));
    {
      const Round inner;
      CHECK(put_off(&b, "b"));
      CHECK(put_off(&a, "again"));
    }
    CHECK(done.empty());
    CHECK(Round::PutOff(&c, [&] {
      done += "c";
      put_off(&a, "later");
    }));
  }
  CHECK(done == "abclater");
  CHECK_FALSE(put_off(&a, "no round"));
  CHECK(done == "abclater");
}

}  // namespace
}  // namespace guantong
