// A program run by a test: in its own process group, dead when the test is, its output kept.
//
// Everything here throws std::runtime_error when the machinery fails (a program that cannot be
// started, a deadline that passed): that is no result of a test but the end of it, and the message
// says what was being waited for. THREADS  Start a process on a thread that outlives it: the kernel
// ends the child with the thread that made it.
#ifndef GUANTONG_TESTS_NETWORK_PROCESS_H_
#define GUANTONG_TESTS_NETWORK_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace guantong::test {

// What a program left behind.
struct Outcome {
  int exit_status = 0;  // 128 + signal when a signal ended it
  std::string out;
  std::string err;
  absl::Duration took;

  bool ok() const { return exit_status == 0; }
  // `out` as one JSON document. Throws, with everything above, when it is none.
  nlohmann::json json() const;
  // For the message of a check that failed.
  std::string Text() const;
};

struct ProcessOptions {
  std::vector<std::string> arguments;              // the program first
  std::map<std::string, std::string> environment;  // added to that of the test
  std::string log;             // both outputs are appended here; empty: kept for the outcome
  int network_namespace = -1;  // descriptor; -1: that of the test
};

class Process {
 public:
  explicit Process(const ProcessOptions& options);
  ~Process();  // kills the group
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  // A descriptor that becomes readable when the process ends.
  int descriptor() const { return descriptor_; }

  void Signal(int signal);
  // SIGSTOP; returns when it stands still.
  void Pause();
  void Resume();
  void Kill();  // SIGKILL to the group; returns when it is gone
  Outcome Wait(absl::Duration limit);

 private:
  bool Reap(int options);
  std::string Kept(int file) const;

  std::vector<std::string> arguments_;
  absl::Time started_;
  pid_t pid_ = -1;
  int descriptor_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<Outcome> outcome_;
};

// Runs to the end.
Outcome Run(const ProcessOptions& options, absl::Duration limit = absl::Seconds(60));

// A shell pipeline, for digests taken outside our code. Throws unless it succeeds; returns its
// output without the last line feed.
std::string Shell(const std::string& pipeline);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_PROCESS_H_
