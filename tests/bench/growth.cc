// What one changed row costs beside ever more that does not change.
//
//   ROWS=10000000 ENTRIES=100000 DATASETS=100000 CHILDREN=64 DELTAS=300  bench_growth
//
// Two real daemons, an origin and a child that subscribes, TLS, fsynced. A delta is a push of one
// row that exists, over a connection that is open. First into datasets of 1,000, 100,000 and ROWS
// rows; then into the smallest again beside ENTRIES more entries in the catalogue, DATASETS more
// datasets and CHILDREN more children (each stage on top of those before; 0 leaves it out). Then a
// push in `replace` mode of all ROWS rows, ten of them changed. Prints one line; of every stage
//   ms_X, cpu_us_X, child_us_X   a delta's p50 until it is acknowledged, and the processor time it
//                                takes at the origin and at the child, until the child has it
// and
//   replace_s, replace_cpu_s     until the child has the changes; processor time of the origin
//   replace_kb                   what the origin sent over the link meanwhile
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/rocks/rocks_store.h"
#include "node/driver.h"
#include "node/identity/identity.h"
#include "tests/bench/corpus/corpus.h"
#include "tests/bench/measure.h"
#include "tests/bench/push.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Parameter;

constexpr int64_t kRowsPerPush = 500'000;
constexpr uint64_t kBatchEntries = 500;
constexpr int kUnderWay = 1000;
constexpr int64_t kChanged = 10;
constexpr absl::Duration kLimit = absl::Minutes(30);

double CpuSeconds(test::Node& node) { return bench::ProcessorSeconds(node.daemon().pid()); }

std::string Value(int64_t id, int64_t version) {
  return absl::StrCat("第", id % 1000, "街道办事处登记第", version, "版");
}

class Bench {
 public:
  int Run() {
    child_.Start();
    network_.UntilLinked(child_);
    std::vector<std::pair<int64_t, std::string>> sizes = {{1'000, "1k"}, {100'000, "100k"}};
    if (rows_ > 0) sizes.push_back({rows_, "rows"});
    for (const auto& [rows, name] : sizes) {
      Dataset dataset = {.code = Publish(name), .rows = rows};
      Load(dataset);
      Stage(name, dataset);
      if (rows == 1'000) small_ = dataset;
      if (rows == rows_) big_ = dataset;
    }
    if (rows_ > 0) Replace();
    const int64_t entries = Parameter("ENTRIES", 100'000);
    if (entries > 0) {
      AddToRoot([&](Driver& driver, const Identity& identity) {
        AddEntries(driver, identity, static_cast<uint64_t>(entries));
      });
      Stage("entries", small_);
    }
    const int64_t datasets = Parameter("DATASETS", 100'000);
    if (datasets > 0) {
      AddToRoot([&](Driver& driver, const Identity&) { AddDatasets(driver, datasets); });
      Stage("datasets", small_);
    }
    const int64_t children = Parameter("CHILDREN", 64);
    for (int64_t number = 1; number <= children; ++number) {
      network_.UntilLinked(network_.AddNode(
          {absl::StrCat(640000 + number), absl::StrCat("省", number), "province", "000000"}));
    }
    if (children > 0) Stage("children", small_);
    std::printf("growth rows=%lld%s\n", static_cast<long long>(rows_), line_.c_str());
    return 0;
  }

 private:
  struct Dataset {
    std::string code;
    int64_t rows = 0;
  };

  void Note(const std::string& name, double value) {
    char text[96];
    std::snprintf(text, sizeof text, " %s=%.2f", name.c_str(), value);
    line_ += text;
    std::cerr << text << std::endl;
  }

  std::string Publish(const std::string& name) {
    test::Entry entry;
    entry.name = "增长" + name;
    entry.items = {{.field = "id", .name = "编号", .type = "I", .length = 18, .key = true},
                   {.field = "val", .name = "内容", .type = "C", .length = 200}};
    const std::string code = root_.Editor().Publish(entry, network_.folder().path());
    network_.Until("the entry at the child", [&] {
      return child_.Editor().Try({"subscribe", code}).ok();
    });
    return code;
  }

  std::string File(int64_t from, int64_t to, int64_t changed) {
    const std::string file = absl::StrCat(network_.folder().path(), "/rows.csv");
    std::ofstream out(file);
    out << "id,val\n";
    const int64_t every = changed > 0 ? (to - from) / changed : 0;
    for (int64_t id = from; id < to; ++id) {
      const bool changes = every > 0 && id % every == every / 2;
      out << id << "," << Value(id, changes ? 1'000'000 : 0) << "\n";
    }
    return file;
  }

  void Load(const Dataset& dataset) {
    for (int64_t from = 0; from < dataset.rows; from += kRowsPerPush) {
      const std::string file = File(from, std::min(dataset.rows, from + kRowsPerPush), 0);
      root_.Editor().Do({"push", dataset.code, file}, kLimit);
    }
    bench::Await("the rows at the child",
                 [&] { return ChildHas(dataset, dataset.rows - 1, Value(dataset.rows - 1, 0)); });
  }

  bool ChildHas(const Dataset& dataset, int64_t id, const std::string& value) {
    v1::QueryRequest request;
    request.set_code(dataset.code);
    request.set_where(absl::StrCat("id = ", id));
    request.set_local(true);
    v1::QueryResponse response;
    grpc::ClientContext context;
    if (at_child_ == nullptr) at_child_ = Stub(child_);
    return at_child_->Query(&context, request, &response).ok() && response.rows_size() == 1 &&
           response.rows(0).values(1) == value;
  }

  static std::unique_ptr<v1::DataService::Stub> Stub(test::Node& node) {
    return v1::DataService::NewStub(bench::Connect(bench::ProfileOf(node.Editor())));
  }

  // Until no daemon has more to do than to live.
  void Settle() {
    bench::AwaitRest([&] { return CpuSeconds(root_) + CpuSeconds(child_); });
  }

  void Stage(const std::string& name, const Dataset& dataset) {
    Settle();
    const auto stub = Stub(root_);
    const auto delta = [&] {
      ++version_;
      const int64_t id = (version_ * 7919) % dataset.rows;
      const absl::Time begin = absl::Now();
      bench::Push(stub.get(), dataset.code, {"id", "val"}, 1, [&](int64_t) {
        return std::vector<std::string>{std::to_string(id), Value(id, version_)};
      });
      const double ms = absl::ToDoubleMilliseconds(absl::Now() - begin);
      last_ = {id, Value(id, version_)};
      return ms;
    };
    for (int i = 0; i < 20; ++i) delta();
    const double root_before = CpuSeconds(root_), child_before = CpuSeconds(child_);
    std::vector<double> took;
    for (int64_t i = 0; i < deltas_; ++i) took.push_back(delta());
    bench::Await("the last delta", [&] { return ChildHas(dataset, last_.first, last_.second); });
    const auto each = [&](double seconds) { return seconds * 1e6 / static_cast<double>(deltas_); };
    Note("ms_" + name, bench::Quantile(took, 0.5));
    Note("cpu_us_" + name, each(CpuSeconds(root_) - root_before));
    Note("child_us_" + name, each(CpuSeconds(child_) - child_before));
  }

  double SentKb() {
    double bytes = 0;
    const nlohmann::json shown = root_.Operator().Do({"links"});
    for (const auto& link : shown.at("links")) {
      bytes += std::stod(link.at("bytes_sent").get<std::string>());
    }
    return bytes / 1e3;
  }

  void Replace() {
    const std::string file = File(0, rows_, kChanged);
    const int64_t every = rows_ / kChanged;
    // What the deltas have changed goes back first.
    root_.Editor().Do({"push", big_.code, file, "--mode", "replace"}, kLimit);
    const std::string again = File(0, rows_, 0);
    Settle();
    const double sent = SentKb(), cpu = CpuSeconds(root_);
    const absl::Time begin = absl::Now();
    root_.Editor().Do({"push", big_.code, again, "--mode", "replace"}, kLimit);
    const int64_t id = every * (kChanged - 1) + every / 2;
    bench::Await("the replaced rows", [&] { return ChildHas(big_, id, Value(id, 0)); });
    Note("replace_s", absl::ToDoubleSeconds(absl::Now() - begin));
    Note("replace_cpu_s", CpuSeconds(root_) - cpu);
    Note("replace_kb", SentKb() - sent);
  }

  template <typename Add>
  void AddToRoot(const Add& add) {
    root_.Stop();
    {
      const absl::StatusOr<Identity> identity = LoadIdentity(root_.dir(), {});
      GT_CHECK(identity.ok());
      auto store = OpenRocksStore(absl::StrCat(root_.dir(), "/store"));
      if (!store.ok()) throw std::runtime_error(std::string(store.status().message()));
      auto driver = Driver::Make(
          store->get(),
          [&](absl::Time now) {
            return Engine::Create(
                {},
                {.key = identity->signing_key, .chain = identity->chain, .self = identity->self},
                store->get(), &RandomBytes, now);
          },
          {});
      GT_CHECK(driver.ok());
      (*driver)->Begin();
      add(**driver, *identity);
      (*driver)->Stop();
    }
    root_.Start();
    network_.UntilLinked(child_);
  }

  static void AddEntries(Driver& driver, const Identity& identity, uint64_t entries) {
    const Corpus corpus;
    for (uint64_t i = 0; i < entries;) {
      AppendRecords append = {.kind = v1::FEED_KIND_CATALOG_OPEN};
      for (; append.records.size() < kBatchEntries && i < entries; ++i) {
        v1::CatalogEntry entry = corpus.Entry(i);
        entry.set_node(identity.self.node_id);
        append.records.emplace_back().set_entry(entry.SerializeAsString());
      }
      const absl::StatusOr<WriteDone> done = driver.Write(std::move(append));
      if (!done.ok()) throw std::runtime_error(std::string(done.status().message()));
    }
  }

  // Each its own feed, open and shared, nobody subscribes.
  static void AddDatasets(Driver& driver, int64_t datasets) {
    v1::DatasetSchema schema;
    for (const char* field : {"id", "val"}) {
      v1::Column* column = schema.add_columns();
      column->set_field(field);
      column->set_type(column->field() == "id" ? v1::ITEM_TYPE_I : v1::ITEM_TYPE_C);
      column->set_key(column->field() == "id");
    }
    std::atomic<int> under_way{0}, failed{0};
    for (int64_t i = 0; i < datasets; ++i) {
      while (under_way >= kUnderWay) absl::SleepFor(absl::Milliseconds(1));
      ++under_way;
      const absl::Status taken =
          driver.Submit(OpenRows{.resource = absl::StrCat("3070120337", 900'000'000 + i, ":1"),
                                 .schema = schema,
                                 .shared = true},
                        [&](const WriteDone& done) {
                          if (!done.status.ok()) ++failed;
                          --under_way;
                        });
      if (!taken.ok()) throw std::runtime_error(std::string(taken.message()));
    }
    while (under_way > 0) absl::SleepFor(absl::Milliseconds(1));
    if (failed > 0) throw std::runtime_error("a dataset was not opened");
  }

  const int64_t rows_ = Parameter("ROWS", 10'000'000);
  const int64_t deltas_ = Parameter("DELTAS", 300);
  test::Network network_{test::OneNode()};
  test::Node& root_ = network_["000000"];
  test::Node& child_ = network_.AddFolder({"630000", "青海省", "province", "000000"});
  std::unique_ptr<v1::DataService::Stub> at_child_;
  Dataset small_, big_;
  int64_t version_ = 0;
  std::pair<int64_t, std::string> last_;
  std::string line_;
};

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Bench().Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_growth: " << error.what() << "\n";
    return 1;
  }
}
