// A program started by a drill: dead when the drill is.
#ifndef GUANTONG_NODE_CLI_DRILL_CHILD_PROCESS_H_
#define GUANTONG_NODE_CLI_DRILL_CHILD_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace guantong {

// THREADS  The kernel ends the child with the thread that started it.
class ChildProcess {
 public:
  ChildProcess() = default;
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Standard output goes to the file `out`, errors are appended to `log`. UNAVAILABLE
  // process_failed.
  absl::Status Start(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment, const std::string& out,
                     const std::string& log);
  // Exit status; 128 + signal.
  int Wait();
  void Kill();  // SIGKILL, and gone when it returns
  // Whether it has ended by itself. Does not wait.
  bool Ended();

 private:
  pid_t pid_ = -1;
};

// The folder of this program.
std::string ProgramFolder();

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_DRILL_CHILD_PROCESS_H_
