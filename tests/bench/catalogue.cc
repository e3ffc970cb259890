// A whole node with a large catalogue, and one that joins it.
//
//   ENTRIES=1000000 JOIN=1  bench_catalogue
//
// The entries of the corpus are written at a root through its own driver, as one feed: sealed,
// signed, chained, durable in batches of kBatchEntries. Then real programs; what is waited for is
// asked over the command line. Prints one line:
//   taken_entries_s   as above, without the making of entries
//   index_s           from exec until the index, made from nothing, has all
//   start_s           from exec until a search is answered by a whole index; the middle of three
//   back_s            the same after kill -9
//   node_mb, anon_mb  resident after that, and what of it is no mapped file
//   store_mb, search_mb  on disk
//   join_s            from exec of a county that wants the whole country's catalogue until its own
//                     index has all; join_entries_s is entries by that
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/rocks/rocks_store.h"
#include "node/driver.h"
#include "node/identity/credentials.h"
#include "node/identity/identity.h"
#include "tests/bench/corpus/corpus.h"
#include "tests/bench/measure.h"
#include "tests/network/network.h"

namespace guantong {
namespace {

using bench::Parameter;
constexpr size_t kBatchEntries = 500;
constexpr absl::Duration kWait = absl::Minutes(30);

class Bench {
 public:
  int Run() {
    FillRoot();
    MakeIndex();
    Starts();
    if (Parameter("JOIN", 1) != 0) Join();
    std::printf("catalogue entries=%lu%s\n", entries_, line_.c_str());
    return 0;
  }

 private:
  void Note(const char* name, double value) {
    char text[64];
    std::snprintf(text, sizeof text, " %s=%.2f", name, value);
    line_ += text;
    std::cerr << text << std::endl;
  }
  static double Since(absl::Time begin) { return absl::ToDoubleSeconds(absl::Now() - begin); }
  static double Mb(const std::string& dir) {
    return static_cast<double>(bench::FolderBytes(dir)) / (1 << 20);
  }

  void FillRoot() {
    root_.Stop();
    const absl::StatusOr<Identity> identity = LoadIdentity(root_.dir(), {});
    GT_CHECK(identity.ok());
    auto store = OpenRocksStore(absl::StrCat(root_.dir(), "/store"));
    if (!store.ok()) throw std::runtime_error(std::string(store.status().message()));
    auto driver = Driver::Make(
        store->get(),
        [&](absl::Time now) {
          return Engine::Create(
              {}, {.key = identity->signing_key, .chain = identity->chain, .self = identity->self},
              store->get(), &RandomBytes, now);
        },
        {});
    GT_CHECK(driver.ok());
    (*driver)->Begin();
    absl::Duration took;
    for (uint64_t i = 0; i < entries_;) {
      AppendRecords append = {.kind = v1::FEED_KIND_CATALOG_OPEN};
      for (; append.records.size() < kBatchEntries && i < entries_; ++i) {
        v1::CatalogEntry entry = corpus_.Entry(i);
        entry.set_node(identity->self.node_id);
        append.records.emplace_back().set_entry(entry.SerializeAsString());
      }
      const absl::Time begin = absl::Now();
      const absl::StatusOr<WriteDone> done = (*driver)->Write(std::move(append));
      if (!done.ok()) throw std::runtime_error(std::string(done.status().message()));
      took += absl::Now() - begin;
    }
    (*driver)->Stop();
    Note("taken_entries_s", static_cast<double>(entries_) / absl::ToDoubleSeconds(took));
  }

  // From exec until all entries are found.
  double Start(test::Node* node) {
    const absl::Time begin = absl::Now();
    node->Start();
    Await(node);
    return Since(begin);
  }
  void Await(test::Node* node) {
    const test::Client asker = node->Operator();
    const absl::Time deadline = absl::Now() + kWait;
    while (true) {
      const test::Outcome outcome = asker.Try({"catalog", "search", "企业", "--limit", "1"}, kWait);
      if (outcome.ok()) {
        const nlohmann::json index = outcome.json().at("index");
        const bool whole = !index.value("building", false) &&
                           index.value("entries", "0") == absl::StrCat(entries_);
        if (whole) return;
      }
      if (absl::Now() > deadline) throw std::runtime_error("waited in vain for the index");
    }
  }
  // Until nothing is merged any more.
  static void Settle(test::Node* node) {
    for (uint64_t last = 0, now = 1; last != now;) {
      last = now;
      absl::SleepFor(absl::Seconds(5));
      now = bench::FolderBytes(node->dir());
    }
  }

  void MakeIndex() {
    std::filesystem::remove_all(absl::StrCat(root_.dir(), "/search"));
    Note("index_s", Start(&root_));
    Settle(&root_);
  }

  void Starts() {
    std::vector<double> starts;
    for (int i = 0; i < 3; ++i) {
      root_.Stop();
      starts.push_back(Start(&root_));
    }
    Note("start_s", bench::Quantile(starts, 0.5));
    root_.Kill();
    Note("back_s", Start(&root_));
    const pid_t pid = root_.daemon().pid();
    Note("node_mb", static_cast<double>(bench::ResidentKib(pid)) / 1024);
    Note("anon_mb", static_cast<double>(bench::ProcessFigure(pid, "status", "RssAnon:")) / 1024);
    Note("store_mb", Mb(absl::StrCat(root_.dir(), "/store")));
    Note("search_mb", Mb(absl::StrCat(root_.dir(), "/search")));
  }

  void Join() {
    test::Node& county = network_.AddFolder({"630000", "青海省", "province", "000000"});
    county.SetEnvironment({{"GUANTONG_CATALOG_SCOPE", "country"}});
    const double took = Start(&county);
    Note("join_s", took);
    Note("join_entries_s", static_cast<double>(entries_) / took);
  }

  const uint64_t entries_ = static_cast<uint64_t>(Parameter("ENTRIES", 100'000));
  const Corpus corpus_;
  test::Network network_{test::OneNode()};
  test::Node& root_ = network_["000000"];
  std::string line_;
};

}  // namespace
}  // namespace guantong

int main() {
  guantong::RequireTls13();
  try {
    return guantong::Bench().Run();
  } catch (const std::exception& error) {
    std::cerr << "bench_catalogue: " << error.what() << "\n";
    return 1;
  }
}
