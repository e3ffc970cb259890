// A series of pushes as a program sends it, over the wire.
#include "catalog/base/status.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/pushed_rows.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

class Series {
 public:
  Series(const Node& node, const Client& editor, std::string code)
      : stub_(v1::DataService::NewStub(ChannelTo(node, CredentialsOfProfile(editor.profile())))),
        stream_(stub_->Pushes(&context_)),
        code_(std::move(code)) {}

  bool Push(const std::string& key, const std::string& name) {
    v1::PushRequest request;
    request.mutable_open()->set_code(code_);
    for (const char* field : {"code", "name"}) request.mutable_open()->add_fields(field);
    if (!stream_->Write(request)) return false;
    PushedRowsWriter rows;
    rows.Add({.line = 2, .values = {key, name}, .nulls = {}});
    request.set_rows(rows.Take());
    if (!stream_->Write(request)) return false;
    request.mutable_end()->set_rows(1);
    return stream_->Write(request);
  }
  v1::PushAnswer Answer() {
    v1::PushAnswer answer;
    REQUIRE(stream_->Read(&answer));
    return answer;
  }
  grpc::Status Close() {
    stream_->WritesDone();
    v1::PushAnswer answer;
    CHECK_FALSE(stream_->Read(&answer));
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::DataService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PushRequest, v1::PushAnswer>> stream_;
  const std::string code_;
};

TEST_CASE("a series of pushes: answers in order, a failure names itself, those before it stay") {
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  Series series(node, editor, code);
  REQUIRE(series.Push("1", "甲"));
  REQUIRE(series.Push("2", "乙"));
  REQUIRE(series.Push("3", std::string(5000, 'x')));
  REQUIRE(series.Push("4", "丁"));
  CHECK(series.Answer().response().commit() == 1);
  CHECK(series.Answer().response().commit() == 2);
  const v1::PushAnswer failed = series.Answer();
  CHECK(failed.code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK_FALSE(failed.message().empty());
  CHECK(
      DetailOf(WithDetail(absl::InvalidArgumentError(failed.message()), failed.detail())).reason ==
      "row_invalid");
  CHECK(series.Close().ok());
  CHECK(editor.LocalRows(code) == 2);

  // The dataset is free, and what was not taken left nothing.
  Series later(node, editor, code);
  REQUIRE(later.Push("5", "戊"));
  CHECK(later.Answer().response().commit() == 3);
  CHECK(later.Close().ok());
}

}  // namespace
}  // namespace guantong::test
