// A whole dataset to a new subscriber, beside the rate at which its rows came to one that was
// there.
//
//   ROWS=10000000 BATCH=1000  bench_snapshot
//
// Three real daemons, TLS, fsynced: an origin and two children. The first subscribes before there
// is a row, all rows of 200 B are pushed in a series and come to it by the log (the
// tail). Then the second subscribes; more than a log keeps (512 MiB, five million such rows) comes
// as a snapshot, less as the log. Prints one line:
//   tail_rows_s                 from the first push until the first child answers for the last row
//   tail_cpu_us_row             processor time of origin and first child for a row
//   new_rows_s, new_cpu_us_row  from the subscription until the second child answers for it; of
//                               origin and second child
//   by                          snapshot or log: how it came
//   ratio                       of both rates
//   made_s, made_cpu_s          of a snapshot, until the second child has heard of it; processor
//                               time of the origin for that
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "node/identity/identity.h"
#include "tests/bench/measure.h"
#include "tests/bench/push.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Parameter;
using Stub = v1::DataService::Stub;

double CpuSeconds(test::Node& node) { return bench::ProcessorSeconds(node.daemon().pid()); }

// 192 digits that only their alphabet lets pack.
std::string ValueOf(int64_t id) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string value(192, '0');
  auto word = static_cast<uint64_t>(id + 1);
  for (size_t i = 0; i < value.size(); i += 16) {
    word = (word ^ (word >> 31)) * 0x9E3779B97F4A7C15u + 1;
    for (size_t j = 0; j < 16; ++j) value[i + j] = kHex[(word >> (4 * j)) & 15];
  }
  return value;
}

std::unique_ptr<Stub> At(test::Node& node) {
  return v1::DataService::NewStub(bench::Connect(bench::ProfileOf(node.Editor())));
}

bool Has(Stub* at, const std::string& code, int64_t id) {
  v1::QueryRequest request;
  request.set_code(code);
  request.set_where(absl::StrCat("id = ", id));
  request.set_local(true);
  v1::QueryResponse response;
  grpc::ClientContext context;
  return at->Query(&context, request, &response).ok() && response.rows_size() == 1 &&
         response.rows(0).values(1) == ValueOf(id);
}

v1::Subscription Subscribed(Stub* at) {
  v1::SubscriptionList list;
  grpc::ClientContext context;
  const grpc::Status status = at->Subscriptions(&context, {}, &list);
  if (!status.ok()) throw std::runtime_error(status.error_message());
  return list.subscriptions(0);
}

int Run() {
  const int64_t rows = Parameter("ROWS", 10'000'000);
  const int64_t batch = Parameter("BATCH", 1000);
  test::Network network(test::OneNode());
  test::Node& root = network["000000"];
  test::Node& first = network.AddFolder({"630000", "青海省", "province", "000000"});
  test::Node& second = network.AddFolder({"140000", "山西省", "province", "000000"});
  first.Start();
  network.UntilLinked(first);
  test::Entry entry;
  entry.name = "快照";
  entry.items = {{.field = "id", .name = "编号", .type = "I", .length = 18, .key = true},
                 {.field = "val", .name = "内容", .type = "C", .length = 200}};
  const std::string code = root.Editor().Publish(entry, network.folder().path());
  const auto subscribe = [&](test::Node& child) {
    network.Until("the entry at the child", [&] {
      return child.Editor().Try({"subscribe", code}).ok();
    });
  };
  subscribe(first);

  const auto source = At(root);
  const auto at_first = At(first);
  double cpu = CpuSeconds(root) + CpuSeconds(first);
  absl::Time begin = absl::Now();
  {
    bench::Pusher pusher(source.get(), code, {"id", "val"});
    for (int64_t from = 0; from < rows; from += batch) {
      pusher.Push(std::min(batch, rows - from), [&](int64_t i, bench::Pusher::Values* values) {
        *values = {std::to_string(from + i), ValueOf(from + i)};
      });
    }
    pusher.Await();
  }
  bench::Await("the last row at the first child",
               [&] { return Has(at_first.get(), code, rows - 1); });
  const double tail_s = absl::ToDoubleSeconds(absl::Now() - begin);
  const double tail_cpu = CpuSeconds(root) + CpuSeconds(first) - cpu;

  bench::AwaitRest([&] { return CpuSeconds(root) + CpuSeconds(first); });
  second.Start();
  network.UntilLinked(second);
  const auto at_second = At(second);
  cpu = CpuSeconds(root) + CpuSeconds(second);
  begin = absl::Now();
  subscribe(second);
  bool snapshot = false;
  double made_s = 0, made_cpu = 0;
  const double root_cpu = CpuSeconds(root);
  bench::Await("the last row at the second child", [&] {
    const bool loading = Subscribed(at_second.get()).snapshot_chunks() > 0;
    if (loading && !snapshot) {
      made_s = absl::ToDoubleSeconds(absl::Now() - begin);
      made_cpu = CpuSeconds(root) - root_cpu;
    }
    snapshot |= loading;
    absl::SleepFor(absl::Milliseconds(20));
    return Has(at_second.get(), code, rows - 1);
  });
  const double new_s = absl::ToDoubleSeconds(absl::Now() - begin);
  const double new_cpu = CpuSeconds(root) + CpuSeconds(second) - cpu;
  const auto each = [&](double seconds) { return seconds * 1e6 / static_cast<double>(rows); };
  const auto rate = [&](double seconds) { return static_cast<double>(rows) / seconds; };
  std::printf(
      "snapshot rows=%lld tail_rows_s=%.0f tail_cpu_us_row=%.2f new_rows_s=%.0f "
      "new_cpu_us_row=%.2f by=%s ratio=%.2f made_s=%.1f made_cpu_s=%.1f\n",
      static_cast<long long>(rows), rate(tail_s), each(tail_cpu), rate(new_s), each(new_cpu),
      snapshot ? "snapshot" : "log", tail_s / new_s, made_s, made_cpu);
  return 0;
}

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_snapshot: " << error.what() << "\n";
    return 1;
  }
}
