#include "tests/sim/later_version.h"

#include <utility>

#include "guantong/v1/link.pb.h"

namespace guantong::sim {

namespace {

constexpr int kUnknownField = 1900;
constexpr int kUnknownKind = 1901;

void AddUnknown(google::protobuf::Message& message, Random& random) {
  message.GetReflection()->MutableUnknownFields(&message)->AddLengthDelimited(
      kUnknownField, random.Bytes(random.Below(12)));
}

// The frame, and the message in it, carry a field more; a greeting names a version that does not
// exist yet.
std::string Extended(const std::string& bytes, Random& random) {
  v1::Frame frame;
  if (!frame.ParseFromString(bytes)) return bytes;
  if (frame.has_hello()) frame.mutable_hello()->set_version(frame.hello().version() + 1);
  AddUnknown(frame, random);
  std::vector<const google::protobuf::FieldDescriptor*> kinds;
  frame.GetReflection()->ListFields(frame, &kinds);
  for (const google::protobuf::FieldDescriptor* kind : kinds) {
    if (kind->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE ||
        kind->is_repeated())
      continue;
    AddUnknown(*frame.GetReflection()->MutableMessage(&frame, kind), random);
  }
  return frame.SerializeAsString();
}

std::string FrameOfUnknownKind(Random& random) {
  v1::Frame frame;
  frame.GetReflection()->MutableUnknownFields(&frame)->AddLengthDelimited(
      kUnknownKind, random.Bytes(random.Below(60)));
  return frame.SerializeAsString();
}

}  // namespace

std::vector<Send> LaterVersion::Say(const Send& send) {
  const auto frame = [&](v1::Lane lane, std::string bytes) {
    return Send{.link = send.link,
                .lane = lane,
                .frame = std::make_shared<const std::string>(std::move(bytes))};
  };
  std::vector<Send> said;
  if (random_.Chance(0.1)) said.push_back(frame(v1::LANE_CONTROL, FrameOfUnknownKind(random_)));
  said.push_back(frame(send.lane, Extended(*send.frame, random_)));
  return said;
}

}  // namespace guantong::sim
