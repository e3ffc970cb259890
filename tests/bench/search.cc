// The search index at size: a catalogue of ENTRIES entries in a store of ours, its index made,
// asked under a stream of updates, opened again. One line of figures; DUMP=FILE writes the same
// corpus as CSV for the peers, QUESTIONS=FILE the questions.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "catalog/base/status.h"
#include "catalog/facts.h"
#include "catalog/rocks/rocks_store.h"
#include "catalog/search/follow.h"
#include "catalog/search/index.h"
#include "catalog/search/query.h"
#include "catalog/view.h"
#include "tests/bench/corpus/corpus.h"

namespace guantong {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kBatchEntries = 2000;
constexpr size_t kHitsRead = 20;  // one page

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * values.size()))];
}

long MemoryKb(const char* what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, what))
      return std::strtol(line.c_str() + std::string(what).size() + 1, nullptr, 10);
  }
  return 0;
}

struct Question {
  std::string words;
  std::string class_code;
  std::string division;
};

class Bench {
 public:
  Bench()
      : folder_(std::filesystem::temp_directory_path() /
                absl::StrCat("guantong_bench_search_", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Bench() {
    index_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void FillStore() {
    auto opened = OpenRocksStore((folder_ / "store").string(), {.memory_bytes_max = 64 << 20});
    GT_CHECK(opened.ok());
    store_ = *std::move(opened);
    const auto begin = Clock::now();
    WriteSet writes;
    size_t in_batch = 0;
    for (uint64_t i = 0; i < entries_; ++i) {
      const v1::CatalogEntry entry = corpus_.Entry(i);
      items_ += static_cast<uint64_t>(entry.items_size());
      Put(entry, &writes);
      if (++in_batch < kBatchEntries && i + 1 < entries_) continue;
      GT_CHECK(store_->Commit({&writes, 1}).ok());
      writes = WriteSet();
      in_batch = 0;
    }
    store_seconds_ = SecondsSince(begin);
  }

  void Build() {
    index_ = search::Index::Open((folder_ / "search").string(), "bench").value();
    search::NodePlaces places;
    for (const v1::Member& node : corpus_.nodes())
      places[node.node_id()] = {*NodePath::Parse(node.path()), node.level(), node.division()};
    index_->SetNodes(std::move(places));
    const auto begin = Clock::now();
    const double cpu = CpuSeconds();
    search::LoadOptions options = {.helpers = {.at_once = 2}};
    options.helpers.beside = [](const std::function<void()>& work) {
      auto thread = std::make_shared<std::thread>(work);
      return [thread] { thread->join(); };
    };
    GT_CHECK(search::LoadAll(*store_->Snapshot(), options, index_.get()).ok());
    load_seconds_ = SecondsSince(begin);
    load_cpu_seconds_ = CpuSeconds() - cpu;
    // What the node does on a second thread meanwhile.
    while (const auto job = index_->NextMerge()) {
      const auto written = job->Run([] { return true; });
      GT_CHECK(written.ok());
      GT_CHECK(index_->FinishMerge(*job, *written).ok());
    }
    GT_CHECK(index_->Save(search::Heads{{"feed", "head"}}).ok());
    whole_seconds_ = SecondsSince(begin);
  }

  void Ask() {
    std::vector<Question> common, rare, filtered;
    for (int round = 0; round < 40; ++round) {
      for (const std::string& word : Corpus::CommonWords()) common.push_back({.words = word});
    }
    for (uint64_t n = 0; n < 480; ++n) {
      rare.push_back({.words = corpus_.RareWord(n)});
      const v1::CatalogEntry entry = corpus_.Entry(n * 131 % entries_);
      filtered.push_back({.words = Corpus::CommonWords()[n % Corpus::CommonWords().size()],
                          .class_code = entry.class_().substr(0, 6),
                          .division = n % 2 == 0 ? entry.division().substr(0, 2) + "0000" : ""});
    }
    std::atomic<bool> stop{false};
    std::vector<double> rounds;
    std::thread updates([&] {
      uint32_t edition = 1;
      for (uint64_t n = 0; !stop; ++edition) {
        const auto begin = Clock::now();
        WriteSet writes;
        for (size_t i = 0; i < update_rate_ / 5; ++i, n += 7919)
          Put(corpus_.Entry(n % entries_, edition), &writes);
        GT_CHECK(store_->Commit({&writes, 1}).ok());
        search::Codes codes;
        search::NoteChanges({&writes, 1}, &codes);
        GT_CHECK(search::TakeIn(*store_->Snapshot(), codes, index_.get()).ok());
        if (index_->WantsSave()) GT_CHECK(index_->Save(search::Heads{{"feed", "head"}}).ok());
        rounds.push_back(SecondsSince(begin));
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(200));
      }
    });
    Measure("common", common, false);
    Measure("rare", rare, false);
    Measure("filtered", filtered, false);
    common.resize(120);
    Measure("facets", common, true);
    stop = true;
    updates.join();
    absl::StrAppend(&line_, " updates_s=", update_rate_,
                    " behind_p50_ms=", static_cast<int>(200 + 1e3 * Percentile(rounds, 0.5)),
                    " behind_max_ms=", static_cast<int>(200 + 1e3 * Percentile(rounds, 1)));
  }

  void Reopen() {
    index_.reset();
    const auto begin = Clock::now();
    index_ = search::Index::Open((folder_ / "search").string(), "bench").value();
    GT_CHECK(index_->heads().has_value());
    absl::StrAppend(&line_, " open_s=", SecondsSince(begin));
  }

  void Print() {
    std::printf(
        "search entries=%lu items=%lu store_entries_s=%.0f load_entries_s=%.0f "
        "load_entries_cpu_s=%.0f "
        "with_merges_entries_s=%.0f "
        "rebuild_s=%.1f disk_mb=%.0f anon_mb=%.0f mapped_mb=%.0f%s\n",
        entries_, items_, entries_ / store_seconds_, entries_ / load_seconds_,
        entries_ / load_cpu_seconds_, entries_ / whole_seconds_, whole_seconds_, disk_mb_, anon_mb_,
        mapped_mb_, line_.c_str());
  }

  void Dump(const char* corpus, const char* questions) {
    std::ofstream rows(corpus);
    for (uint64_t i = 0; i < entries_; ++i) {
      const v1::CatalogEntry entry = corpus_.Entry(i);
      std::string items;
      for (const v1::DataItem& item : entry.items()) absl::StrAppend(&items, item.name(), " ");
      rows << entry.code() << ',' << entry.name() << ',' << entry.provider() << ','
           << entry.abstract() << ',' << items << ',' << entry.class_() << ',' << entry.division()
           << '\n';
    }
    if (questions == nullptr) return;
    std::ofstream asked(questions);
    for (const std::string& word : Corpus::CommonWords()) asked << "common," << word << ",\n";
    for (uint64_t n = 0; n < 48; ++n) asked << "rare," << corpus_.RareWord(n) << ",\n";
    for (uint64_t n = 0; n < 48; ++n) {
      asked << "filtered," << Corpus::CommonWords()[n % Corpus::CommonWords().size()] << ","
            << corpus_.Entry(n * 131 % entries_).class_().substr(0, 6) << "\n";
    }
  }

  void NoteMemory() {
    disk_mb_ = static_cast<double>(index_->DiskBytes()) / 1e6;
    anon_mb_ = static_cast<double>(MemoryKb("RssAnon:")) / 1e3;
    mapped_mb_ = static_cast<double>(MemoryKb("RssFile:")) / 1e3;
  }

 private:
  void Put(const v1::CatalogEntry& entry, WriteSet* writes) {
    v1::FeedId feed;
    feed.set_origin(entry.node());
    feed.set_kind(v1::FEED_KIND_CATALOG_OPEN);
    v1::Records records;
    records.add_records()->set_entry(entry.SerializeAsString());
    GT_CHECK(ApplyRecords(feed, NodePath(), records, writes).refused == 0);
  }

  void Measure(const char* name, const std::vector<Question>& questions, bool facets) {
    std::vector<double> asked, read;
    uint64_t hits = 0;
    for (const Question& question : questions) {
      search::Query query;
      for (const search::Piece& piece : search::PiecesOf(question.words))
        query.words.push_back({piece});
      query.filter.set_class_(question.class_code);
      query.filter.set_division(question.division);
      query.facets = facets;
      query.limit = kHitsRead;
      const auto begin = Clock::now();
      const auto found = search::Search(*index_->view(), query);
      GT_CHECK(found.ok());
      asked.push_back(1e3 * SecondsSince(begin));
      const auto snapshot = store_->Snapshot();
      for (const search::Hit& hit : found->hits) (void)FindEntry(*snapshot, hit.code);
      read.push_back(1e3 * SecondsSince(begin));
      hits += found->total;
    }
    char text[200];
    std::snprintf(text, sizeof text,
                  " %s_p50_ms=%.2f %s_p99_ms=%.2f %s_with_entries_p99_ms=%.2f %s_hits=%.0f", name,
                  Percentile(asked, 0.5), name, Percentile(asked, 0.99), name,
                  Percentile(read, 0.99), name,
                  static_cast<double>(hits) / static_cast<double>(questions.size()));
    line_ += text;
  }

  const std::filesystem::path folder_;
  const uint64_t entries_ = Setting("ENTRIES", 100000);
  const uint64_t update_rate_ = Setting("UPDATES", 500);  // a second
  const Corpus corpus_;
  std::unique_ptr<RocksStore> store_;
  std::unique_ptr<search::Index> index_;
  uint64_t items_ = 0;
  double store_seconds_ = 1, load_seconds_ = 1, load_cpu_seconds_ = 1, whole_seconds_ = 1;
  double disk_mb_ = 0, anon_mb_ = 0, mapped_mb_ = 0;
  std::string line_;
};

}  // namespace
}  // namespace guantong

int main() {
  guantong::Bench bench;
  if (const char* dump = std::getenv("DUMP")) {
    bench.Dump(dump, std::getenv("QUESTIONS"));
    return 0;
  }
  bench.FillStore();
  bench.Build();
  bench.NoteMemory();
  bench.Ask();
  bench.Reopen();
  bench.Print();
}
