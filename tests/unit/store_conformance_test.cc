// One suite over both implementations of the storage seam: what holds for one must hold for the
// other.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "catalog/rocks/rocks_store.h"
#include "catalog/store.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

using Content = std::map<std::string, std::string>;

Content ContentOf(const Reader& reader, absl::string_view begin = "", absl::string_view end = "") {
  Content content;
  std::string last;
  const auto cursor = reader.Scan(begin, end);
  for (; cursor->Valid(); cursor->Next()) {
    CHECK((content.empty() || absl::string_view(last) < cursor->key()));
    last = std::string(cursor->key());
    content.emplace(last, std::string(cursor->value()));
  }
  CHECK(cursor->status().ok());
  return content;
}

WriteSet Puts(const Content& content) {
  WriteSet writes;
  for (const auto& [key, value] : content) writes.Put(key, value);
  return writes;
}

// Every test below runs once per implementation.
struct Subject {
  ScratchFolder folder;
  std::unique_ptr<Store> store;

  explicit Subject(const std::string& kind) {
    if (kind == "memory") {
      store = std::make_unique<MemoryStore>();
    } else {
      auto opened = OpenRocksStore(folder.path("store"));
      REQUIRE(opened.ok());
      store = *std::move(opened);
    }
  }
};

#define FOR_EACH_STORE()                                                   \
  const std::string kind = GENERATE(as<std::string>(), "memory", "rocks"); \
  INFO(kind);                                                              \
  Subject subject(kind);                                                   \
  Store& store = *subject.store

TEST_CASE("store: get finds what was put and nothing else") {
  FOR_EACH_STORE();
  REQUIRE(store.Commit({Puts({{"Fa", "1"}, {"La", "2"}, {"Ra", "3"}, {"Xa", ""}})}).ok());
  std::string value;
  for (const char* key : {"Fa", "La", "Ra"}) CHECK(store.Get(key, &value).ok());
  CHECK(value == "3");
  REQUIRE(store.Get("Xa", &value).ok());
  CHECK(value.empty());
  CHECK(absl::IsNotFound(store.Get("F", &value)));
  CHECK(absl::IsNotFound(store.Get("Rb", &value)));
  CHECK(absl::IsNotFound(store.Get("", &value)));
}

TEST_CASE("store: keys and values are bytes and sort bytewise over all kinds") {
  FOR_EACH_STORE();
  const Content content = {{std::string("F\0", 2), std::string("\0\xff", 2)},
                           {"F\x7f", "b"},
                           {"F\xff", "c"},
                           {"B1", "chunk"},
                           {"H1", "staged"},
                           {"I1", "i"},
                           {"L1", "log"},
                           {"M1", "m"},
                           {"R1", "row"},
                           {"m1", "x"}};
  REQUIRE(store.Commit({Puts(content)}).ok());
  CHECK(ContentOf(store) == content);
  CHECK(ContentOf(store, "H", "M1") == Content({{"H1", "staged"}, {"I1", "i"}, {"L1", "log"}}));
  CHECK(ContentOf(store, "L2", "R1") == Content({{"M1", "m"}}));
  CHECK(ContentOf(store, "R", "S") == Content({{"R1", "row"}}));
  CHECK(ContentOf(store, "n", "").empty());
  CHECK(ContentOf(store, "S", "F").empty());
}

TEST_CASE("store: the write sets of a commit are applied in order") {
  FOR_EACH_STORE();
  std::vector<WriteSet> groups(3);
  groups[0].Put("F1", "first");
  groups[0].Put("F2", "gone");
  groups[0].Put("F3", "ranged");
  groups[1].Put("F1", "second");
  groups[1].Delete("F2");
  groups[1].DeleteRange("F3", "F4");
  groups[2].Put("F3", "again");
  groups[2].Delete("F9");
  REQUIRE(store.Commit(groups).ok());
  CHECK(ContentOf(store) == Content({{"F1", "second"}, {"F3", "again"}}));
}

TEST_CASE("store: a range is deleted from begin to before end, over all kinds") {
  FOR_EACH_STORE();
  REQUIRE(store
              .Commit({Puts(
                  {{"K", "1"}, {"L1", "2"}, {"L2", "3"}, {"R5", "4"}, {"R6", "5"}, {"S", "6"}})})
              .ok());
  WriteSet writes;
  writes.DeleteRange("L2", "R6");
  REQUIRE(store.Commit({writes}).ok());
  CHECK(ContentOf(store) == Content({{"K", "1"}, {"L1", "2"}, {"R6", "5"}, {"S", "6"}}));
}

TEST_CASE("store: a snapshot and a cursor see neither later writes nor later deletes") {
  FOR_EACH_STORE();
  const Content before = {{"F1", "a"}, {"F2", "b"}, {"L1", "c"}, {"R1", "d"}};
  REQUIRE(store.Commit({Puts(before)}).ok());
  auto snapshot = store.Snapshot();
  auto cursor = store.Scan("F", "S");
  REQUIRE(cursor->Valid());

  WriteSet writes;
  writes.Put("F1", "changed");
  writes.Put("F15", "new");
  writes.Delete("F2");
  writes.DeleteRange("L", "M");
  writes.Delete("R1");
  REQUIRE(store.Commit({writes}).ok());

  CHECK(ContentOf(*snapshot) == before);
  std::string value;
  REQUIRE(snapshot->Get("F1", &value).ok());
  CHECK(value == "a");
  CHECK(absl::IsNotFound(snapshot->Get("F15", &value)));
  Content walked;
  for (; cursor->Valid(); cursor->Next()) {
    walked.emplace(std::string(cursor->key()), std::string(cursor->value()));
  }
  CHECK(walked == before);
  CHECK(ContentOf(store) == Content({{"F1", "changed"}, {"F15", "new"}}));
  cursor.reset();
  snapshot.reset();
  CHECK(ContentOf(store) == Content({{"F1", "changed"}, {"F15", "new"}}));
}

TEST_CASE("store: an empty commit is one") {
  FOR_EACH_STORE();
  CHECK(store.Commit({}).ok());
  CHECK(store.Commit({WriteSet()}).ok());
  CHECK(ContentOf(store).empty());
}

TEST_CASE("store: usage grows with what is kept") {
  FOR_EACH_STORE();
  const StoreUsage before = store.Usage();
  REQUIRE(store.Commit({Puts({{"F1", std::string(1 << 20, 'x')}})}).ok());
  const StoreUsage after = store.Usage();
  CHECK(after.memory_bytes + after.disk_bytes >= before.memory_bytes + before.disk_bytes + 1000000);
}

// Random commits with snapshots that come and go, against a plain map.
void RunAgainstModel(Store& store, uint32_t seed) {
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
  const auto key = [&] { return absl::StrCat(std::string(1, "BFLRX"[pick(5)]), pick(40)); };
  Content model;
  std::vector<std::pair<std::unique_ptr<Reader>, Content>> snapshots;
  for (int step = 0; step < 300; ++step) {
    std::vector<WriteSet> groups(1 + pick(3));
    for (WriteSet& group : groups) {
      for (uint32_t op = pick(5); op > 0; --op) {
        std::string at = key();
        switch (pick(5)) {
          case 0:
            model.erase(at);
            group.Delete(at);
            break;
          case 1: {
            std::string end = key();
            if (end <= at) break;
            model.erase(model.lower_bound(at), model.lower_bound(end));
            group.DeleteRange(at, end);
            break;
          }
          default:
            model[at] = absl::StrCat(step);
            group.Put(at, absl::StrCat(step));
        }
      }
    }
    REQUIRE(store.Commit(groups).ok());
    if (pick(4) == 0) snapshots.emplace_back(store.Snapshot(), model);
    if (!snapshots.empty() && pick(4) == 0) {
      const auto at = snapshots.begin() + pick(static_cast<uint32_t>(snapshots.size()));
      REQUIRE(ContentOf(*at->first) == at->second);
      snapshots.erase(at);
    }
    if (step % 10 == 0) REQUIRE(ContentOf(store) == model);
  }
  for (const auto& [snapshot, content] : snapshots) REQUIRE(ContentOf(*snapshot) == content);
  REQUIRE(ContentOf(store) == model);
}

TEST_CASE("store: random commits agree with a map") {
  const uint32_t seed = GENERATE(range(1u, 6u));
  FOR_EACH_STORE();
  RunAgainstModel(store, seed);
}

TEST_CASE("store: readers beside the committer see whole commits only") {
  FOR_EACH_STORE();
  constexpr int kCommits = 300;
  const std::vector<std::string> keys = {"F1", "L1", "M1", "R1", "R2", "S1"};
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> views = 0;
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      while (!done || views < 10) {
        const auto snapshot = store.Snapshot();
        const auto cursor = reader == 0 ? store.Scan("", "") : snapshot->Scan("", "");
        std::string value, first;
        size_t seen = 0;
        for (; cursor->Valid(); cursor->Next()) {
          if (seen++ == 0) first = std::string(cursor->value());
          if (cursor->value() != first) ++torn;
        }
        if (seen != 0 && seen != keys.size()) ++torn;
        if (reader != 0 && seen != 0 && (!snapshot->Get("R2", &value).ok() || value != first)) {
          ++torn;
        }
        ++views;
      }
    });
  }
  for (int commit = 0; commit < kCommits; ++commit) {
    std::vector<WriteSet> groups(2);
    if (commit % 7 == 0) groups[0].DeleteRange("F", "T");
    for (size_t i = 0; i < keys.size(); ++i) groups[i % 2].Put(keys[i], absl::StrCat(commit));
    if (!store.Commit(groups).ok()) ++torn;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(views >= 10);
}

TEST_CASE("memory store: a clone has every commit and goes its own way") {
  MemoryStore store;
  REQUIRE(store.Commit({Puts({{"F1", "a"}, {"F2", "b"}})}).ok());
  const auto snapshot = store.Snapshot();
  WriteSet writes;
  writes.Delete("F2");
  REQUIRE(store.Commit({writes}).ok());
  const auto clone = store.Clone();
  REQUIRE(store.Commit({Puts({{"F3", "lost"}})}).ok());
  CHECK(ContentOf(*clone) == Content({{"F1", "a"}}));
  REQUIRE(clone->Commit({Puts({{"F4", "mine"}})}).ok());
  CHECK(ContentOf(store) == Content({{"F1", "a"}, {"F3", "lost"}}));
}

TEST_CASE("memory store: a refused commit applies nothing") {
  MemoryStore store;
  store.FailCommits(Error(absl::StatusCode::kResourceExhausted, "disk_full", "full"));
  CHECK(DetailOf(store.Commit({Puts({{"F1", "a"}})})).reason == "disk_full");
  CHECK(ContentOf(store).empty());
  store.FailCommits(absl::OkStatus());
  CHECK(store.Commit({Puts({{"F1", "a"}})}).ok());
  CHECK(ContentOf(store).size() == 1);
}

TEST_CASE("memory store: versions go when no view needs them") {
  MemoryStore store;
  REQUIRE(store.Commit({Puts({{"F1", std::string(1000, 'a')}})}).ok());
  {
    const auto older = store.Snapshot();
    for (int i = 0; i < 50; ++i) {
      REQUIRE(store.Commit({Puts({{"F1", std::string(1000, 'b')}})}).ok());
    }
    WriteSet writes;
    writes.Delete("F1");
    REQUIRE(store.Commit({writes}).ok());
  }
  CHECK(store.Usage().memory_bytes == 0);
}

}  // namespace
}  // namespace guantong
