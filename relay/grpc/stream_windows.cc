#include "relay/grpc/stream_windows.h"

#include "catalog/base/replaced.h"

namespace guantong {
namespace {

constexpr char kSymbol[] = "_ZNK9grpc_core6chttp217StreamFlowControl19DesiredAnnounceSizeEv";

}  // namespace
}  // namespace guantong

namespace grpc_core::chttp2 {

// As much of the library's own class as the name of the function takes.
class StreamFlowControl {
 public:
  int64_t DesiredAnnounceSize() const;
};

int64_t StreamFlowControl::DesiredAnnounceSize() const {
  using Function = int64_t (*)(const StreamFlowControl*);
  static const auto library = reinterpret_cast<Function>(guantong::Replaced(guantong::kSymbol));
  const int64_t wanted = library(this);
  return wanted > 0 ? wanted + guantong::kStreamAhead : wanted;
}

}  // namespace grpc_core::chttp2

namespace guantong {

bool StreamWindowsAreOurs() { return IsReplaced(kSymbol); }

}  // namespace guantong
