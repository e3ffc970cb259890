// A node whose clock the test sets: its daemon runs with a preloaded library (shifted_clock) whose
// file the test writes.
#ifndef GUANTONG_TESTS_PROCESS_SET_CLOCK_H_
#define GUANTONG_TESTS_PROCESS_SET_CLOCK_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/network/folder.h"
#include "tests/network/node.h"

namespace guantong::test {

class SetClock {
 public:
  // Of a node that runs; starts it again.
  SetClock(Node* node, const Folder& folder, int64_t seconds)
      : node_(*node),
        file_(folder.File(absl::StrCat("clock-", node->place().division), std::string(8, '\0'))) {
    const std::string library = ProgramFolder() + "/libshifted_clock.so";
    if (!std::filesystem::exists(library)) throw std::runtime_error(library + " is missing");
    node_.Stop();
    node_.SetEnvironment({{"LD_PRELOAD", library}, {"GUANTONG_TEST_CLOCK", file_}});
    Set(seconds);
    node_.Start();
  }

  // Seconds ahead of the machine's clock. In place: the daemon has the file mapped.
  void Set(int64_t seconds) {
    std::fstream out(file_, std::ios::binary | std::ios::in | std::ios::out);
    out.write(reinterpret_cast<const char*>(&seconds), sizeof seconds).flush();
  }

 private:
  Node& node_;
  const std::string file_;
};

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_PROCESS_SET_CLOCK_H_
