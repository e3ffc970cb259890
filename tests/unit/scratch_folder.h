// A folder of its own for one test, gone with it.
#ifndef GUANTONG_TESTS_UNIT_SCRATCH_FOLDER_H_
#define GUANTONG_TESTS_UNIT_SCRATCH_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "catalog/base/status.h"

namespace guantong {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "guantong_XXXXXX").string();
    GT_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_SCRATCH_FOLDER_H_
