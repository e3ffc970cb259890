// The api as a program uses it: a connection with a profile, and a push over it.
#ifndef GUANTONG_TESTS_BENCH_PUSH_H_
#define GUANTONG_TESTS_BENCH_PUSH_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "node/pushed_rows.h"
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

// Pushes one after another on one stream, as a program does that pushes often. Every call throws
// when a push has failed.
class Pusher {
 public:
  // At most `ahead` pushes are under way before the next begins.
  Pusher(v1::DataService::Stub* stub, std::string code, std::vector<std::string> fields,
         int ahead = 2)
      : stream_(stub->Pushes(&context_)),
        code_(std::move(code)),
        fields_(std::move(fields)),
        ahead_(ahead) {}
  ~Pusher() {
    if (ended_) return;
    context_.TryCancel();
    stream_->Finish();
  }
  Pusher(const Pusher&) = delete;
  Pusher& operator=(const Pusher&) = delete;

  // Upserts `rows` rows, whose values `row(i, values)` puts where those of the one before stand;
  // returns when the node has been sent them.
  using Values = std::vector<std::string>;
  void Push(int64_t rows, const std::function<void(int64_t, Values*)>& row) {
    Await(ahead_);
    v1::PushRequest request;
    request.mutable_open()->set_code(code_);
    request.mutable_open()->set_mode(v1::PUSH_MODE_UPSERT);
    for (const std::string& field : fields_) request.mutable_open()->add_fields(field);
    Write(request, /*more=*/true);
    PushedRowsWriter some;
    PushedRow one;
    Values values(fields_.size());
    for (int64_t i = 0; i < rows;) {
      for (; i < rows && some.bytes() < kMessageBytes; ++i) {
        row(i, &values);
        one.line = static_cast<uint64_t>(i + 1);
        one.values.assign(values.begin(), values.end());
        some.Add(one);
      }
      request.set_rows(some.Take());
      Write(request, /*more=*/i == rows);
    }
    request.mutable_end()->set_rows(static_cast<uint64_t>(rows));
    Write(request, /*more=*/false);
    ++under_way_;
  }

  // Until no more than `left` are unanswered.
  void Await(int left = 0) {
    for (v1::PushAnswer answer; under_way_ > left; --under_way_) {
      if (!stream_->Read(&answer)) throw std::runtime_error("push: " + Ended());
      if (answer.code() != 0) throw std::runtime_error("push: " + answer.message());
    }
  }

 private:
  static constexpr size_t kMessageBytes = 256 << 10;

  // `more`: another follows at once and takes it along.
  void Write(const v1::PushRequest& request, bool more) {
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    if (!stream_->Write(request, options)) throw std::runtime_error("push: " + Ended());
  }
  std::string Ended() {
    ended_ = true;
    return stream_->Finish().error_message();
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PushRequest, v1::PushAnswer>> stream_;
  const std::string code_;
  const std::vector<std::string> fields_;
  const int ahead_;
  int under_way_ = 0;
  bool ended_ = false;
};

// Upserts `rows` rows, `row(i)` their values; one push, acknowledged.
inline void Push(v1::DataService::Stub* stub, const std::string& code,
                 const std::vector<std::string>& fields, int64_t rows,
                 const std::function<std::vector<std::string>(int64_t)>& row) {
  Pusher pusher(stub, code, fields);
  pusher.Push(rows, [&](int64_t i, Pusher::Values* values) { *values = row(i); });
  pusher.Await();
}

}  // namespace guantong::bench

#endif  // GUANTONG_TESTS_BENCH_PUSH_H_
