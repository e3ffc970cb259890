// The api as a program uses it: a connection with a profile, and a push over it.
#ifndef GUANTONG_TESTS_BENCH_PUSH_H_
#define GUANTONG_TESTS_BENCH_PUSH_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "tests/network/client.h"

namespace guantong::bench {

inline Profile ProfileOf(const test::Client& client) {
  absl::StatusOr<Profile> profile = LoadProfile(client.profile());
  if (!profile.ok()) throw std::runtime_error(std::string(profile.status().message()));
  return *std::move(profile);
}

// A connection of its own.
inline std::shared_ptr<grpc::Channel> Connect(const Profile& profile) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(
      profile.node,
      MakeChannelCredentials(
          profile.key_pem, profile.certificate_pem, profile.network,
          [](const VerifiedChain&) { return absl::OkStatus(); }, [](const absl::Status&) {}),
      arguments);
}

// Upserts `rows` rows, `row(i)` their values; one push. Throws unless it is acknowledged.
inline void Push(v1::DataService::Stub* stub, const std::string& code,
                 const std::vector<std::string>& fields, int64_t rows,
                 const std::function<std::vector<std::string>(int64_t)>& row) {
  constexpr int kRowsPerMessage = 500;
  grpc::ClientContext context;
  v1::PushResponse response;
  const auto writer = stub->Push(&context, &response);
  v1::PushRequest request;
  request.mutable_open()->set_code(code);
  request.mutable_open()->set_mode(v1::PUSH_MODE_UPSERT);
  for (const std::string& field : fields) request.mutable_open()->add_fields(field);
  writer->Write(request);
  for (int64_t i = 0; i < rows;) {
    v1::PushRows* some = request.mutable_rows();
    some->Clear();
    for (; i < rows && some->rows_size() < kRowsPerMessage; ++i) {
      v1::PushRow* one = some->add_rows();
      one->set_line(static_cast<uint64_t>(i + 1));
      for (std::string& value : row(i)) one->add_values(std::move(value));
    }
    writer->Write(request);
  }
  request.mutable_end()->set_rows(static_cast<uint64_t>(rows));
  writer->Write(request);
  writer->WritesDone();
  if (const grpc::Status status = writer->Finish(); !status.ok()) {
    throw std::runtime_error("push: " + status.error_message());
  }
}

}  // namespace guantong::bench

#endif  // GUANTONG_TESTS_BENCH_PUSH_H_
