// Rows pushed at a county, kept as queryable rows at all four levels: the work of PostgreSQL's
// logical cascade, on the same rows.
//
//   ROWS=1000000 BATCH=1000 UPDATES=200000 LAT=300 LAT_GAP_MS=20 AHEAD=3 LOAD=...  bench_cascade
//
// The rows are pushed in series, a push begun while AHEAD before it are not yet acknowledged
// (3: four thousand rows, as many as the NATS peer has under way; 0: one after another,
// as PostgreSQL's does). Four real daemons in a line, TLS on every link, each
// level subscribes to the dataset and acknowledges only what it has fsynced. Prints one line:
//   ins_rows_s    until the top answers a local query for the last key and the full count
//   src_rows_s    until the county has acknowledged the last push
//   cpu_us_row    processor time of the four nodes for an inserted row; cpu_us_row_source: of this
//                 program, which makes the messages
//   upd_rows_s    updates by key, until the top shows the last one (pushes are in order, so all
//                 before it)
//   lat_p50/p99   one-row pushes on the idle network: from the call at the county until the top's
//                 local query shows the row
//   push_p50/p99  of these, until the county has acknowledged
//   load_lat_...  lat while another dataset is pushed at load_rows_s, LOAD or half of ins_rows_s
#include <google/protobuf/descriptor.h>
#include <grpcpp/grpcpp.h>
#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/identity/credentials.h"
#include "tests/bench/measure.h"
#include "tests/bench/push.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Await;
using bench::FolderBytes;
using bench::Parameter;
using bench::PssKib;

std::string Md5Hex(const std::string& text) {
  unsigned char digest[16];
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest, &length, EVP_md5(), nullptr);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

// The peer's row: an id, a version, and six MD5 in hex.
std::string ValueOf(int64_t id) {
  std::string value;
  for (int64_t j = 1; j <= 6; ++j) value += Md5Hex(std::to_string(id * 7 + j));
  return value;
}

class Editor {
 public:
  explicit Editor(const test::Client& client)
      : channel_(bench::Connect(bench::ProfileOf(client))),
        stub_(v1::DataService::NewStub(channel_)) {}

  v1::DataService::Stub* stub() { return stub_.get(); }

  // The version of a row in the local copy; 0 when it is not there.
  int64_t LocalVersion(const std::string& code, int64_t id) {
    v1::QueryResponse response = Query(code, absl::StrCat("id = ", id), /*count=*/false);
    return response.rows_size() == 0 ? 0 : std::atoll(response.rows(0).values(1).c_str());
  }

  int64_t LocalCount(const std::string& code) {
    return static_cast<int64_t>(Query(code, "", /*count=*/true).total());
  }

 private:
  v1::QueryResponse Query(const std::string& code, const std::string& where, bool count) {
    grpc::ClientContext context;
    v1::QueryRequest request;
    request.set_code(code);
    request.set_where(where);
    request.set_local(true);
    request.set_count(count);
    v1::QueryResponse response;
    const grpc::Status status = stub_->Query(&context, request, &response);
    // Before the first batch arrives there is no copy.
    if (!status.ok() && status.error_code() != grpc::StatusCode::NOT_FOUND) {
      throw std::runtime_error("query: " + status.error_message());
    }
    return response;
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::DataService::Stub> stub_;
};

int Run() {
  const int64_t rows = Parameter("ROWS", 1000000);
  const int64_t batch = Parameter("BATCH", 1000);
  const int64_t updates = std::min(rows, Parameter("UPDATES", 200000));
  const int ahead = static_cast<int>(Parameter("AHEAD", 3));
  const int64_t singles = Parameter("LAT", 300);
  const absl::Duration gap = absl::Milliseconds(Parameter("LAT_GAP_MS", 20));

  test::Network network(test::FourLevels());
  test::Node& county = network["630102"];
  test::Node& top = network["000000"];
  test::Entry entry;
  entry.name = "性能测试行";
  entry.items = {{.field = "id", .name = "编号", .type = "I", .length = 18, .key = true},
                 {.field = "ver", .name = "版本", .type = "I", .length = 9},
                 {.field = "val", .name = "内容", .type = "C", .length = 256}};
  const std::string code = county.Editor().Publish(entry, network.folder().path());
  entry.name = "旁行数据";
  const std::string beside = county.Editor().Publish(entry, network.folder().path());
  for (const char* division : {"630100", "630000", "000000"}) {
    for (const std::string& one : {code, beside}) network[division].Editor().Do({"subscribe", one});
  }
  Editor source(county.Editor());
  Editor sink(top.Editor());
  std::vector<std::string> texts;
  for (int64_t id = 0; id < rows + 2 * singles; ++id) texts.push_back(ValueOf(id));
  bench::Pusher pusher(source.stub(), code, {"id", "ver", "val"}, ahead);
  const auto push = [&](int64_t from, int64_t to, int64_t version, bool reversed) {
    pusher.Push(to - from, [&](int64_t i, bench::Pusher::Values* values) {
      (*values)[0] = std::to_string(from + i);
      (*values)[1] = std::to_string(version);
      std::string& text = (*values)[2];
      text = texts[static_cast<size_t>(from + i)];
      if (reversed) std::reverse(text.begin(), text.end());
    });
  };

  const auto processor = [&] {
    double seconds = 0;
    for (test::Node* node : network.nodes()) {
      seconds += bench::ProcessorSeconds(node->daemon().pid());
    }
    return seconds;
  };
  const double used_before = processor();
  const double own_before = bench::ProcessorSeconds(getpid());
  const absl::Time start = absl::Now();
  for (int64_t from = 0; from < rows; from += batch) {
    push(from, std::min(rows, from + batch), 1, false);
  }
  pusher.Await();
  const absl::Time pushed = absl::Now();
  Await("the last row at the top", [&] { return sink.LocalVersion(code, rows - 1) == 1; });
  const absl::Time arrived = absl::Now();
  const double row_us = 1e6 / static_cast<double>(rows);
  const double nodes_us = (processor() - used_before) * row_us;
  const double source_us = (bench::ProcessorSeconds(getpid()) - own_before) * row_us;
  if (sink.LocalCount(code) != rows) throw std::runtime_error("the top has lost rows");

  const auto rate = [](int64_t count, absl::Duration time) {
    return static_cast<int64_t>(static_cast<double>(count) / absl::ToDoubleSeconds(time));
  };
  const absl::Time update_start = absl::Now();
  for (int64_t from = 0; from < updates; from += batch) {
    push(from, std::min(updates, from + batch), 2, true);
  }
  pusher.Await();
  if (updates > 0) {
    Await("the last update at the top", [&] { return sink.LocalVersion(code, updates - 1) == 2; });
  }
  const absl::Time updated = absl::Now();

  // One row at a time, from `first` on: until acknowledged, until at the top.
  struct Latencies {
    std::vector<double> push_ms, top_ms;
  };
  const auto one_by_one = [&](int64_t first) {
    Latencies took;
    for (int64_t id = first; id < first + singles; ++id) {
      const absl::Time call = absl::Now();
      push(id, id + 1, 1, false);
      pusher.Await();
      took.push_ms.push_back(absl::ToDoubleMilliseconds(absl::Now() - call));
      Await("a single row at the top", [&] { return sink.LocalVersion(code, id) == 1; });
      took.top_ms.push_back(absl::ToDoubleMilliseconds(absl::Now() - call));
      absl::SleepFor(gap);
    }
    return took;
  };
  const Latencies idle = one_by_one(rows);

  uint64_t pss_kib = 0;
  uint64_t disk = 0;
  for (test::Node* node : network.nodes()) {
    pss_kib += PssKib(node->daemon().pid());
    disk += FolderBytes(node->dir());
  }

  // The same while another dataset is pushed at the same way at a steady rate.
  const int64_t load = Parameter("LOAD", rate(rows, arrived - start) / 2);
  Latencies loaded;
  if (load > 0) {
    std::atomic<bool> stop = false;
    std::future<void> background = std::async(std::launch::async, [&] {
      Editor other(county.Editor());
      bench::Pusher bulk(other.stub(), beside, {"id", "ver", "val"}, ahead);
      absl::Time next = absl::Now();
      for (int64_t from = 0; !stop; from += batch) {
        bulk.Push(batch, [&](int64_t i, bench::Pusher::Values* values) {
          (*values)[0] = std::to_string(from + i);
          (*values)[1] = "1";
          (*values)[2] = texts[static_cast<size_t>(from + i) % texts.size()];
        });
        next += absl::Seconds(static_cast<double>(batch) / static_cast<double>(load));
        absl::SleepFor(next - absl::Now());
      }
      bulk.Await();
    });
    loaded = one_by_one(rows + singles);
    stop = true;
    background.get();
  }
  std::printf(
      "cascade rows=%lld batch=%lld ins_s=%.3f ins_rows_s=%lld src_rows_s=%lld cpu_us_row=%.2f "
      "cpu_us_row_source=%.2f upd=%lld upd_s=%.3f "
      "upd_rows_s=%lld "
      "lat_p50_ms=%.2f lat_p99_ms=%.2f push_p50_ms=%.2f push_p99_ms=%.2f pss_mb_4nodes=%llu "
      "disk_mb_4nodes=%llu load_rows_s=%lld load_lat_p50_ms=%.2f load_lat_p99_ms=%.2f\n",
      static_cast<long long>(rows), static_cast<long long>(batch),
      absl::ToDoubleSeconds(arrived - start), static_cast<long long>(rate(rows, arrived - start)),
      static_cast<long long>(rate(rows, pushed - start)), nodes_us, source_us,
      static_cast<long long>(updates), absl::ToDoubleSeconds(updated - update_start),
      static_cast<long long>(rate(updates, updated - update_start)),
      bench::Quantile(idle.top_ms, 0.5), bench::Quantile(idle.top_ms, 0.99),
      bench::Quantile(idle.push_ms, 0.5), bench::Quantile(idle.push_ms, 0.99),
      static_cast<unsigned long long>(pss_kib / 1024), static_cast<unsigned long long>(disk >> 20),
      static_cast<long long>(load), bench::Quantile(loaded.top_ms, 0.5),
      bench::Quantile(loaded.top_ms, 0.99));
  return 0;
}

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_cascade: " << error.what() << "\n";
    return 1;
  }
}
