#include "catalog/base/node_path.h"

#include <string>

#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

NodePath Path(const char* text) { return NodePath::Parse(text).value(); }

TEST_CASE("paths are labels under a root") {
  CHECK(Path("").is_root());
  CHECK(Path("").depth() == 0);
  CHECK(Path("").Label() == "");
  CHECK(Path("").Parent().is_root());
  const NodePath city = Path("630000/630100-2");
  CHECK(city.depth() == 2);
  CHECK(city.Label() == "630100-2");
  CHECK(city.Parent() == Path("630000"));
  CHECK(city.Parent().Parent().is_root());
  CHECK(Path("").Child("630000").Child("630100-2") == city);
  CHECK(city.Ancestor(0).is_root());
  CHECK(city.Ancestor(1) == Path("630000"));
  CHECK(city.Ancestor(2) == city);
  CHECK(city.Ancestor(9) == city);
  CHECK(DisplayPath(city) == "/630000/630100-2");
  CHECK(DisplayPath(NodePath()) == "/");
}

TEST_CASE("a branch holds whole labels") {
  CHECK(Path("").Contains(Path("1/2")));
  CHECK(Path("1").Contains(Path("1")));
  CHECK(Path("1").Contains(Path("1/2")));
  CHECK_FALSE(Path("1").Contains(Path("10")));
  CHECK_FALSE(Path("1/2").Contains(Path("1")));
  CHECK_FALSE(Path("1").Contains(Path("")));
}

TEST_CASE("what is no path is refused") {
  for (const std::string text : {"/", "/1", "1/", "1//2", "A", "-1", "1.2", "1 ", "省", "1/..",
                                 "1#2", "1/2/3/4/5/6/7/8/9"}) {
    INFO(text);
    CHECK(DetailOf(NodePath::Parse(text).status()).reason == "path_malformed");
  }
  CHECK(NodePath::Parse("1/2/3/4/5/6/7/8").ok());
  CHECK(NodePath::Parse(std::string(32, 'a')).ok());
  CHECK_FALSE(NodePath::Parse(std::string(33, 'a')).ok());
}

}  // namespace
}  // namespace guantong
