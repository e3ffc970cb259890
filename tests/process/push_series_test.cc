// A series of pushes as a program sends it, over the wire.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
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

  using Rows = std::vector<std::vector<std::string>>;
  bool Push(const Rows& rows, const std::string& batch_id = "") {
    v1::PushRequest request;
    request.mutable_open()->set_code(code_);
    request.mutable_open()->set_batch_id(batch_id);
    for (const char* field : {"code", "name"}) request.mutable_open()->add_fields(field);
    if (!stream_->Write(request)) return false;
    PushedRowsWriter writer;
    for (size_t n = 0; n < rows.size(); ++n)
      writer.Add({.line = n + 2, .values = {rows[n][0], rows[n][1]}, .nulls = {}});
    request.set_rows(writer.Take());
    if (!stream_->Write(request)) return false;
    request.mutable_end()->set_rows(rows.size());
    return stream_->Write(request);
  }
  bool Read(v1::PushAnswer* answer) { return stream_->Read(answer); }
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
  REQUIRE(series.Push({{"1", "甲"}}));
  REQUIRE(series.Push({{"2", "乙"}}));
  REQUIRE(series.Push({{"3", std::string(5000, 'x')}}));
  REQUIRE(series.Push({{"4", "丁"}}));
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
  REQUIRE(later.Push({{"5", "戊"}}));
  CHECK(later.Answer().response().commit() == 3);
  CHECK(later.Close().ok());
}

TEST_CASE(
    "kill -9 in the middle of a series: what was answered is there, all of it has one effect") {
  constexpr size_t kPushes = 40;
  constexpr size_t kAnswered = 8;  // at least, when the node is killed
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  // Larger than what is applied where it is read, so that pushes wait for one another.
  std::vector<Series::Rows> pushes(kPushes);
  for (size_t n = 0; n < kPushes; ++n) {
    for (size_t i = 0; i < kPutsRowsMax + 10; ++i)
      pushes[n].push_back({absl::StrCat(n * 1000 + i), absl::StrCat("第", n)});
  }
  std::vector<v1::PushResponse> answered;
  {
    Series series(node, editor, code);
    const auto answer = [&] {
      v1::PushAnswer given;
      if (!series.Read(&given)) return false;
      REQUIRE(given.code() == 0);
      answered.push_back(given.response());
      return true;
    };
    for (size_t n = 0; n < kPushes; ++n)
      REQUIRE(series.Push(pushes[n], absl::StrCat("series-", n)));
    while (answered.size() < kAnswered) REQUIRE(answer());
    node.Kill();
    while (answer()) continue;
  }
  node.Start();

  Series again(node, editor, code);
  uint64_t last = 0;
  for (size_t n = 0; n < kPushes; ++n) REQUIRE(again.Push(pushes[n], absl::StrCat("series-", n)));
  for (size_t n = 0; n < kPushes; ++n) {
    const v1::PushAnswer answer = again.Answer();
    REQUIRE(answer.code() == 0);
    const v1::PushResponse& taken = answer.response();
    INFO("push " << n << " of " << answered.size() << " answered");
    CHECK(taken.inserts() == kPutsRowsMax + 10);
    CHECK(taken.commit() >= last);
    last = taken.commit();
    if (n >= answered.size()) continue;
    CHECK(taken.repeated_batch());
    CHECK(taken.commit() == answered[n].commit());
    CHECK(taken.position().sequence() == answered[n].position().sequence());
  }
  CHECK(again.Close().ok());
  CHECK(editor.LocalRows(code) == static_cast<int64_t>(kPushes * (kPutsRowsMax + 10)));
}

}  // namespace
}  // namespace guantong::test
