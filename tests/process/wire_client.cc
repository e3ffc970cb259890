#include "tests/process/wire_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "node/pushed_rows.h"
#include "relay/grpc/wire_status.h"

namespace guantong::test {
namespace {

constexpr std::chrono::seconds kCallWithin(30);
constexpr size_t kFragmentBytes = 64 << 10;

template <typename T>
T Require(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(value.status().ToString());
  return *std::move(value);
}

}  // namespace

Credentials CredentialsOfProfile(const std::string& file) {
  const Profile profile = Require(LoadProfile(file));
  return {profile.key_pem, profile.certificate_pem};
}

Credentials CredentialsOfNode(const std::string& dir) {
  const Identity identity = Require(LoadIdentity(dir));
  return {identity.tls_key.ToPem(), identity.tls_chain_pem};
}

std::shared_ptr<grpc::Channel> ChannelTo(const Node& node, const Credentials& credentials) {
  static const bool tls13 = [] { return RequireTls13(), true; }();
  (void)tls13;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(
      node.address(),
      MakeChannelCredentials(
          credentials.key_pem, credentials.chain_pem, /*network=*/"",
          [](const VerifiedChain&) { return absl::OkStatus(); }, [](const absl::Status&) {}),
      arguments);
}

OpenPush::OpenPush(const Node& node, const Client& editor, const std::string& code)
    : stub_(v1::DataService::NewStub(ChannelTo(node, CredentialsOfProfile(editor.profile())))) {
  context_.set_deadline(std::chrono::system_clock::now() + kCallWithin);
  stream_ = stub_->Push(&context_, &response_);
  v1::PushRequest request;
  request.mutable_open()->set_code(code);
  request.mutable_open()->add_fields("code");
  request.mutable_open()->add_fields("name");
  if (!stream_->Write(request)) throw std::runtime_error("the push could not be opened");
}

OpenPush::~OpenPush() {
  if (stream_ != nullptr) {
    context_.TryCancel();
    stream_->Finish();
  }
}

bool OpenPush::Add(const std::string& key, const std::string& name) {
  v1::PushRequest request;
  PushedRowsWriter rows;
  rows.Add({.line = 2, .values = {key, name}, .nulls = {}});
  request.set_rows(rows.Take());
  ++rows_;
  return stream_->Write(request);
}

grpc::Status OpenPush::Finish() {
  v1::PushRequest end;
  end.mutable_end()->set_rows(rows_);
  stream_->Write(end);
  stream_->WritesDone();
  const grpc::Status status = stream_->Finish();
  stream_.reset();
  return status;
}

RawLink::RawLink(const Node& parent, const Credentials& credentials, absl::Duration within)
    : stub_(v1::LinkService::NewStub(ChannelTo(parent, credentials))), session_(16, '\0') {
  static uint8_t sessions = 0;
  session_[0] = static_cast<char>(++sessions);
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    LaneStream& at = At(lane);
    at.context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoSeconds(within));
    at.stream = stub_->Session(&at.context);
  }
}

RawLink::~RawLink() {
  for (LaneStream* lane : {&control_, &bulk_}) {
    if (lane->stream == nullptr) continue;
    lane->context.TryCancel();
    lane->stream->Finish();
  }
}

bool RawLink::Open() {
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    v1::LinkMessage message;
    v1::LaneOpen& open = *message.mutable_open();
    open.set_session(session_);
    open.set_lane(lane);
    open.set_version_min(1);
    open.set_version_max(1);
    open.set_credit_bytes(4 << 20);
    Send(lane, message);
  }
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    v1::LinkMessage message;
    if (!Receive(lane, &message) || !message.has_open()) return false;
    At(lane).credit = message.open().credit_bytes();
  }
  return true;
}

bool RawLink::Send(v1::Lane lane, const v1::LinkMessage& message) {
  return At(lane).stream->Write(message);
}

bool RawLink::Receive(v1::Lane lane, v1::LinkMessage* message) {
  if (!At(lane).stream->Read(message)) return false;
  if (message->has_credit()) At(lane).credit += message->credit().bytes();
  return true;
}

bool RawLink::SendFrame(v1::Lane lane, const std::string& bytes) {
  for (size_t at = 0;;) {
    const size_t size = std::min(kFragmentBytes, bytes.size() - at);
    // Room for what a fragment costs beside its data.
    while (At(lane).credit < size + 1024) {
      v1::LinkMessage message;
      if (!Receive(lane, &message)) return false;
    }
    v1::LinkMessage message;
    message.mutable_fragment()->set_data(bytes.substr(at, size));
    message.mutable_fragment()->set_last(at + size == bytes.size());
    if (!Send(lane, message)) return false;
    At(lane).credit -= size;
    at += size;
    if (at == bytes.size()) return true;
  }
}

void RawLink::Cancel() {
  for (LaneStream* lane : {&control_, &bulk_}) lane->context.TryCancel();
}

grpc::Status RawLink::End(v1::Lane lane) {
  v1::LinkMessage message;
  while (Receive(lane, &message)) {
  }
  const grpc::Status status = At(lane).stream->Finish();
  At(lane).stream.reset();
  return status;
}

}  // namespace guantong::test
