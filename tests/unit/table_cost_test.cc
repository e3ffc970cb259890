// What a row costs at a level that takes it in, in instructions: they are the same on every machine
// and at every load, so a slip shows where times would not.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "catalog/table.h"
#include "tests/catch.h"
#include "tests/unit/instructions.h"

namespace guantong {
namespace {

constexpr int kBatches = 20;
constexpr int kRowsPerBatch = 1000;
constexpr int kReads = 1000;
// Half as much again as was counted.
constexpr int64_t kTakingInMax = 410;
constexpr int64_t kReadingMax = 216'000;
const FeedKey kFeed = FeedKey::FromBytes("feedfeedfeedfeed");

std::string KeyOf(int row) { return absl::StrCat("k", 100'000'000 + row); }

std::vector<std::string> Blocks() {
  std::vector<std::string> blocks;
  SortedRowsBuilder block;
  for (int batch = 0; batch < kBatches; ++batch) {
    for (int i = 0; i < kRowsPerBatch; ++i) {
      const int row = batch * kRowsPerBatch + i;
      block.Add(KeyOf(row), HexOf(Sha256(absl::StrCat(row))) + std::string(136, 'v'));
    }
    blocks.push_back(block.Finish());
  }
  return blocks;
}

}  // namespace

// The two that valgrind counts.
__attribute__((noinline)) void CostOfTakingIn(const std::vector<std::string>& blocks,
                                              TableWriter* table, MemoryStore* store);
__attribute__((noinline)) void CostOfReading(const TableReader& table);

void CostOfTakingIn(const std::vector<std::string>& blocks, TableWriter* table,
                    MemoryStore* store) {
  v1::BatchHeader header;
  header.set_encoding(v1::ENCODING_SORTED_ROWS);
  header.set_sealing(v1::SEALING_NONE);
  header.set_push_end(true);
  header.mutable_epoch()->set_number(1);
  for (size_t i = 0; i < blocks.size(); ++i) {
    header.set_last((i + 1) * kRowsPerBatch);
    header.set_commit(i + 1);
    WriteSet writes;
    GT_CHECK(table->ApplyBlock(header, blocks[i], &writes).ok());
    writes.Put(LogBlockKey(kFeed, 1, header.last()), blocks[i]);
    GT_CHECK(store->Commit({&writes, 1}).ok());
  }
}

void CostOfReading(const TableReader& table) {
  std::string row;
  for (int i = 0; i < kReads; ++i) {
    GT_CHECK(table.Get(KeyOf((i * 7919) % (kBatches * kRowsPerBatch)), &row).ok());
  }
}

namespace {

TEST_CASE("the work whose cost is counted", "[.]") {
  MemoryStore store;
  TableWriter writer(kFeed, {});
  CostOfTakingIn(Blocks(), &writer, &store);
  const auto snapshot = store.Snapshot();
  const auto table = TableReader::Open(*snapshot, kFeed);
  REQUIRE(table.ok());
  CostOfReading(*table);
}

TEST_CASE("a row costs few instructions where it is taken in, and where it is asked for") {
  if (const std::string why = test::CannotCountInstructions(); !why.empty()) GUANTONG_SKIP(why);
  const auto count = [](const char* function) {
    return test::InstructionsOf(function, "the work whose cost is counted");
  };
  const int64_t taking_in = count("CostOfTakingIn") / (kBatches * kRowsPerBatch);
  const int64_t reading = count("CostOfReading") / kReads;
  INFO("a row taken in: " << taking_in << ", a key read: " << reading);
  CHECK(taking_in > 0);
  CHECK(taking_in < kTakingInMax);
  CHECK(reading > 0);
  CHECK(reading < kReadingMax);
}

}  // namespace
}  // namespace guantong
