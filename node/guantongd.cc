// guantongd --dir D: runs the node of folder D until SIGTERM or SIGINT. Exit status: 0 stopped as
// asked, 1 could not start, 2 usage. SIGUSR1, which it sends itself when a file of the store is
// damaged, ends the node and begins it anew in the same process.
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "catalog/base/status.h"
#include "node/daemon.h"
#include "node/limits.h"
#include "node/log.h"
#include "node/overview.h"

// Read by jemalloc before main(). Arenas per thread would keep what bursts left behind; what is not
// used any more goes back to the system even while the node idles.
extern "C" {
const char* malloc_conf = "narenas:2,background_thread:true,muzzy_decay_ms:0";
}

namespace {

constexpr char kUsage[] =
    "用法 usage: guantongd --dir DIR\n"
    "  运行 DIR 中的节点，先用 guantong init 建立 (runs the node that `guantong init` made in "
    "DIR)\n";

// Blocked before any thread starts, so that all inherit it and only this one waits.
sigset_t AwaitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

int CannotStart(const absl::Status& why) {
  const guantong::ErrorDetail detail = guantong::DetailOf(why);
  guantong::Log(guantong::LogLevel::kError,
                absl::StrCat("启动失败 cannot start [", detail.reason, "]: ", why.message(),
                             detail.remedy.empty() ? "" : "；处理 remedy: ", detail.remedy));
  return 1;
}

int Usage(FILE* to, int status) {
  std::fputs(kUsage, to);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  std::string dir;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return Usage(stdout, 0);
    if (argument == "--version") {
      std::printf("guantongd %s\n", guantong::kVersion);
      return 0;
    }
    if (argument == "--dir" && i + 1 < argc) {
      dir = argv[++i];
    } else if (argument.substr(0, 6) == "--dir=") {
      dir = std::string(argument.substr(6));
    } else {
      return Usage(stderr, 2);
    }
  }
  if (dir.empty()) return Usage(stderr, 2);

  // Where Abseil is packaged with its debugging checks, each lock gRPC takes is looked up in a
  // graph of all that are held together.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = AwaitedSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  sigset_t stops = signals;
  sigdelset(&stops, SIGUSR1);

  int signal = SIGUSR1;
  while (signal == SIGUSR1) {
    auto daemon = guantong::Daemon::Start(dir, [] { kill(getpid(), SIGUSR1); });
    if (!daemon.ok()) return CannotStart(daemon.status());
    guantong::Log(guantong::LogLevel::kInfo, "节点已启动 serving");
    sigwait(&signals, &signal);
    guantong::Log(guantong::LogLevel::kInfo,
                  absl::StrCat(signal == SIGUSR1 ? "在进程内重新开始 beginning anew: "
                                                 : "收到信号，正在停止 stopping: ",
                               strsignal(signal)));
    // A stop that hangs is ended hard: what was promised is on disk. So does a second signal.
    alarm(static_cast<unsigned>(2 * guantong::kStopSecondsMax));
    pthread_sigmask(SIG_UNBLOCK, &stops, nullptr);
    (*daemon)->Stop();
    daemon->reset();
    alarm(0);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }
  guantong::Log(guantong::LogLevel::kInfo, "节点已停止 stopped");
  return 0;
}
