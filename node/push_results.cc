#include "node/push_results.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/driver.h"

namespace guantong {
namespace {

// More than come in, so that a lowered bound is reached.
constexpr size_t kForgetAtATime = 8;
constexpr size_t kHashAtATime = 64 << 10;

uint64_t UnixMs(absl::Time time) { return static_cast<uint64_t>(absl::ToUnixMillis(time)); }

}  // namespace

absl::Status PushResults::Begin() {
  const std::string ages = KindPrefix('Q');
  auto cursor = site_.store->Scan(ages, PrefixEnd(ages));
  for (; cursor->Valid(); cursor->Next()) ++kept_;
  return cursor->status();
}

absl::StatusOr<std::unique_ptr<v1::PushResponse>> PushResults::Find(
    const Reader& snapshot, const FeedKey& feed, absl::string_view batch_id,
    absl::string_view content_digest) const {
  std::string bytes;
  const absl::Status got = snapshot.Get(PushKey(feed, batch_id), &bytes);
  if (absl::IsNotFound(got)) return nullptr;
  GT_RETURN_IF_ERROR(got);
  storage::v1::PushRecord record;
  if (!record.ParseFromString(bytes)) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                 "推送结果记录损坏 (a push record does not parse)");
  }
  if (record.content_digest() != content_digest) {
    return Error(absl::StatusCode::kFailedPrecondition, "batch_id_reused",
                 "同一批次号已用于另一内容的推送 (the batch id was used for other content)",
                 record.response().code(), "新内容请换用新的批次号 (use a new batch id)");
  }
  record.mutable_response()->set_repeated_batch(true);
  return std::make_unique<v1::PushResponse>(std::move(*record.mutable_response()));
}

absl::Status PushResults::Keep(const FeedKey& feed, absl::Span<const EndedPush> unchanged) {
  if (unchanged.empty()) return absl::OkStatus();
  WriteSet writes;
  for (const EndedPush& push : unchanged) {
    writes.Put(PushKey(feed, push.push_id), push.record.SerializeAsString());
    writes.Put(PushAgeKey(UnixMs(absl::Now()), feed, push.push_id), "");
  }
  return site_.driver->WriteOwn(std::move(writes));
}

void PushResults::ForgetOld() {
  const uint64_t old_ms = UnixMs(absl::Now() - absl::Hours(24 * kPushRecordDays));
  std::lock_guard<std::mutex> lock(mutex_);
  ++kept_;
  const std::string ages = KindPrefix('Q');
  auto cursor = site_.store->Scan(ages, PrefixEnd(ages));
  WriteSet deletes;
  for (size_t n = 0; n < kForgetAtATime && cursor->Valid(); ++n, cursor->Next()) {
    const absl::string_view key = cursor->key().substr(ages.size());
    if (key.size() < sizeof(uint64_t) + kFeedKeyBytes) continue;
    if (kept_ <= kPushRecordsMax && ReadBigEndian64(key) >= old_ms) break;
    const FeedKey feed = FeedKey::FromBytes(key.substr(sizeof(uint64_t), kFeedKeyBytes));
    deletes.Delete(PushKey(feed, key.substr(sizeof(uint64_t) + kFeedKeyBytes)));
    deletes.Delete(std::string(cursor->key()));
    if (kept_ > 0) --kept_;
  }
  if (deletes.empty()) return;
  site_.driver->Submit(WriteFacts{.writes = std::move(deletes)}, [](const WriteDone&) {})
      .IgnoreError();
}

// --- content -----------------------------------------------------------------------------------

struct ContentDigest::State {
  Sha256Stream stream;
  std::string buffer;
};

ContentDigest::ContentDigest(const v1::PushOpen& open) : state_(std::make_unique<State>()) {
  Add(open.code());
  Add(absl::StrCat(open.mode(), open.accept_valid() ? "+" : ""));
  for (const std::string& field : open.fields()) Add(field);
}

ContentDigest::~ContentDigest() = default;

void ContentDigest::Add(const PushedRow& row) {
  AppendBigEndian32(static_cast<uint32_t>(row.values.size()), &state_->buffer);
  for (absl::string_view value : row.values) Add(value);
  AppendBigEndian32(static_cast<uint32_t>(row.nulls.size()), &state_->buffer);
  for (uint32_t null : row.nulls) AppendBigEndian32(null, &state_->buffer);
  if (state_->buffer.size() > kHashAtATime) Flush();
}

std::string ContentDigest::Finish() {
  Flush();
  return state_->stream.Finish();
}

void ContentDigest::Add(absl::string_view part) {
  AppendBigEndian64(part.size(), &state_->buffer);
  state_->buffer.append(part.data(), part.size());
}

void ContentDigest::Flush() {
  state_->stream.Update(state_->buffer);
  state_->buffer.clear();
}

}  // namespace guantong
