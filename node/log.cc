#include "node/log.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace guantong {

void Log(LogLevel level, absl::string_view text) {
  const absl::string_view name = level == LogLevel::kInfo      ? " INFO "
                                 : level == LogLevel::kWarning ? " WARN "
                                                               : " ERROR ";
  std::string line = absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::Now(), absl::LocalTimeZone()), name, text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  line += '\n';
  // Nothing can be done about a log that cannot be written.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace guantong
