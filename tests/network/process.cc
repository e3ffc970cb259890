#include "tests/network/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 declares it without a language linkage
}
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace guantong::test {
namespace {

constexpr int kNotExecuted = 127;

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(absl::StrCat(what, ": ", std::strerror(errno)));
}

int OpenOutput(const std::string& log, const char* name) {
  const int file = log.empty() ? memfd_create(name, MFD_CLOEXEC)
                               : open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) Fail(absl::StrCat("output of a process, ", log));
  return file;
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(absl::StrCat(name, "=", value));
  return lines;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec only what may be called after a fork of a process with threads.
[[noreturn]] void Become(char* const* arguments, char* const* environment, pid_t parent, int out,
                         int err, int network_namespace) {
  setpgid(0, 0);
  if (network_namespace >= 0 && setns(network_namespace, CLONE_NEWNET) != 0) _exit(kNotExecuted);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kNotExecuted);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(kNotExecuted);
}

}  // namespace

nlohmann::json Outcome::json() const {
  nlohmann::json parsed = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) throw std::runtime_error(absl::StrCat("no JSON document: ", Text()));
  return parsed;
}

std::string Outcome::Text() const {
  return absl::StrCat("exit status ", exit_status, " after ", absl::FormatDuration(took),
                      "\nstdout: ", out.substr(0, 4000), "\nstderr: ", err.substr(0, 4000));
}

Process::Process(const ProcessOptions& options)
    : arguments_(options.arguments), started_(absl::Now()) {
  std::vector<std::string> texts = options.arguments;
  std::vector<std::string> lines = Environment(options.environment);
  const std::vector<char*> arguments = Pointers(texts);
  const std::vector<char*> environment = Pointers(lines);
  out_ = OpenOutput(options.log, "out");
  err_ = OpenOutput(options.log, "err");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) Fail("fork");
  if (pid_ == 0) {
    Become(arguments.data(), environment.data(), parent, out_, err_, options.network_namespace);
  }
  // Both sides do it: whoever signals the group first must find it.
  setpgid(pid_, pid_);
  // By its number: the C library declares it for C alone.
  descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (descriptor_ < 0) Fail("pidfd_open");
}

Process::~Process() {
  if (!outcome_) {
    kill(-pid_, SIGKILL);
    Reap(0);
  }
  for (const int file : {descriptor_, out_, err_}) close(file);
}

std::string Process::Kept(int file) const {
  std::string content;
  char buffer[64 << 10];
  for (off_t at = 0;;) {
    const ssize_t got = pread(file, buffer, sizeof buffer, at);
    if (got <= 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    at += got;
  }
}

bool Process::Reap(int options) {
  if (outcome_) return true;
  int status = 0;
  if (waitpid(pid_, &status, options) != pid_) return false;
  Outcome outcome;
  outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = Kept(out_);
  outcome.err = Kept(err_);
  outcome.took = absl::Now() - started_;
  outcome_ = std::move(outcome);
  return true;
}

bool Process::Running() { return !Reap(WNOHANG); }

void Process::Signal(int signal) {
  if (Running() && kill(-pid_, signal) != 0) Fail(absl::StrCat("signal to ", arguments_[0]));
}

void Process::Pause() {
  Signal(SIGSTOP);
  siginfo_t stopped = {};
  if (waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT) != 0 ||
      stopped.si_code != CLD_STOPPED) {
    throw std::runtime_error(absl::StrCat(arguments_[0], " ended before it could be paused"));
  }
}

void Process::Resume() { Signal(SIGCONT); }

void Process::Kill() {
  Signal(SIGKILL);
  Reap(0);
}

Outcome Process::Wait(absl::Duration limit) {
  pollfd ended = {descriptor_, POLLIN, 0};
  const absl::Time deadline = absl::Now() + limit;
  while (Running()) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      throw std::runtime_error(absl::StrCat("still running after ", absl::FormatDuration(limit),
                                            ": ", absl::StrJoin(arguments_, " "), "\n", Kept(out_),
                                            Kept(err_)));
    }
    poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
  }
  return *outcome_;
}

Outcome Run(const ProcessOptions& options, absl::Duration limit) {
  return Process(options).Wait(limit);
}

std::string Shell(const std::string& pipeline) {
  Outcome outcome =
      Run({.arguments = {"/bin/bash", "-c", absl::StrCat("set -euo pipefail; ", pipeline)},
           .environment = {{"LC_ALL", "C"}}});
  if (!outcome.ok()) throw std::runtime_error(absl::StrCat(pipeline, ": ", outcome.Text()));
  while (!outcome.out.empty() && outcome.out.back() == '\n') outcome.out.pop_back();
  return outcome.out;
}

}  // namespace guantong::test
