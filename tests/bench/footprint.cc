// What a node costs at rest, and how soon it is back.
//
//   CHILDREN=64 ROWS=10000000 BATCH=500000  bench_footprint
//
// Prints one line:
//   idle_mb            resident memory of an idle county, the last of four levels
//   child_kib          what each of CHILDREN idle children adds to its parent, resident, once some
//                      are there
//   start_s            of a node with ROWS rows: from exec until it answers a query for the last
//   one back_s             the same after kill -9 under pushes that never paused, until it takes
//   the next disk_ratio         the store of that node at rest to the rows as gzip compresses them
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "guantong/v1/data.grpc.pb.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "tests/bench/measure.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Parameter;

// Of a register: an id, a name, a code and a date, as compressible as such things are.
std::string RowOf(int64_t id) {
  const auto mixed = static_cast<uint64_t>(id) * 0x9E3779B97F4A7C15u;
  return absl::StrFormat("%09d,第%d号登记单位有限公司,91%016x,2026-%02d-%02d", id, id % 100000,
                         mixed, 1 + mixed % 12, 1 + (mixed >> 8) % 28);
}

std::string Csv(const test::Folder& folder, int64_t from, int64_t to) {
  const std::string file = absl::StrCat(folder.path(), "/rows.csv");
  std::ofstream out(file);
  out << "id,name,code,day\n";
  for (int64_t id = from; id < to; ++id) out << RowOf(id) << "\n";
  return file;
}

double IdleMb() {
  test::Network network(test::FourLevels());
  test::Node& county = network["630102"];
  absl::SleepFor(absl::Seconds(5));
  return static_cast<double>(bench::ResidentKib(county.daemon().pid())) / 1024;
}

double ChildKib(int64_t children) {
  if (children == 0) return 0;
  test::Network network(test::OneNode());
  test::Node& parent = network["000000"];
  const auto add = [&](int64_t number) -> test::Node& {
    return network.AddNode(
        {absl::StrCat(630000 + number), absl::StrCat("省", number), "province", "000000"});
  };
  const auto rested_kib = [&] {
    // The allocator keeps what was freed for ten seconds. What is read before that tells of the
    // start of the node, and of the commands by which children were admitted.
    absl::SleepFor(absl::Seconds(12));
    return bench::ResidentKib(parent.daemon().pid());
  };
  // What the first ones bring (threads and their caches, arenas, the first block of a memtable, the
  // code of it all) is not of each.
  constexpr int64_t kFirst = 16;
  for (int64_t number = 0; number < kFirst; ++number) network.UntilLinked(add(number));
  const uint64_t before = rested_kib();
  for (int64_t number = 0; number < children; ++number) network.UntilLinked(add(kFirst + number));
  const uint64_t after = rested_kib();
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(children);
}

struct Big {
  double start_s = 0, back_s = 0, disk_mb = 0, disk_ratio = 0;
};

Big BigNode(int64_t rows, int64_t batch) {
  test::Network network(test::OneNode());
  test::Node& node = network["000000"];
  test::Entry entry;
  entry.name = "大数据集";
  entry.items = {{.field = "id", .name = "编号", .type = "I", .length = 18, .key = true},
                 {.field = "name", .name = "名称", .type = "C", .length = 64},
                 {.field = "code", .name = "代码", .type = "C", .length = 18},
                 {.field = "day", .name = "日期", .type = "C", .length = 10}};
  const test::Client editor = node.Editor();
  const std::string code = editor.Publish(entry, network.folder().path());
  const absl::Duration limit = absl::Minutes(30);
  for (int64_t from = 0; from < rows; from += batch) {
    editor.Do({"push", code, Csv(network.folder(), from, std::min(rows, from + batch))}, limit);
  }
  const auto answers = [&](int64_t id) {
    const test::Outcome outcome =
        editor.Try({"query", code, "--local", "--where", absl::StrCat("id = ", id)});
    return outcome.ok() && outcome.json().at("rows").size() == 1;
  };
  Big big;
  // Until merges have come to rest.
  for (uint64_t last = 0, now = 1; last != now;) {
    last = now;
    absl::SleepFor(absl::Seconds(5));
    now = bench::FolderBytes(node.dir());
  }
  big.disk_mb = static_cast<double>(bench::FolderBytes(node.dir())) / (1 << 20);
  uint64_t compressed = 0;
  for (int64_t from = 0; from < rows; from += batch) {
    const std::string file = Csv(network.folder(), from, std::min(rows, from + batch));
    compressed += std::strtoull(test::Shell("gzip -c " + file + " | wc -c").c_str(), nullptr, 10);
  }
  big.disk_ratio = big.disk_mb * (1 << 20) / static_cast<double>(compressed);

  node.Stop();
  absl::Time start = absl::Now();
  node.Start();
  bench::Await("the last row", [&] { return answers(rows - 1); });
  big.start_s = absl::ToDoubleSeconds(absl::Now() - start);

  std::atomic<bool> over{false};
  std::atomic<int> pushed{0};
  const std::string more = Csv(network.folder(), 0, std::min(rows, batch));
  std::thread load([&] {
    while (!over) {
      if (editor.Try({"push", code, more, "--mode", "delete"}, limit).ok()) ++pushed;
      if (!over && editor.Try({"push", code, more}, limit).ok()) ++pushed;
    }
  });
  bench::Await("the load", [&] {
    absl::SleepFor(absl::Milliseconds(10));
    return pushed >= 3;
  });
  node.Kill();
  over = true;
  load.join();
  const std::string one =
      network.folder().File("one.csv", "id,name,code,day\n" + RowOf(rows) + "\n");
  start = absl::Now();
  node.Start();
  editor.Do({"push", code, one}, limit);
  big.back_s = absl::ToDoubleSeconds(absl::Now() - start);
  return big;
}

int Run() {
  const int64_t children = Parameter("CHILDREN", 64);
  const int64_t rows = Parameter("ROWS", 10'000'000);
  const double idle_mb = IdleMb();
  const double child_kib = ChildKib(children);
  Big big;
  if (rows > 0) big = BigNode(rows, Parameter("BATCH", 500'000));
  std::printf(
      "footprint idle_mb=%.1f children=%lld child_kib=%.0f rows=%lld start_s=%.2f back_s=%.2f "
      "disk_mb=%.0f disk_ratio=%.2f\n",
      idle_mb, static_cast<long long>(children), child_kib, static_cast<long long>(rows),
      big.start_s, big.back_s, big.disk_mb, big.disk_ratio);
  return 0;
}

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_footprint: " << error.what() << "\n";
    return 1;
  }
}
