// Messages of a link as they travel: the bytes of a v1::LinkMessage, made from the frames they
// carry and read where they lie. Frames are most of what a link moves, and protobuf would copy them
// twice on the way out and once more on the way in.
#ifndef GUANTONG_RELAY_GRPC_LINK_BYTES_H_
#define GUANTONG_RELAY_GRPC_LINK_BYTES_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "guantong/v1/link.pb.h"

namespace grpc {
class ByteBuffer;
}  // namespace grpc

namespace guantong {

// A piece of a frame. The frame is shared until the message has left.
struct SentFragment {
  std::shared_ptr<const std::string> frame;
  size_t offset = 0;
  size_t bytes = 0;
  bool last = false;

  absl::string_view data() const { return absl::string_view(*frame).substr(offset, bytes); }
};

// With fragments `rest` is no kind of its own: the first is LinkMessage.fragment, those that follow
// are `more`.
struct SentMessage {
  v1::LinkMessage rest;  // all but the fragments
  std::vector<SentFragment> fragments;

  void Clear() {
    rest.Clear();
    fragments.clear();
  }
};

// What protobuf would make of the same message, byte for byte. Larger fragments are referred to,
// not copied.
grpc::ByteBuffer ToBytes(const SentMessage& message);
size_t BytesOf(const SentMessage& message);

// Refers to the bytes the message was read from.
struct ReceivedFragment {
  absl::Span<const absl::string_view> parts;
  bool last = false;
};

class ReceivedMessage {
 public:
  // What protobuf would read in the same bytes, which must stay as they are while the fragments are
  // looked at. INVALID_ARGUMENT link_protocol.
  absl::Status Read(grpc::ByteBuffer* bytes);

  const v1::LinkMessage& rest() const { return rest_; }  // all but the fragments
  bool has_fragment() const { return first_.has_value(); }
  // LinkMessage.fragment, then `more`. None without `fragment`.
  size_t fragments() const { return first_.has_value() ? 1 + more_.size() : 0; }
  ReceivedFragment fragment(size_t index) const;
  size_t bytes() const { return bytes_; }

 private:
  class Reader;
  struct Extent {  // of parts_
    size_t begin = 0;
    size_t end = 0;
    bool last = false;
  };

  v1::LinkMessage rest_;
  std::optional<Extent> first_;
  std::vector<Extent> more_;
  std::vector<absl::string_view> parts_;
  size_t bytes_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_RELAY_GRPC_LINK_BYTES_H_
