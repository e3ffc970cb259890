#include "relay/grpc/link_bytes.h"

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

std::string Plain(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  REQUIRE(bytes.Dump(&slices).ok());
  std::string plain;
  for (const grpc::Slice& slice : slices) {
    plain.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return plain;
}

// As bytes arrive: in pieces that begin and end anywhere.
grpc::ByteBuffer InPieces(const std::string& bytes, size_t piece) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    slices.emplace_back(bytes.substr(at, piece));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// What was read, put together again by protobuf; nothing where it does not parse.
std::optional<v1::LinkMessage> ReadBack(const std::string& bytes, size_t piece) {
  grpc::ByteBuffer buffer = InPieces(bytes, piece);
  ReceivedMessage received;
  const absl::Status read = received.Read(&buffer);
  if (!read.ok()) {
    CHECK(DetailOf(read).reason == "link_protocol");
    return std::nullopt;
  }
  CHECK(received.bytes() == bytes.size());
  v1::LinkMessage message = received.rest();
  message.DiscardUnknownFields();
  for (size_t i = 0; i < received.fragments(); ++i) {
    v1::Fragment& fragment = i == 0 ? *message.mutable_fragment() : *message.add_more();
    for (const absl::string_view part : received.fragment(i).parts) {
      fragment.mutable_data()->append(part.data(), part.size());
    }
    fragment.set_last(received.fragment(i).last);
  }
  return message;
}

// What protobuf reads, without what nobody looks at: fields it does not know, and fragments behind
// none.
std::optional<v1::LinkMessage> ReadByProtobuf(const std::string& bytes) {
  v1::LinkMessage message;
  if (!message.ParseFromString(bytes)) return std::nullopt;
  message.DiscardUnknownFields();
  if (!message.has_fragment()) message.clear_more();
  return message;
}

bool SameAsProtobuf(const std::string& bytes, size_t piece) {
  const auto ours = ReadBack(bytes, piece);
  const auto theirs = ReadByProtobuf(bytes);
  if (ours.has_value() != theirs.has_value()) return false;
  return !ours.has_value() || ours->SerializeAsString() == theirs->SerializeAsString();
}

std::shared_ptr<const std::string> Frame(size_t bytes, char fill) {
  return std::make_shared<const std::string>(bytes, fill);
}

// One of every shape that a lane says, fragments of all sizes among them.
std::vector<SentMessage> Shapes() {
  std::vector<SentMessage> shapes(6);
  shapes[0].rest.mutable_open()->set_session("0123456789abcdef");
  shapes[0].rest.mutable_open()->mutable_chain()->add_certificates(std::string(900, 'c'));
  shapes[1].rest.mutable_credit()->set_bytes(4 << 20);
  shapes[2].rest.mutable_ping();
  shapes[3].rest.mutable_beside()->set_wanted(uint64_t{1} << 30);
  shapes[3].rest.mutable_beside()->set_due(true);
  for (const size_t bytes : {0, 1, 127, 128, 2048, 2049, 16'384, 300'000}) {
    SentMessage& one = shapes.emplace_back();
    one.fragments.push_back({Frame(bytes + 7, 'f'), 3, bytes, bytes % 2 == 0});
    shapes[4].fragments.push_back({Frame(bytes, 'm'), 0, bytes, true});
    shapes[5].fragments.push_back({Frame(bytes, 'n'), 0, bytes, bytes != 1});
  }
  shapes[5].rest.mutable_beside()->set_bytes(123'456);
  return shapes;
}

v1::LinkMessage InProtobuf(const SentMessage& sent) {
  v1::LinkMessage message = sent.rest;
  for (size_t i = 0; i < sent.fragments.size(); ++i) {
    v1::Fragment& fragment = i == 0 ? *message.mutable_fragment() : *message.add_more();
    fragment.set_data(std::string(sent.fragments[i].data()));
    fragment.set_last(sent.fragments[i].last);
  }
  return message;
}

TEST_CASE("a message has the bytes protobuf gives it") {
  for (const SentMessage& sent : Shapes()) {
    const std::string expected = InProtobuf(sent).SerializeAsString();
    CHECK(Plain(ToBytes(sent)) == expected);
    CHECK(BytesOf(sent) == expected.size());
  }
}

TEST_CASE("a message is read as protobuf reads it, wherever its pieces end") {
  for (const SentMessage& sent : Shapes()) {
    const v1::LinkMessage message = InProtobuf(sent);
    for (const size_t piece : {1, 7, 8192, 1 << 20}) {
      const auto read = ReadBack(message.SerializeAsString(), piece);
      REQUIRE(read.has_value());
      CHECK(read->SerializeAsString() == message.SerializeAsString());
    }
  }
}

TEST_CASE("a large piece of a frame is referred to, and its frame kept until the bytes are gone") {
  auto frame = Frame(100'000, 'x');
  const std::weak_ptr<const std::string> seen = frame;
  const char* const data = frame->data();
  SentMessage sent;
  sent.fragments.push_back({std::move(frame), 10, 99'990, true});
  grpc::ByteBuffer bytes = ToBytes(sent);
  sent.Clear();
  std::vector<grpc::Slice> slices;
  REQUIRE(bytes.Dump(&slices).ok());
  CHECK(std::any_of(slices.begin(), slices.end(), [data](const grpc::Slice& slice) {
    return reinterpret_cast<const char*>(slice.begin()) == data + 10 && slice.size() == 99'990;
  }));
  slices.clear();
  CHECK_FALSE(seen.expired());
  bytes.Clear();
  CHECK(seen.expired());
}

TEST_CASE("what a later version says beside is passed over") {
  SentMessage sent = Shapes()[5];
  const std::string later = Plain(ToBytes(sent)) + "\x3a\x03new" + "\x40\x07" +
                            std::string("\x45\x01\x02\x03\x04\x4b\x08\x01\x4c", 9);
  const auto read = ReadBack(later, 100);
  REQUIRE(read.has_value());
  CHECK(read->SerializeAsString() == InProtobuf(sent).SerializeAsString());
  CHECK(SameAsProtobuf(later, 100));
}

TEST_CASE("of two kinds in one message the later counts, as in protobuf") {
  const std::string fragment("\x12\x05\x0a\x01x\x10\x01", 7);
  const std::string again("\x12\x03\x0a\x01y", 5);
  const std::string more("\x2a\x03\x0a\x01z", 5);
  const std::string credit("\x1a\x02\x08\x05", 4);
  for (const std::string& bytes :
       {fragment + credit, credit + fragment, fragment + again, again + fragment, more + fragment,
        more, fragment + more + credit, std::string()}) {
    CHECK(SameAsProtobuf(bytes, 3));
  }
}

TEST_CASE("a message that is cut short or garbled is refused where protobuf refuses it") {
  const std::string whole = Plain(ToBytes(Shapes()[0])) + Plain(ToBytes(Shapes()[5])).substr(0, 3);
  SentMessage sent;
  for (const size_t bytes : {0, 5, 200, 1}) {
    sent.fragments.push_back({Frame(bytes, '\x12'), 0, bytes, bytes != 5});
  }
  sent.rest.mutable_beside()->set_bytes(300);
  const std::string good = Plain(ToBytes(sent));
  CHECK_FALSE(ReadBack(whole, 1 << 20).has_value());
  size_t refused = 0;
  for (size_t end = 0; end <= good.size(); ++end) {
    CHECK(SameAsProtobuf(good.substr(0, end), 16));
    refused += ReadBack(good.substr(0, end), 16).has_value() ? 0 : 1;
  }
  CHECK(refused > good.size() / 2);
  // Lengths beyond the message, beyond their part, beyond what is a length.
  for (const char* bad : {"\x12\x7f\x0a", "\x12\x02\x0a\x05xyz", "\x12\xff\xff\xff\xff\x0f\x0a",
                          "\x12\x82\x80\x80\x80\x10\x10\x01",
                          "\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x32\x05\x08"}) {
    CHECK_FALSE(ReadBack(bad, 16).has_value());
    CHECK(SameAsProtobuf(bad, 16));
  }

  std::minstd_rand random(7);
  const auto any = [&random](size_t below) { return random() % below; };
  size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (size_t change = 0; change <= any(3); ++change) {
      // The bytes that say how long something is stand in front.
      bytes[any(2) == 0 ? any(40) % bytes.size() : any(bytes.size())] = static_cast<char>(any(256));
    }
    INFO("round " << round << ": " << HexOf(bytes));
    REQUIRE(SameAsProtobuf(bytes, 1 + any(64)));
    read += ReadBack(bytes, 64).has_value() ? 1 : 0;
  }
  CHECK(read > 1'000);
  CHECK(read < 19'000);
}

}  // namespace
}  // namespace guantong
