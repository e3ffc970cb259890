// A damaged block put right by its spare: exactly what it promises, and not a byte made up.
#include "catalog/spare.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/node_path.h"
#include "catalog/batch.h"
#include "catalog/logged.h"
#include "catalog/memory_store.h"
#include "node/upkeep/mend_blocks.h"
#include "tests/catch.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {
namespace {

std::string Noise(size_t bytes, absl::string_view seed) {
  std::string noise;
  for (int i = 0; noise.size() < bytes; ++i) noise += Sha256(absl::StrCat(seed, i));
  noise.resize(bytes);
  return noise;
}

void Spoil(size_t from, size_t bytes, std::string* block) {
  for (size_t i = from; i < from + bytes; ++i) (*block)[i] = static_cast<char>((*block)[i] ^ 0x5a);
}

TEST_CASE("one damaged stretch of a tenth of a block is put right wherever it is") {
  for (const size_t size : {kSpareBlockBytesMin, kSpareBlockBytesMin + 1, size_t{70'001}}) {
    const std::string block = Noise(size, "block");
    const storage::v1::BlockSpare spare = MakeSpare(block);
    CHECK(spare.ByteSizeLong() < size / 8 + 512);
    const size_t stretch = size / 10;
    for (size_t from = 0; from + stretch <= size; from += 97) {
      std::string damaged = block;
      Spoil(from, stretch, &damaged);
      REQUIRE(MendBlock(spare, &damaged));
      REQUIRE(damaged == block);
    }
    std::string last = block;
    Spoil(size - 1, 1, &last);
    CHECK(MendBlock(spare, &last));
    CHECK(last == block);
  }
}

TEST_CASE("more damage than a spare holds is said, not mended") {
  const std::string block = Noise(64 << 10, "block");
  const storage::v1::BlockSpare spare = MakeSpare(block);
  std::string damaged = block;
  Spoil(1000, 9 << 10, &damaged);
  CHECK_FALSE(MendBlock(spare, &damaged));
  // Pieces 0 and 8 share a column.
  damaged = block;
  Spoil(0, 1, &damaged);
  Spoil(8 << 10, 1, &damaged);
  CHECK_FALSE(MendBlock(spare, &damaged));
  std::string shorter = block.substr(0, block.size() - 64);
  CHECK_FALSE(MendBlock(spare, &shorter));
  // A spare that is damaged itself makes nothing right that is wrong.
  storage::v1::BlockSpare wrong = spare;
  (*wrong.mutable_parity())[5] ^= 1;
  damaged = block;
  Spoil(5, 1, &damaged);
  CHECK_FALSE(MendBlock(wrong, &damaged));
}

TEST_CASE("a block is found in a file by any of its marks") {
  const std::string block = Noise(30'000, "block");
  const storage::v1::BlockSpare spare = MakeSpare(block);
  const auto right = [&](const std::string& found) { return found == block; };
  std::string file = Noise(5'000, "before") + block + Noise(5'000, "behind");
  CHECK(FindBlock(file, spare, block.size(), right) == block);
  Spoil(5'000, 3'000, &file);  // the first mark with it
  CHECK(FindBlock(file, spare, block.size(), right) == block);
  // What looks like it and is not is passed over.
  const std::string lure = block.substr(0, 16) + Noise(40'000, "lure");
  CHECK(FindBlock(lure + file, spare, block.size(), right) == block);
  CHECK(FindBlock(lure, spare, block.size(), right).empty());
  CHECK(FindBlock(file.substr(0, 20'000), spare, block.size(), right).empty());
  CHECK(FindBlock(file, spare, block.size(), [](const std::string&) { return false; }).empty());
}

// A log of two own batches, whose blocks a damaged file held.
struct Lost {
  Lost() {
    WriteSet writes;
    for (uint64_t i = 0; i < 2; ++i) {
      v1::BatchHeader header;
      header.mutable_feed()->set_origin(std::string(32, 'o'));
      header.mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
      header.mutable_epoch()->set_number(1);
      header.set_prev(i * 10);
      header.set_last(i * 10 + 10);
      header.set_encoding(v1::ENCODING_SORTED_ROWS);
      blocks.push_back(Noise(20'000, absl::StrCat("block", i)));
      header.set_payload_digest(Sha256(blocks.back()));
      v1::SignedBatch batch;
      batch.set_header(header.SerializeAsString());
      batch.set_payload(blocks.back());
      feed = FeedKey::Of(header.feed());
      PutLogged(feed, /*own=*/true, header, batch, &writes);
      keys.push_back(LogBlockKey(feed, 1, i * 10 + 10));
      writes.Delete(keys.back());
    }
    REQUIRE(store.Commit({&writes, 1}).ok());
    lost = {.begin = KindPrefix('Z'), .end = PrefixEnd(KindPrefix('Z'))};
  }
  std::string Held(size_t i) const {
    std::string bytes;
    return store.Get(keys[i], &bytes).ok() ? bytes : "";
  }
  void Mend(const std::string& content) {
    const std::string file = folder.path("000012.sst");
    std::ofstream(file, std::ios::binary) << content;
    const std::vector<std::string> files = {folder.path("none.sst"), file};
    REQUIRE(MendBlocks(&store, {&lost, 1}, files, &damage).ok());
  }
  ScratchFolder folder;
  MemoryStore store;
  FeedKey feed;
  std::vector<std::string> blocks, keys;
  LostRange lost;
  v1::Damage damage;
};

TEST_CASE("own blocks of a damaged file are put back with the digest that was signed") {
  Lost data;
  std::string file = Noise(700, "head") + data.blocks[1] + Noise(700, "mid") + data.blocks[0];
  Spoil(690, 900, &file);
  Spoil(30'000, 1, &file);
  data.Mend(file);
  CHECK(data.Held(0) == data.blocks[0]);
  CHECK(data.Held(1) == data.blocks[1]);
  REQUIRE(data.damage.feeds_size() == 1);
  CHECK(data.damage.feeds(0).cure() == "mended");
  CHECK(data.damage.feeds(0).part() == "table");
}

TEST_CASE("a block that cannot be put right stays missing, beside one that can") {
  Lost data;
  std::string file = data.blocks[0] + data.blocks[1];
  Spoil(2'000, 9'000, &file);
  data.Mend(file);
  CHECK(data.Held(0).empty());
  CHECK(data.Held(1) == data.blocks[1]);
}

TEST_CASE("nothing is looked for where nothing of it was lost") {
  Lost data;
  data.lost = {.begin = data.keys[1], .end = PrefixEnd(data.keys[1])};
  data.Mend(data.blocks[0] + data.blocks[1]);
  CHECK(data.Held(0).empty());
  CHECK(data.Held(1) == data.blocks[1]);
}

TEST_CASE("a small block is put back as its record in the log has it") {
  Lost data;
  v1::BatchHeader header;
  header.mutable_feed()->set_origin(std::string(32, 'o'));
  header.mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
  header.mutable_epoch()->set_number(1);
  header.set_last(30);
  header.set_encoding(v1::ENCODING_SORTED_ROWS);
  const std::string block = Noise(kSpareBlockBytesMin - 1, "small");
  const auto put = [&](const std::string& digest_of) {
    header.set_payload_digest(Sha256(digest_of));
    v1::SignedBatch batch;
    batch.set_header(header.SerializeAsString());
    batch.set_payload(block);
    WriteSet writes;
    PutLogged(data.feed, /*own=*/true, header, batch, &writes);
    writes.Delete(data.keys.emplace_back(LogBlockKey(data.feed, 1, 30)));
    REQUIRE(data.store.Commit({&writes, 1}).ok());
  };
  SECTION("with the digest that was signed") {
    put(block);
    data.Mend("");
    CHECK(data.Held(2) == block);
    REQUIRE(data.damage.feeds_size() == 1);
    CHECK(data.damage.feeds(0).cure() == "mended");
  }
  SECTION("with another") {
    put("another");
    data.Mend("");
    CHECK(data.Held(2).empty());
  }
}

TEST_CASE("the log of an own batch holds a spare, a small block whole, a copy's neither") {
  Lost data;
  for (const auto& [own, bytes] : std::vector<std::pair<bool, size_t>>{
           {true, 20'000}, {true, kSpareBlockBytesMin - 1}, {false, 20'000}}) {
    v1::BatchHeader header;
    header.mutable_epoch()->set_number(1);
    header.set_last(5);
    header.set_encoding(v1::ENCODING_SORTED_ROWS);
    v1::SignedBatch batch;
    batch.set_header(header.SerializeAsString());
    batch.set_payload(Noise(bytes, "block"));
    WriteSet writes;
    PutLogged(data.feed, own, header, batch, &writes);
    REQUIRE(data.store.Commit({&writes, 1}).ok());
    std::string record;
    REQUIRE(data.store.Get(LogKey(data.feed, 1, 5), &record).ok());
    storage::v1::LoggedBatch logged;
    REQUIRE(logged.ParseFromString(record));
    CHECK(logged.has_spare() == (own && bytes >= kSpareBlockBytesMin));
    CHECK(logged.payload().size() == (own && bytes < kSpareBlockBytesMin ? bytes : 0));
    CHECK(ReadLogged(data.store, data.feed, record)->payload() == batch.payload());
    CHECK(ReadLoggedHead(record)->bytes == batch.header().size() + bytes);
  }
}

}  // namespace
}  // namespace guantong
