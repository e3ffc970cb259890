#include "node/pushed_rows.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <utility>

#include "catalog/base/status.h"
#include "guantong/v1/data.pb.h"

namespace guantong {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using Wire = google::protobuf::internal::WireFormatLite;

constexpr uint32_t Tag(int field, Wire::WireType type) {
  return static_cast<uint32_t>(field) << 3 | type;
}

constexpr uint32_t kRow = Tag(v1::PushRows::kRowsFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kLine = Tag(v1::PushRow::kLineFieldNumber, Wire::WIRETYPE_VARINT);
constexpr uint32_t kValue = Tag(v1::PushRow::kValuesFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);
constexpr uint32_t kNull = Tag(v1::PushRow::kNullsFieldNumber, Wire::WIRETYPE_VARINT);
constexpr uint32_t kNulls = Tag(v1::PushRow::kNullsFieldNumber, Wire::WIRETYPE_LENGTH_DELIMITED);

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "push_malformed",
               "推送的行无法解析 (the rows do not parse)");
}

CodedInputStream Over(absl::string_view bytes) {
  return CodedInputStream(reinterpret_cast<const uint8_t*>(bytes.data()),
                          static_cast<int>(bytes.size()));
}

// The bytes behind a length, without copying them.
bool ReadBytes(CodedInputStream* in, absl::string_view* bytes) {
  uint32_t size;
  const void* data = nullptr;
  int left = 0;
  if (!in->ReadVarint32(&size)) return false;
  if (size == 0) {
    *bytes = absl::string_view();
    return true;
  }
  if (!in->GetDirectBufferPointer(&data, &left) || size > static_cast<uint32_t>(left)) return false;
  *bytes = absl::string_view(static_cast<const char*>(data), size);
  return in->Skip(static_cast<int>(size));
}

bool ReadNulls(absl::string_view bytes, std::vector<uint32_t>* nulls) {
  CodedInputStream in = Over(bytes);
  for (uint32_t null; in.CurrentPosition() < static_cast<int>(bytes.size());) {
    if (!in.ReadVarint32(&null)) return false;
    nulls->push_back(null);
  }
  return true;
}

bool ReadRow(absl::string_view bytes, PushedRow* row) {
  row->line = 0;
  row->values.clear();
  row->nulls.clear();
  CodedInputStream in = Over(bytes);
  while (const uint32_t tag = in.ReadTag()) {
    absl::string_view part;
    uint32_t null;
    bool good;
    switch (tag) {
      case kLine:
        good = in.ReadVarint64(&row->line);
        break;
      case kValue:
        good = ReadBytes(&in, &part);
        row->values.push_back(part);
        break;
      case kNull:
        good = in.ReadVarint32(&null);
        row->nulls.push_back(null);
        break;
      case kNulls:
        good = ReadBytes(&in, &part) && ReadNulls(part, &row->nulls);
        break;
      default:
        good = Wire::SkipField(&in, tag);
    }
    if (!good) return false;
  }
  return in.ConsumedEntireMessage();
}

void AppendTagged(uint32_t tag, uint64_t number, std::string* out) {
  uint8_t head[16];
  uint8_t* end = CodedOutputStream::WriteVarint32ToArray(tag, head);
  end = CodedOutputStream::WriteVarint64ToArray(number, end);
  out->append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
}

}  // namespace

absl::StatusOr<bool> PushedRowsReader::Next(PushedRow* row) {
  while (!rest_.empty()) {
    CodedInputStream in = Over(rest_);
    const uint32_t tag = in.ReadTag();
    absl::string_view bytes;
    const bool is_row = tag == kRow;
    if (tag == 0 || !(is_row ? ReadBytes(&in, &bytes) : Wire::SkipField(&in, tag)) ||
        (is_row && !ReadRow(bytes, row))) {
      return Malformed();
    }
    rest_.remove_prefix(static_cast<size_t>(in.CurrentPosition()));
    if (is_row) return true;
  }
  return false;
}

void PushedRowsWriter::Add(const PushedRow& row) {
  size_t size = 0;
  if (row.line != 0) size += 1 + CodedOutputStream::VarintSize64(row.line);
  for (absl::string_view value : row.values) {
    size += 1 + CodedOutputStream::VarintSize64(value.size()) + value.size();
  }
  for (uint32_t null : row.nulls) size += 1 + CodedOutputStream::VarintSize32(null);
  AppendTagged(kRow, size, &bytes_);
  if (row.line != 0) AppendTagged(kLine, row.line, &bytes_);
  for (absl::string_view value : row.values) {
    AppendTagged(kValue, value.size(), &bytes_);
    bytes_.append(value.data(), value.size());
  }
  for (uint32_t null : row.nulls) AppendTagged(kNull, null, &bytes_);
  ++rows_;
}

std::string PushedRowsWriter::Take() {
  rows_ = 0;
  std::string taken = std::exchange(bytes_, std::string());
  bytes_.reserve(taken.capacity());
  return taken;
}

}  // namespace guantong
