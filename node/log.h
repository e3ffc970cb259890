// Lines for the operator on stderr: local time, level, text. One write per line, any thread.
#ifndef GUANTONG_NODE_LOG_H_
#define GUANTONG_NODE_LOG_H_

#include "absl/strings/string_view.h"

namespace guantong {

enum class LogLevel { kInfo, kWarning, kError };

// Control characters in `text` are shown as '?', so that what a peer sent cannot forge a line.
void Log(LogLevel level, absl::string_view text);

}  // namespace guantong

#endif  // GUANTONG_NODE_LOG_H_
