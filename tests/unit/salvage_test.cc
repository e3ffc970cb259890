// Damaged table files: found, stepped over, and exactly what stood in the bad block lost.
#include "catalog/salvage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/rocks/rocks_store.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

constexpr int kKeys = 2000;

std::string KeyOf(int i) { return absl::StrCat("L", 100000 + i); }
// Uncompressed in its family, so that a value stands in the file as it is.
std::string ValueOf(int i) { return absl::StrCat("value-of-", i, "-", std::string(900, 'v')); }

std::unique_ptr<RocksStore> Open(const std::string& dir, int* damage = nullptr) {
  RocksOptions options;
  if (damage != nullptr) options.on_damage = [damage](const absl::Status&) { ++*damage; };
  auto opened = OpenRocksStore(dir, options);
  INFO(opened.status());
  REQUIRE(opened.ok());
  return *std::move(opened);
}

// With all keys in table files.
void Fill(const std::string& dir) {
  {
    const auto store = Open(dir);
    WriteSet writes;
    for (int i = 0; i < kKeys; ++i) writes.Put(KeyOf(i), ValueOf(i));
    writes.Put("F1", "one");
    writes.Put("X1", "last");
    REQUIRE(store->Commit({&writes, 1}).ok());
  }
  Open(dir);  // moves the write-ahead log to table files
}

void FlipBitOf(const std::string& dir, const std::string& text) {
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (!absl::EndsWith(entry.path().string(), ".sst")) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    const size_t at = content.find(text);
    if (at == std::string::npos) continue;
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(content[at] ^ 4));
    return;
  }
  FAIL("not in a table file: " << text);
}

struct Salvaged {
  std::vector<std::string> keys;
  std::vector<LostRange> lost;
};

Salvaged Salvage(const Reader& store) {
  Salvaged salvaged;
  const absl::Status scanned = ScanAround(
      store,
      [&](absl::string_view key, absl::string_view) {
        salvaged.keys.emplace_back(key);
        return absl::OkStatus();
      },
      [&](LostRange range) { salvaged.lost.push_back(std::move(range)); });
  INFO(scanned);
  REQUIRE(scanned.ok());
  return salvaged;
}

TEST_CASE("salvage: a sound store is read whole") {
  ScratchFolder folder;
  const std::string dir = folder.path("store");
  Fill(dir);
  const Salvaged all = Salvage(*Open(dir));
  CHECK(all.lost.empty());
  CHECK(all.keys.size() == kKeys + 2);
}

TEST_CASE("salvage: two bad blocks cost two blocks, and what lies between is kept") {
  ScratchFolder folder;
  const std::string dir = folder.path("store");
  Fill(dir);
  FlipBitOf(dir, "value-of-500-");
  FlipBitOf(dir, "value-of-1500-");
  int damage = 0;
  const auto store = Open(dir, &damage);
  std::string value;
  CHECK(absl::IsDataLoss(store->Get(KeyOf(500), &value)));
  CHECK(store->Get(KeyOf(1000), &value).ok());
  CHECK(damage == 1);

  const Salvaged kept = Salvage(*store);
  REQUIRE(kept.lost.size() == 2);
  // A block of 64 KiB holds some seventy of them.
  const size_t gone = kKeys + 2 - kept.keys.size();
  CHECK(gone >= 2);
  CHECK(gone < 160);
  for (int bad : {500, 1500}) {
    const LostRange& range = kept.lost[bad == 500 ? 0 : 1];
    CHECK(range.begin <= KeyOf(bad));
    CHECK(KeyOf(bad) < range.end);
    CHECK(Touches(range, "L"));
    CHECK_FALSE(Touches(range, "F"));
    CHECK_FALSE(Touches(range, "X"));
  }
  // Every key is either read or in a range that is said to be lost.
  size_t at = 0;
  for (int i = 0; i < kKeys; ++i) {
    while (at < kept.keys.size() && kept.keys[at] < KeyOf(i)) ++at;
    const bool read = at < kept.keys.size() && kept.keys[at] == KeyOf(i);
    bool lost = false;
    for (const LostRange& range : kept.lost)
      lost |= range.begin <= KeyOf(i) && KeyOf(i) < range.end;
    CHECK(read != lost);
  }
}

// Log records whose rows stand elsewhere are small: those of all feeds stand in one block, beside
// other kinds.
TEST_CASE("salvage: a bad block that holds several kinds hides no others") {
  ScratchFolder folder;
  const std::string dir = folder.path("store");
  // No compression hides it.
  const auto value = [](const std::string& key) { return HexOf(Sha256(key)).substr(0, 24); };
  const std::vector<std::string> bulk = {"Bchunk", "Lfeed1", "Lfeed2", "Wlate"};
  const std::vector<std::string> rest = {"Amanifest", "Ccchain", "Ffeed1", "Ffeed2",  "Gpush",
                                         "Mmember",   "Rrow1",   "Ttable", "Vblock",  "Xformat",
                                         "Yown",      "Zblock",  "aact",   "vversion"};
  {
    const auto store = Open(dir);
    WriteSet writes;
    for (const auto& keys : {bulk, rest}) {
      for (const std::string& key : keys) writes.Put(key, value(key));
    }
    REQUIRE(store->Commit({&writes, 1}).ok());
  }
  Open(dir);
  const auto whole_kind_lost = [](const Salvaged& salvaged, char kind) {
    return std::any_of(salvaged.lost.begin(), salvaged.lost.end(), [&](const LostRange& range) {
      return Touches(range, std::string(1, kind));
    });
  };
  SECTION("of the log") {
    FlipBitOf(dir, value("Lfeed2"));
    const Salvaged kept = Salvage(*Open(dir));
    CHECK(kept.keys == rest);
    // Kinds without a key are not said to be lost either, but for those of the block.
    for (char kind = 'A'; kind <= 'z'; ++kind) {
      INFO(kind);
      CHECK(whole_kind_lost(kept, kind) == absl::StrContains("BHLW", absl::string_view(&kind, 1)));
    }
  }
  SECTION("of the facts") {
    FlipBitOf(dir, value("Gpush"));
    const Salvaged kept = Salvage(*Open(dir));
    CHECK(kept.keys == std::vector<std::string>{"Bchunk", "Lfeed1", "Lfeed2", "Rrow1", "Vblock",
                                                "Wlate", "Yown", "Zblock"});
    for (const char kind : {'A', 'C', 'F', 'G', 'M', 'T', 'X', 'a', 'v'}) {
      INFO(kind);
      CHECK(whole_kind_lost(kept, kind));
    }
    for (const char kind : {'B', 'L', 'R', 'V', 'Y', 'Z'}) {
      INFO(kind);
      CHECK_FALSE(whole_kind_lost(kept, kind));
    }
  }
  SECTION("of two kinds of blocks side by side") {
    FlipBitOf(dir, value("Yown"));
    const Salvaged kept = Salvage(*Open(dir));
    CHECK(kept.keys.size() == bulk.size() + rest.size() - 2);
    CHECK(whole_kind_lost(kept, 'Y'));
    CHECK(whole_kind_lost(kept, 'Z'));
    CHECK_FALSE(whole_kind_lost(kept, 'a'));
  }
}

// Compressed, filtered, in small blocks, in more than one file: as rows are kept.
TEST_CASE("salvage: rows end in an error at a bad block, never before it without one") {
  ScratchFolder folder;
  const std::string dir = folder.path("store");
  const auto key = [](int i) { return absl::StrCat("R", 100000 + i); };
  const auto value = [](int i) { return HexOf(Sha256(absl::StrCat(i))); };
  for (int part = 0; part < 3; ++part) {
    {
      const auto store = Open(dir);
      WriteSet writes;
      for (int i = part; i < kKeys; i += 3) writes.Put(key(i), value(i));
      REQUIRE(store->Commit({&writes, 1}).ok());
    }
    Open(dir);
  }
  FlipBitOf(dir, value(1000).substr(0, 24));
  const auto store = Open(dir);
  int read = 0;
  auto cursor = store->Scan("R", "S");
  for (; cursor->Valid(); cursor->Next()) ++read;
  CHECK(read < kKeys);
  CHECK(absl::IsDataLoss(cursor->status()));
  const Salvaged kept = Salvage(*store);
  REQUIRE(kept.lost.size() == 1);
  CHECK(kept.lost[0].begin <= key(1000));
  CHECK(key(1000) < kept.lost[0].end);
}

TEST_CASE("salvage: a check of table files names the damaged one, from the disk") {
  ScratchFolder folder;
  const std::string dir = folder.path("store");
  Fill(dir);
  FlipBitOf(dir, "value-of-700-");
  const auto store = Open(dir);
  int bad = 0;
  uint64_t read = 0, total = 0;
  for (const TableFile& file : store->TableFiles()) {
    total += file.bytes;
    const absl::Status checked = store->CheckTableFile(file, [&](uint64_t bytes) {
      read += bytes;
      return true;
    });
    bad += checked.ok() ? 0 : 1;
    if (!checked.ok()) CHECK(absl::StrContains(checked.message(), file.name));
  }
  CHECK(bad == 1);
  CHECK(read > 0);
  CHECK(total > 0);
  for (const TableFile& file : store->TableFiles()) {
    CHECK(absl::IsCancelled(store->CheckTableFile(file, [](uint64_t) { return false; })));
  }
}

}  // namespace
}  // namespace guantong
