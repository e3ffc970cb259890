// Every input the fuzzers have kept, and those that once broke something, in every run of the
// tests.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/catch.h"
#include "tests/fuzz/targets.h"

namespace guantong::fuzz {
namespace {

TEST_CASE("what the fuzzers have found stays found") {
  for (const Target& target : Targets()) {
    const std::filesystem::path folder =
        std::filesystem::path(GUANTONG_SOURCE_DIR) / "tests/fuzz/corpus" / std::string(target.name);
    REQUIRE(std::filesystem::is_directory(folder));
    std::set<std::filesystem::path> files;
    for (const auto& file : std::filesystem::directory_iterator(folder)) files.insert(file.path());
    REQUIRE(!files.empty());
    for (const std::filesystem::path& file : files) {
      INFO(file.string());
      std::ifstream in(file, std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(in), {}};
      target.run(input);
    }
  }
}

}  // namespace
}  // namespace guantong::fuzz
