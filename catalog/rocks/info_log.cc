#include "catalog/rocks/info_log.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace guantong {
namespace {

constexpr int64_t kLogFileBytesMax = 1 << 20;
constexpr size_t kLineBytesMax = 1024;

class InfoLog : public rocksdb::Logger {
 public:
  explicit InfoLog(const std::string& dir)
      : Logger(rocksdb::WARN_LEVEL), file_(absl::StrCat(dir, "/LOG")) {}
  ~InfoLog() override {
    if (descriptor_ >= 0) close(descriptor_);
  }

  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char text[kLineBytesMax];
    const int length = std::vsnprintf(text, sizeof text, format, arguments);
    if (length < 0) return;
    const std::string line = absl::StrCat(absl::FormatTime(absl::Now()), " ", text, "\n");
    const std::lock_guard<std::mutex> lock(mutex_);
    Open();
    // Best effort, see the header.
    if (descriptor_ >= 0 && write(descriptor_, line.data(), line.size()) > 0) {
      bytes_ += static_cast<int64_t>(line.size());
    }
  }

 private:
  void Open() {
    if (descriptor_ >= 0 && bytes_ < kLogFileBytesMax) return;
    if (descriptor_ >= 0) {
      close(descriptor_);
      std::rename(file_.c_str(), absl::StrCat(file_, ".old").c_str());
    }
    descriptor_ = open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct stat now = {};
    bytes_ = descriptor_ >= 0 && fstat(descriptor_, &now) == 0 ? now.st_size : 0;
  }

  const std::string file_;
  std::mutex mutex_;
  int descriptor_ = -1;
  int64_t bytes_ = 0;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> MakeInfoLog(const std::string& dir) {
  return std::make_shared<InfoLog>(dir);
}

}  // namespace guantong
