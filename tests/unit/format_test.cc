// The house style is what clang-format makes of our files with the project's settings.
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/catch.h"

namespace guantong {
namespace {

// What the command wrote, both streams; empty when it could not start.
std::string Run(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 4096> buffer;
  size_t n = 0;
  while ((n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) text.append(buffer.data(), n);
  pclose(pipe);
  return text;
}

TEST_CASE("every file is formatted") {
  if (Run("clang-format --version 2>/dev/null").empty())
    GUANTONG_SKIP("clang-format is not installed");
  const std::filesystem::path root = GUANTONG_SOURCE_DIR;
  std::string files;
  int count = 0;
  for (const char* folder : {"catalog", "relay", "node", "tests"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cc" && extension != ".h") continue;
      absl::StrAppend(&files, " '", entry.path().string(), "'");
      ++count;
    }
  }
  REQUIRE(count > 100);
  // The first line that differs in each file is enough to find it.
  CHECK(Run(absl::StrCat("clang-format --style=file --dry-run -ferror-limit=1", files, " 2>&1")) ==
        "");
}

}  // namespace
}  // namespace guantong
