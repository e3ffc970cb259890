#include "relay/grpc/wire_status.h"

#include <grpcpp/support/status.h>

#include <string>

#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("a status keeps code, message and detail over the wire") {
  const absl::Status sent =
      Error(absl::StatusCode::kFailedPrecondition, "replace_guard", "将删除 12 行，超过十分之一",
            "3070120337/630000000001", "确认后加 --expect-deletes 12");
  const grpc::Status wire = ToGrpc(sent);
  CHECK(wire.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  const absl::Status received = FromGrpc(wire);
  CHECK(received.code() == sent.code());
  CHECK(received.message() == sent.message());
  const ErrorDetail detail = DetailOf(received);
  CHECK(detail.reason == "replace_guard");
  CHECK(detail.subject == "3070120337/630000000001");
  CHECK(detail.remedy == "确认后加 --expect-deletes 12");
}

TEST_CASE("OK stays OK over the wire") {
  CHECK(ToGrpc(absl::OkStatus()).ok());
  CHECK(FromGrpc(grpc::Status::OK).ok());
}

TEST_CASE("a status without detail of ours still has a reason") {
  const absl::Status lost =
      FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "failed to connect"));
  CHECK(lost.code() == absl::StatusCode::kUnavailable);
  CHECK(DetailOf(lost).reason == "rpc_unavailable");
  const absl::Status late = FromGrpc(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""));
  CHECK(DetailOf(late).reason == "rpc_deadline_exceeded");
}

TEST_CASE("a foreign detail is survived") {
  const absl::Status odd =
      FromGrpc(grpc::Status(grpc::StatusCode::ABORTED, "?", "not a detail of ours"));
  CHECK(odd.code() == absl::StatusCode::kAborted);
  CHECK(DetailOf(odd).reason == "rpc_aborted");
}

TEST_CASE("a long message is cut at a character, within what trailing metadata holds") {
  std::string text;
  while (text.size() < 100000) text += "信息项";
  const grpc::Status wire =
      ToGrpc(Error(absl::StatusCode::kInvalidArgument, "entry_invalid", text, text, text));
  // Percent-encoding triples the message, base64 adds a third to the details.
  CHECK(wire.error_message().size() * 3 + wire.error_details().size() * 4 / 3 < 7000);
  const std::string& message = wire.error_message();
  CHECK(message.size() > kWireMessageBytesMax - 6);
  CHECK(message.substr(message.size() - 3) == "…");
  CHECK((message.size() - 3) % 3 == 0);
  CHECK(DetailOf(FromGrpc(wire)).reason == "entry_invalid");
}

}  // namespace
}  // namespace guantong
