#include "relay/grpc/link_bytes.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <algorithm>

#include "catalog/base/status.h"

namespace guantong {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using Wire = google::protobuf::internal::WireFormatLite;

// What is smaller is copied for less than a slice of its own costs.
constexpr size_t kCopiedBytesMax = 2 << 10;

constexpr uint32_t Tag(int field, Wire::WireType type) {
  return static_cast<uint32_t>(field) << 3 | type;
}

constexpr uint32_t kOpen = Tag(v1::LinkMessage::kOpenFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kFragment =
    Tag(v1::LinkMessage::kFragmentFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kCredit =
    Tag(v1::LinkMessage::kCreditFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kPing = Tag(v1::LinkMessage::kPingFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kMore = Tag(v1::LinkMessage::kMoreFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kBeside =
    Tag(v1::LinkMessage::kBesideFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kData = Tag(v1::Fragment::kDataFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kLast = Tag(v1::Fragment::kLastFieldNumber, Wire::WIRETYPE_VARINT);

// --- out -----------------------------------------------------------------------------------------

void AppendVarint(uint32_t number, std::string* out) {
  uint8_t bytes[5];
  const uint8_t* const end = CodedOutputStream::WriteVarint32ToArray(number, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

// A field of so many bytes, its tag of one byte and its length.
uint32_t Tagged(uint32_t bytes) {
  return 1 + static_cast<uint32_t>(CodedOutputStream::VarintSize32(bytes)) + bytes;
}

uint32_t BytesOf(const SentFragment& fragment) {
  const auto data = static_cast<uint32_t>(fragment.bytes);
  return (data == 0 ? 0 : Tagged(data)) + (fragment.last ? 2 : 0);
}

// One that keeps the frame until gRPC lets go of it, on whichever thread.
grpc::Slice Shared(const SentFragment& fragment) {
  auto* const held = new std::shared_ptr<const std::string>(fragment.frame);
  return grpc::Slice(
      const_cast<char*>(fragment.data().data()), fragment.bytes,
      [](void* frame) { delete static_cast<std::shared_ptr<const std::string>*>(frame); }, held);
}

void AppendFragment(uint32_t tag, const SentFragment& fragment, std::string* small,
                    std::vector<grpc::Slice>* slices) {
  AppendVarint(tag, small);
  AppendVarint(BytesOf(fragment), small);
  if (fragment.bytes > 0) {
    AppendVarint(kData, small);
    AppendVarint(static_cast<uint32_t>(fragment.bytes), small);
    if (fragment.bytes <= kCopiedBytesMax) {
      small->append(fragment.data().data(), fragment.bytes);
    } else {
      slices->emplace_back(*small);
      small->clear();
      slices->push_back(Shared(fragment));
    }
  }
  if (!fragment.last) return;
  AppendVarint(kLast, small);
  AppendVarint(1, small);
}

}  // namespace

grpc::ByteBuffer ToBytes(const SentMessage& message) {
  std::string small;
  std::vector<grpc::Slice> slices;
  uint32_t tag = kFragment;
  for (const SentFragment& fragment : message.fragments) {
    AppendFragment(std::exchange(tag, kMore), fragment, &small, &slices);
  }
  message.rest.AppendToString(&small);
  slices.emplace_back(small);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

size_t BytesOf(const SentMessage& message) {
  size_t bytes = message.rest.ByteSizeLong();
  for (const SentFragment& fragment : message.fragments) bytes += Tagged(BytesOf(fragment));
  return bytes;
}

// --- in ------------------------------------------------------------------------------------------

class ReceivedMessage::Reader {
 public:
  Reader(grpc::ByteBuffer* bytes, ReceivedMessage* message)
      : message_(*message), slices_(bytes), in_(&slices_) {
    in_.PushLimit(static_cast<int>(bytes->Length()));
  }

  bool Read() {
    while (const uint32_t tag = in_.ReadTag()) {
      if (!ReadField(tag)) return false;
    }
    return in_.ConsumedEntireMessage() && slices_.status().ok();
  }

 private:
  // The kinds take each other's place, as in protobuf.
  bool ReadField(uint32_t tag) {
    v1::LinkMessage& rest = message_.rest_;
    switch (tag) {
      case kOpen:
        message_.first_.reset();
        return Merge(rest.mutable_open());
      case kFragment:
        rest.clear_kind();
        if (!message_.first_.has_value()) message_.first_.emplace();
        return ReadFragment(&*message_.first_);
      case kCredit:
        message_.first_.reset();
        return Merge(rest.mutable_credit());
      case kPing:
        message_.first_.reset();
        return Merge(rest.mutable_ping());
      case kMore:
        return ReadFragment(&message_.more_.emplace_back());
      case kBeside:
        return Merge(rest.mutable_beside());
      default:
        return Wire::SkipField(&in_, tag);
    }
  }

  // A length within what is left.
  bool ReadLength(int* length) {
    return in_.ReadVarintSizeAsInt(length) && *length <= in_.BytesUntilLimit();
  }

  bool Merge(google::protobuf::MessageLite* part) {
    int length;
    std::string bytes;
    return ReadLength(&length) && in_.ReadString(&bytes, length) && part->MergeFromString(bytes);
  }

  bool ReadFragment(Extent* fragment) {
    int length;
    if (!ReadLength(&length)) return false;
    const CodedInputStream::Limit around = in_.PushLimit(length);
    while (const uint32_t tag = in_.ReadTag()) {
      uint64_t last;
      bool good;
      switch (tag) {
        case kData:
          good = ReadData(fragment);
          break;
        case kLast:
          good = in_.ReadVarint64(&last);
          fragment->last = good && last != 0;
          break;
        default:
          good = Wire::SkipField(&in_, tag);
      }
      if (!good) return false;
    }
    if (!in_.ConsumedEntireMessage()) return false;
    in_.PopLimit(around);
    return true;
  }

  bool ReadData(Extent* fragment) {
    int left;
    if (!ReadLength(&left)) return false;
    fragment->begin = message_.parts_.size();
    while (left > 0) {
      const void* data;
      int size;
      if (!in_.GetDirectBufferPointer(&data, &size)) return false;
      size = std::min(size, left);
      message_.parts_.emplace_back(static_cast<const char*>(data), static_cast<size_t>(size));
      if (!in_.Skip(size)) return false;
      left -= size;
    }
    fragment->end = message_.parts_.size();
    return true;
  }

  ReceivedMessage& message_;
  grpc::ProtoBufferReader slices_;
  CodedInputStream in_;
};

absl::Status ReceivedMessage::Read(grpc::ByteBuffer* bytes) {
  rest_.Clear();
  first_.reset();
  more_.clear();
  parts_.clear();
  bytes_ = bytes->Length();
  if (Reader(bytes, this).Read()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "link_protocol", "a message does not parse");
}

ReceivedFragment ReceivedMessage::fragment(size_t index) const {
  const Extent& extent = index == 0 ? *first_ : more_[index - 1];
  return {.parts = absl::MakeConstSpan(parts_).subspan(extent.begin, extent.end - extent.begin),
          .last = extent.last};
}

}  // namespace guantong
