// What only a disk can do to the store: power cuts, no space, two processes on one folder.

#include "catalog/rocks/rocks_store.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/rocks/faulty_disk.h"
#include "catalog/rocks/snapshot_marks.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

std::unique_ptr<Store> Open(const ScratchFolder& folder, FaultyDisk* disk) {
  auto opened = OpenRocksStore(folder.path("store"), {.env = disk ? disk->env() : nullptr});
  INFO(opened.status());
  REQUIRE(opened.ok());
  return *std::move(opened);
}

absl::Status Put(Store& store, const std::string& key, const std::string& value) {
  WriteSet writes;
  writes.Put(key, value);
  return store.Commit({writes});
}

bool Has(const Reader& store, const std::string& key) {
  std::string value;
  return store.Get(key, &value).ok();
}

// One key of each family.
std::string KeyOf(int i) { return absl::StrCat(std::string(1, "FLR"[i % 3]), 100000 + i); }

TEST_CASE("rocks: what was committed is there after the store is opened again") {
  ScratchFolder folder;
  {
    const auto store = Open(folder, nullptr);
    for (int i = 0; i < 30; ++i) REQUIRE(Put(*store, KeyOf(i), "x").ok());
  }
  const auto store = Open(folder, nullptr);
  for (int i = 0; i < 30; ++i) CHECK(Has(*store, KeyOf(i)));
}

TEST_CASE("rocks: a power cut takes nothing that was committed") {
  ScratchFolder folder;
  FaultyDisk disk;
  int committed = 0;
  // Enough to fill memtables, so that the cut also meets flushes and compactions.
  const std::string value(64 << 10, 'v');
  for (int cut = 0; cut < 3; ++cut) {
    auto store = Open(folder, &disk);
    for (int i = 0; i < committed; ++i) {
      INFO(KeyOf(i));
      REQUIRE(Has(*store, KeyOf(i)));
    }
    for (int i = 0; i < 400; ++i) REQUIRE(Put(*store, KeyOf(committed++), value).ok());
    disk.CutPower();
    CHECK_FALSE(Put(*store, "Funsynced", "x").ok());
    store.reset();
    disk.RestorePower();
  }
  const auto store = Open(folder, &disk);
  for (int i = 0; i < committed; ++i) REQUIRE(Has(*store, KeyOf(i)));
  CHECK_FALSE(Has(*store, "Funsynced"));
}

TEST_CASE("rocks: a byte damaged in the write-ahead log is an error, not a silent loss") {
  ScratchFolder folder;
  {
    const auto store = Open(folder, nullptr);
    for (int i = 0; i < 30; ++i) REQUIRE(Put(*store, KeyOf(i), std::string(1000, 'v')).ok());
  }
  std::string log;
  for (const auto& file : std::filesystem::directory_iterator(folder.path("store"))) {
    if (file.path().extension() == ".log" && file.file_size() > 0) log = file.path();
  }
  REQUIRE_FALSE(log.empty());
  {
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(log) / 2));
    file.put('x');
  }
  const auto opened = OpenRocksStore(folder.path("store"), {});
  CHECK(DetailOf(opened.status()).reason == "store_corrupt");
}

TEST_CASE("rocks: a full disk refuses commits, and a disk with room takes them again") {
  ScratchFolder folder;
  FaultyDisk disk;
  auto store = Open(folder, &disk);
  REQUIRE(Put(*store, "Fbefore", "x").ok());
  disk.FillUp();
  for (int i = 0; i < 3; ++i) {
    const absl::Status refused = Put(*store, "Frefused", std::string(1000, 'r'));
    CHECK(absl::IsResourceExhausted(refused));
    CHECK(DetailOf(refused).reason == "disk_full");
    CHECK_FALSE(DetailOf(refused).remedy.empty());
  }
  CHECK_FALSE(Has(*store, "Frefused"));
  CHECK(Has(*store, "Fbefore"));
  disk.FreeUp();
  // RocksDB looks for space every five seconds.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(25);
  absl::Status taken = Put(*store, "Fafter", "x");
  while (absl::IsResourceExhausted(taken) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
    taken = Put(*store, "Fafter", "x");
  }
  INFO(taken);
  REQUIRE(taken.ok());
  CHECK_FALSE(Has(*store, "Frefused"));

  disk.CutPower();
  store.reset();
  disk.RestorePower();
  store = Open(folder, &disk);
  CHECK(Has(*store, "Fbefore"));
  CHECK(Has(*store, "Fafter"));
  CHECK_FALSE(Has(*store, "Frefused"));
}

TEST_CASE("rocks: a folder has one store at a time") {
  ScratchFolder folder;
  auto store = Open(folder, nullptr);
  const auto second = OpenRocksStore(folder.path("store"));
  CHECK(absl::IsFailedPrecondition(second.status()));
  CHECK(DetailOf(second.status()).reason == "store_locked");
  CHECK(DetailOf(second.status()).subject == folder.path("store"));
  store.reset();
  Open(folder, nullptr);
}

TEST_CASE("rocks: a folder that cannot be made is an error, not an exit") {
  const auto store = OpenRocksStore("/proc/guantong/store");
  CHECK(DetailOf(store.status()).reason == "store_failed");
}

// A block of its own for each commit, and a reader that comes and goes.
void FillBlocks(Store& store, int from, int to) {
  std::mt19937_64 random(static_cast<uint64_t>(from));
  std::string block(256 << 10, '\0');
  for (int i = from; i < to; ++i) {
    for (size_t at = 0; at < block.size(); at += sizeof(uint64_t)) {
      const uint64_t word = random();
      std::memcpy(block.data() + at, &word, sizeof word);
    }
    REQUIRE(Put(store, absl::StrCat("Z", 100000 + i), block).ok());
    CHECK(Has(*store.Snapshot(), absl::StrCat("Z", 100000 + i)));
  }
}

std::set<std::string> BlockFiles(const RocksStore& store) {
  std::set<std::string> names;
  for (const TableFile& file : store.TableFiles()) {
    if (file.family == "blocks") names.insert(file.name);
  }
  return names;
}

TEST_CASE("rocks: blocks are written once more for a reader that stayed, or once a while") {
  ScratchFolder folder;
  CHECK(SnapshotMarksAreOurs());
  std::set<std::string> seen;
  {
    auto store =
        OpenRocksStore(folder.path("store"), {.brief_snapshot_max = absl::InfiniteDuration()});
    REQUIRE(store.ok());
    for (int i = 0; i < 240; i += 4) {
      FillBlocks(**store, i, i + 4);
      seen.merge(BlockFiles(**store));
    }
    // All that ever were.
    CHECK(seen == BlockFiles(**store));
    CHECK(seen.size() > 4);
  }
  RocksOptions options;
  SECTION("a reader that stayed") { options.brief_snapshot_max = absl::ZeroDuration(); }
  SECTION("one in a while") { options.unmarked_max = absl::ZeroDuration(); }
  auto store = OpenRocksStore(folder.path("store"), options);
  REQUIRE(store.ok());
  FillBlocks(**store, 240, 241);
  const auto gone = [&] {
    const std::set<std::string> now = BlockFiles(**store);
    return std::any_of(seen.begin(), seen.end(),
                       [&](const std::string& name) { return now.count(name) == 0; });
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!gone() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  CHECK(gone());
}

}  // namespace
}  // namespace guantong
