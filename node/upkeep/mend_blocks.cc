#include "node/upkeep/mend_blocks.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/spare.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/feed.pb.h"
#include "node/limits.h"

namespace guantong {
namespace {

struct Missing {
  std::string log_key;
  std::string block_key;
};

absl::Status Corrupt() {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a batch of the log cannot be read");
}

absl::Status Read(const Reader& store, const std::string& log_key, storage::v1::LoggedBatch* logged,
                  v1::BatchHeader* header) {
  std::string bytes;
  GT_RETURN_IF_ERROR(store.Get(log_key, &bytes));
  const bool read = logged->ParseFromString(bytes) && header->ParseFromString(logged->header());
  return read ? absl::OkStatus() : Corrupt();
}

// What follows a part that the disk does not give is left out.
std::string ReadAsFarAsPossible(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? std::streamoff(in.tellg()) : 0;
  std::string content(static_cast<size_t>(std::max<std::streamoff>(size, 0)), '\0');
  in.seekg(0);
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<size_t>(in.gcount()));
  return content;
}

// Only batches whose block lay where something was lost, and is not there.
absl::StatusOr<std::vector<Missing>> FindMissing(const Reader& store,
                                                 absl::Span<const LostRange> lost) {
  std::vector<Missing> missing;
  const std::string blocks = KindPrefix('Z');
  if (std::none_of(lost.begin(), lost.end(),
                   [&](const LostRange& range) { return Touches(range, blocks); })) {
    return missing;
  }
  const std::string logs = KindPrefix('L');
  auto cursor = store.Scan(logs, PrefixEnd(logs));
  for (; cursor->Valid(); cursor->Next()) {
    std::string block_key = absl::StrCat(blocks, cursor->key().substr(logs.size()));
    const bool hit = std::any_of(lost.begin(), lost.end(), [&](const LostRange& range) {
      return range.begin <= block_key && (range.end.empty() || block_key < range.end);
    });
    if (!hit) continue;
    storage::v1::LoggedBatch logged;
    if (!logged.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) ||
        logged.block_bytes() == 0 || (!logged.has_spare() && logged.payload().empty())) {
      continue;
    }
    std::string block;
    const absl::Status got = store.Get(block_key, &block);
    if (got.ok()) continue;
    if (!absl::IsNotFound(got)) return got;
    missing.push_back({std::string(cursor->key()), std::move(block_key)});
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return missing;
}

// The block as the log keeps it, or as the bytes of a file show it; empty: neither does.
std::string BlockOf(const storage::v1::LoggedBatch& logged, const v1::BatchHeader& header,
                    absl::string_view content) {
  const auto is_right = [&](const std::string& found) {
    return Sha256(found) == header.payload_digest();
  };
  if (!logged.payload().empty()) return is_right(logged.payload()) ? logged.payload() : "";
  return FindBlock(content, logged.spare(), logged.block_bytes(), is_right);
}

}  // namespace

absl::Status MendBlocks(Store* store, absl::Span<const LostRange> lost,
                        absl::Span<const std::string> files, v1::Damage* damage) {
  GT_ASSIGN_OR_RETURN(std::vector<Missing> missing, FindMissing(*store, lost));
  std::map<std::string, std::pair<v1::FeedId, int>> mended;  // by feed key
  WriteSet writes;
  const auto commit = [&]() {
    const WriteSet part = std::exchange(writes, WriteSet());
    return part.empty() ? absl::OkStatus() : store->Commit({&part, 1});
  };
  const auto mend = [&](absl::string_view content) -> absl::Status {
    std::vector<Missing> still;
    for (Missing& one : missing) {
      storage::v1::LoggedBatch logged;
      v1::BatchHeader header;
      GT_RETURN_IF_ERROR(Read(*store, one.log_key, &logged, &header));
      std::string block = BlockOf(logged, header, content);
      if (block.empty()) {
        still.push_back(std::move(one));
        continue;
      }
      auto& [feed, count] = mended[FeedKey::Of(header.feed()).str()];
      feed = header.feed();
      ++count;
      writes.Put(one.block_key, std::move(block));
      if (writes.bytes() >= kStageGroupBytes) GT_RETURN_IF_ERROR(commit());
    }
    missing = std::move(still);
    return absl::OkStatus();
  };
  GT_RETURN_IF_ERROR(mend(""));  // what the log has of itself
  for (const std::string& file : files) {
    if (missing.empty()) break;
    GT_RETURN_IF_ERROR(mend(ReadAsFarAsPossible(file)));
  }
  GT_RETURN_IF_ERROR(commit());
  for (const auto& [key, of] : mended) {
    v1::DamagedFeed* told = damage->add_feeds();
    *told->mutable_feed() = of.first;
    told->set_feed_key(HexOf(key));
    told->set_part("table");
    told->set_cure("mended");
    told->set_text(absl::StrCat(of.second,
                                " 个数据块由其冗余校验修复 (blocks put right by what the "
                                "log keeps for it)"));
  }
  return absl::OkStatus();
}

}  // namespace guantong
