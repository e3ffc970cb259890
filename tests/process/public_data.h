// The public inputs beside the project, which are no part of it: tests on them are skipped where
// they are absent.
#ifndef GUANTONG_TESTS_PROCESS_PUBLIC_DATA_H_
#define GUANTONG_TESTS_PROCESS_PUBLIC_DATA_H_

#include <cstdlib>
#include <filesystem>
#include <string>

namespace guantong::test {

// A file or folder below GUANTONG_DATA, by default ../shared/data beside the project; empty when
// absent.
inline std::string PublicData(const std::string& name) {
  const char* set = std::getenv("GUANTONG_DATA");
  const std::filesystem::path folder =
      set != nullptr ? std::filesystem::path(set)
                     : std::filesystem::path(GUANTONG_SOURCE_DIR) / "../shared/data";
  const std::filesystem::path path = folder / name;
  return std::filesystem::exists(path) ? path.lexically_normal().string() : "";
}

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_PROCESS_PUBLIC_DATA_H_
