#include "tests/unit/instructions.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace guantong::test {

std::string CannotCountInstructions() {
#if defined(__SANITIZE_ADDRESS__)
  return "valgrind runs no program with sanitizers";
#endif
  if (std::system("valgrind --version > /dev/null 2>&1") != 0) return "valgrind is not installed";
  return "";
}

int64_t InstructionsOf(const std::string& function, const std::string& test_case) {
  const std::string command = absl::StrCat(
      "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='guantong::",
      function, "(*' \"$(readlink /proc/", getpid(), "/exe)\" '", test_case, "' 2>&1");
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  int64_t instructions = -1;
  if (pipe == nullptr) return instructions;
  std::array<char, 1024> line;
  while (fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    const std::string text(line.data());
    const size_t at = text.find("Collected : ");
    if (at == std::string::npos) continue;
    if (!absl::SimpleAtoi(text.substr(at + 12), &instructions)) instructions = -1;
  }
  return instructions;
}

}  // namespace guantong::test
