// A node of an earlier build, which does not know the stream of questions: asked one by one.
#include "node/cli/question_stream.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "guantong/v1/data.grpc.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

// Has the calls of one question alone, as earlier builds.
class EarlierService final : public v1::DataService::Service {
 public:
  grpc::Status Query(grpc::ServerContext*, const v1::QueryRequest* request,
                     v1::QueryResponse* response) override {
    ++asked;
    if (request->code() == "none") return {grpc::StatusCode::NOT_FOUND, "no such entry"};
    response->set_answered_by(request->code());
    return grpc::Status::OK;
  }
  std::atomic<int> asked{0};
};

std::future<absl::StatusOr<v1::QueryResponse>> Ask(QuestionStream& stream,
                                                   const std::string& code) {
  v1::QueryRequest request;
  request.set_code(code);
  auto promise = std::make_shared<std::promise<absl::StatusOr<v1::QueryResponse>>>();
  stream.Ask(std::move(request), absl::Seconds(20),
             [promise](absl::StatusOr<v1::QueryResponse> answer) {
               promise->set_value(std::move(answer));
             });
  return promise->get_future();
}

TEST_CASE("A node that does not know the stream of questions is asked one by one") {
  EarlierService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  REQUIRE(server != nullptr);
  {
    QuestionStream stream(
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
    auto a = Ask(stream, "a");
    auto none = Ask(stream, "none");
    CHECK(a.get()->answered_by() == "a");
    CHECK(absl::IsNotFound(none.get().status()));
    CHECK(Ask(stream, "b").get()->answered_by() == "b");
    CHECK(service.asked == 3);
  }
  server->Shutdown();
}

TEST_CASE("What ends the stream of questions ends every open one, with the reason") {
  QuestionStream stream(grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials()));
  CHECK(absl::IsUnavailable(Ask(stream, "a").get().status()));
  CHECK(absl::IsUnavailable(Ask(stream, "b").get().status()));
}

}  // namespace
}  // namespace guantong
