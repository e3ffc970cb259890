// Keyed queries of one row, asked at the top and answered by a county three hops below: the work of
// an nginx chain that fetches a small body through three proxies.
//
//   DUR=5 CONNS=32 BODY=1024 ROWS=10000 SHARED=1 HOPS=3  bench_calls
//
// HOPS=0 asks the county itself: what a caller's own connection and the look-up cost.
//
// Four real daemons in a line, TLS both ways on every link and of every caller. A caller is a
// connection kept open that asks again as soon as it has its answer, like one of wrk's. Every
// answer is the row that was asked for, checked: identity, sharing and the row itself. Prints one
// line:
//   lat_p50/p99_us        one caller
//   rps_c1, rps           requests a second of one caller and of CONNS
//   lat_cN_p50/p99_us     of CONNS callers
//   shared_rps            CONNS callers on one connection
//   switches_call         context switches of the four daemons per request, one caller
//   cpu_us_call           CPU of the four daemons per request, CONNS callers
//   caller_us_call        CPU of the callers per request, CONNS callers
//   shared_cpu_us_call    cpu_us_call of CONNS callers on one connection
#include <grpcpp/grpcpp.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/cli/question_stream.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "tests/bench/measure.h"
#include "tests/bench/push.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Connect;
using bench::Parameter;

// One caller: asks, checks, asks again, until the time is over.
class Caller {
 public:
  Caller(std::shared_ptr<QuestionStream> stream, std::string code, int64_t rows, size_t body,
         int hops, uint64_t seed)
      : stream_(std::move(stream)), rows_(rows), body_(body), hops_(hops), random_(seed * 7919) {
    request_.set_code(std::move(code));
    request_.set_purpose("bench");
  }

  void Run(absl::Time until) {
    until_ = until;
    latencies_us_.clear();
    Ask();
  }
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [this] { return done_; });
    done_ = false;
    if (!failure_.empty()) throw std::runtime_error(failure_);
  }
  const std::vector<double>& latencies_us() const { return latencies_us_; }

 private:
  void Ask() {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    id_ = std::to_string((random_ >> 33) % static_cast<uint64_t>(rows_));
    request_.set_where("id = " + id_);
    asked_at_ = absl::Now();
    stream_->Ask(request_, absl::Seconds(20),
                 [this](const absl::StatusOr<v1::QueryResponse>& answer) { Answered(answer); });
  }

  void Answered(const absl::StatusOr<v1::QueryResponse>& answer) {
    const absl::Time now = absl::Now();
    latencies_us_.push_back(absl::ToDoubleMicroseconds(now - asked_at_));
    if (!answer.ok()) return End(std::string(answer.status().message()));
    if (answer->rows_size() != 1 || answer->rows(0).values(0) != id_ ||
        answer->rows(0).values(1).size() != body_ || answer->hops_size() != hops_ + 1) {
      return End("another answer: " + answer->ShortDebugString());
    }
    if (now >= until_) return End("");
    Ask();
  }

  void End(std::string failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    failure_ = std::move(failure);
    done_ = true;
    ended_.notify_one();
  }

  const std::shared_ptr<QuestionStream> stream_;
  const int64_t rows_;
  const size_t body_;
  const int hops_;
  uint64_t random_;
  v1::QueryRequest request_;
  std::string id_;
  absl::Time until_;
  absl::Time asked_at_;
  std::vector<double> latencies_us_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::string failure_;
};

struct Spent {
  double switches = 0;
  double cpu_us = 0;
  double caller_us = 0;
};

Spent SpentBy(test::Network& network) {
  Spent spent;
  for (test::Node* node : network.nodes()) {
    const pid_t pid = node->daemon().pid();
    for (const auto& task :
         std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
      const std::string file = absl::StrCat("task/", task.path().filename().string(), "/status");
      spent.switches +=
          static_cast<double>(bench::ProcessFigure(pid, file.c_str(), "voluntary_ctxt_switches:"));
    }
    spent.cpu_us += bench::ProcessorSeconds(pid) * 1e6;
  }
  spent.caller_us = bench::ProcessorSeconds(getpid()) * 1e6;
  return spent;
}

struct Figures {
  double p50_us, p99_us, per_second, switches_call, cpu_us_call, caller_us_call;
};

Figures Measure(test::Network& network, std::vector<std::unique_ptr<Caller>>& callers,
                absl::Duration duration) {
  const Spent before = SpentBy(network);
  const absl::Time start = absl::Now();
  for (auto& caller : callers) caller->Run(start + duration);
  for (auto& caller : callers) caller->Wait();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  const Spent after = SpentBy(network);
  std::vector<double> all;
  for (auto& caller : callers) {
    all.insert(all.end(), caller->latencies_us().begin(), caller->latencies_us().end());
  }
  const double calls = static_cast<double>(all.size());
  return {.p50_us = bench::Quantile(all, 0.5),
          .p99_us = bench::Quantile(all, 0.99),
          .per_second = calls / seconds,
          .switches_call = (after.switches - before.switches) / calls,
          .cpu_us_call = (after.cpu_us - before.cpu_us) / calls,
          .caller_us_call = (after.caller_us - before.caller_us) / calls};
}

int Run() {
  const absl::Duration duration = absl::Seconds(Parameter("DUR", 5));
  const int64_t connections = Parameter("CONNS", 32);
  const size_t body = static_cast<size_t>(Parameter("BODY", 1024));
  const int64_t rows = Parameter("ROWS", 10000);

  test::Network network(test::FourLevels());
  test::Node& county = network["630102"];
  const int hops = static_cast<int>(Parameter("HOPS", 3));
  test::Node& top = network[std::vector<std::string>{"630102", "630100", "630000", "000000"}.at(
      static_cast<size_t>(hops))];
  test::Entry entry;
  entry.name = "性能测试行";
  entry.items = {{.field = "id", .name = "编号", .type = "I", .length = 18, .key = true},
                 {.field = "val", .name = "内容", .type = "C", .length = 4096}};
  const std::string code = county.Editor().Publish(entry, network.folder().path());
  bench::Push(v1::DataService::NewStub(Connect(bench::ProfileOf(county.Editor()))).get(), code,
              {"id", "val"}, rows, [&](int64_t id) {
                return std::vector<std::string>{
                    std::to_string(id), std::string(body, static_cast<char>('a' + id % 26))};
              });
  const test::Client asker = top.Editor();
  network.Until("the entry at the top", [&] {
    return asker.Try({"catalog", "show", code}).exit_status == 0;
  });
  const Profile profile = bench::ProfileOf(asker);

  std::vector<std::unique_ptr<Caller>> callers;
  const auto open = [&] { return std::make_shared<QuestionStream>(Connect(profile)); };
  const auto add = [&](const std::shared_ptr<QuestionStream>& stream) {
    callers.push_back(std::make_unique<Caller>(stream, code, rows, body, hops, callers.size() + 1));
  };
  add(open());
  Measure(network, callers, absl::Seconds(1));
  const Figures one = Measure(network, callers, duration);
  while (callers.size() < static_cast<size_t>(connections)) add(open());
  const Figures many = Measure(network, callers, duration);
  Figures shared = {};
  if (Parameter("SHARED", 1) != 0) {
    callers.clear();
    const auto stream = open();
    while (callers.size() < static_cast<size_t>(connections)) add(stream);
    shared = Measure(network, callers, duration);
  }
  std::printf(
      "calls hops=%d body=%zu lat_p50_us=%.0f lat_p99_us=%.0f rps_c1=%.0f conns=%lld rps=%.0f "
      "lat_c%lld_p50_us=%.0f lat_c%lld_p99_us=%.0f shared_rps=%.0f switches_call=%.1f "
      "cpu_us_call=%.0f caller_us_call=%.0f shared_cpu_us_call=%.0f\n",
      hops, body, one.p50_us, one.p99_us, one.per_second, static_cast<long long>(connections),
      many.per_second, static_cast<long long>(connections), many.p50_us,
      static_cast<long long>(connections), many.p99_us, shared.per_second, one.switches_call,
      many.cpu_us_call, many.caller_us_call, shared.cpu_us_call);
  return 0;
}

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_calls: " << error.what() << "\n";
    return 1;
  }
}
