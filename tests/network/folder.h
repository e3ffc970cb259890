// A folder of a test's own, and what it may listen on.
#ifndef GUANTONG_TESTS_NETWORK_FOLDER_H_
#define GUANTONG_TESTS_NETWORK_FOLDER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace guantong::test {

// Removed with everything in it, unless GUANTONG_KEEP is set: then its path is printed instead.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  // Writes `content` and returns the path.
  std::string File(const std::string& name, absl::string_view content) const;

 private:
  std::string path_;
};

std::string ReadFile(const std::string& file);

// The folder of the programs under test: GUANTONG_BIN_DIR, else where this test program is.
std::string ProgramFolder();

// FreeLoopbackPort, and each but once.
uint16_t FreePort();

// Whether somebody accepts connections there.
bool Listens(uint16_t port);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_FOLDER_H_
