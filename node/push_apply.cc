// Compares pushes that have come whole with the table, and hands what they change to the engine.
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/push.h"
#include "node/push_refusals.h"

namespace guantong {
namespace {

// The ids of a group stand in one header, with a tag and a length each, and leave room for the
// rest.
static_assert(kPushesJoinedMax * (kPushIdBytesMax + 3) <= kHeaderBytesMax / 2 + 256);

// How long a repeated push waits for the node to finish the first.
constexpr absl::Duration kPendingPushWait = absl::Minutes(1);

// Waits for a push that goes on by itself; OK also when `give_up` comes first.
absl::Status EndOfPending(Driver* driver, const FeedKey& feed, const std::string& push_id,
                          absl::Time give_up) {
  auto promise = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> future = promise->get_future();
  GT_RETURN_IF_ERROR(
      driver->Submit(AwaitPush{.feed = feed, .push_id = push_id},
                     [promise](const WriteDone& done) { promise->set_value(done.status); }));
  const bool ended = future.wait_until(absl::ToChronoTime(give_up)) == std::future_status::ready;
  return ended ? future.get() : absl::OkStatus();
}

}  // namespace

bool PushDesk::Joins(const Taken& next, const Group& group) {
  const Push& push = next.push;
  if (push.open.mode() == v1::PUSH_MODE_REPLACE || push.open.dry_run()) return false;
  uint64_t rows = next.rows.rows();
  uint64_t bytes = next.rows.bytes();
  for (const std::unique_ptr<Taken>& other : group) {
    rows += other->rows.rows();
    bytes += other->rows.bytes();
    if (other->push.feed != push.feed || other->push.author != push.author ||
        other->push.open.batch_id() == push.open.batch_id()) {
      return false;
    }
  }
  return group.size() < kPushesJoinedMax && rows <= kBatchRowsMax && bytes <= kBatchBytesTarget;
}

absl::StatusOr<std::unique_ptr<v1::PushResponse>> PushDesk::FindBefore(const Reader& snapshot,
                                                                       const Group& group) const {
  for (const std::unique_ptr<Taken>& taken : group) {
    const Push& push = taken->push;
    GT_ASSIGN_OR_RETURN(std::unique_ptr<v1::PushResponse> before,
                        results_.Find(snapshot, push.feed, push.open.batch_id(), push.digest));
    if (before == nullptr) continue;
    if (group.size() == 1) return before;
    return Error(absl::StatusCode::kAborted, "repeated_batch",
                 "同组中有重复的批次 (a push of the group had been taken before)");
  }
  return nullptr;
}

absl::Status PushDesk::CheckReplace(const Push& push, const DiffCounts& counts,
                                    uint64_t rows_before) const {
  if (push.open.mode() != v1::PUSH_MODE_REPLACE) return absl::OkStatus();
  const bool said = push.open.has_expect_deletes();
  if (said && push.open.expect_deletes() == counts.deletes) return absl::OkStatus();
  const double share_max = site_.options.replace_deletes_max;
  if (!said &&
      static_cast<double>(counts.deletes) <= share_max * static_cast<double>(rows_before)) {
    return absl::OkStatus();
  }
  return Error(
      absl::StatusCode::kFailedPrecondition, "replace_guard",
      absl::StrCat(
          "将删除 ", rows_before, " 行中的 ", counts.deletes, " 行",
          said ? absl::StrCat("，而 --expect-deletes 为 ", push.open.expect_deletes()) : "",
          "，已拒绝 (the replace would delete ", counts.deletes, " of ", rows_before, " rows)"),
      push.table,
      absl::StrCat("确认无误后加 --expect-deletes ", counts.deletes, " (say so if it is meant)"));
}

// One that a stop cut short goes on by itself, from payloads staged under its own id. Its own
// repeat waits for its result.
absl::StatusOr<bool> PushDesk::AwaitPending(const Reader& snapshot, const PushSource& stream,
                                            const Group& group, absl::Time give_up) const {
  const Push& push = group.back()->push;
  std::string bytes;
  storage::v1::PendingPush pending;
  if (!snapshot.Get(PendingPushKey(push.feed), &bytes).ok() || !pending.ParseFromString(bytes))
    return false;
  if (group.size() == 1 && pending.push_id() == push.open.batch_id() && !stream.broken() &&
      absl::Now() < give_up) {
    GT_RETURN_IF_ERROR(EndOfPending(site_.driver, push.feed, pending.push_id(), give_up));
    return true;
  }
  return Error(absl::StatusCode::kFailedPrecondition, "push_open",
               "上一次推送仍在写入 (an earlier push is still being taken in)", push.table,
               "稍后重试 (try again)");
}

std::vector<PushDiff> PushDesk::DiffsOf(const Group& group,
                                        std::vector<v1::PushResponse>* responses) {
  std::vector<PushDiff> diffs(group.size());
  responses->resize(group.size());
  for (size_t n = 0; n < group.size(); ++n) {
    const v1::PushOpen& open = group[n]->push.open;
    v1::PushResponse* response = &(*responses)[n];
    *response = group[n]->push.response;
    diffs[n].mode = open.mode();
    diffs[n].rows = &group[n]->rows;
    diffs[n].on_repeated = [response, list_rejects = open.accept_valid() || open.dry_run()](
                               uint64_t first_line, uint64_t line) {
      const std::string why =
          absl::StrCat("与第 ", first_line, " 行主键相同 (same key as line ", first_line, ")");
      if (!list_rejects) return RowInvalid(line, "", why);
      Reject(line, "", why, nullptr, response);
      return absl::OkStatus();
    };
  }
  return diffs;
}

absl::StatusOr<std::vector<v1::PushResponse>> PushDesk::Apply(const PushSource& stream,
                                                              const Group& group) {
  // What Joins holds equal is that of any of them.
  const Push& push = group.back()->push;
  const bool dry_run = push.open.dry_run();
  absl::Status moved;
  const absl::Time give_up = absl::Now() + kPendingPushWait;
  for (int attempt = 0; attempt < kPushRedoMax; ++attempt) {
    const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
    if (!dry_run) {
      GT_ASSIGN_OR_RETURN(const std::unique_ptr<v1::PushResponse> before,
                          FindBefore(*snapshot, group));
      if (before != nullptr) return std::vector<v1::PushResponse>{*before};
      GT_ASSIGN_OR_RETURN(const bool awaited, AwaitPending(*snapshot, stream, group, give_up));
      if (awaited) {
        --attempt;
        continue;
      }
    }
    GT_ASSIGN_OR_RETURN(const TableReader table, TableReader::Open(*snapshot, push.feed));
    for (const std::unique_ptr<Taken>& taken : group) {
      if (taken->push.schema != table.record().schema()) return SchemaChanged(push.table);
    }
    std::vector<v1::PushResponse> responses;
    std::vector<PushDiff> diffs = DiffsOf(group, &responses);
    PayloadWriter payloads(site_.driver, push.feed, push.open.batch_id());
    absl::Status status = Diff(table, absl::MakeSpan(diffs),
                               [&](absl::string_view key, const absl::string_view* row) {
                                 return dry_run ? absl::OkStatus() : payloads.Add(key, row);
                               });
    if (status.ok()) status = CheckReplace(push, diffs.back().counts, table.record().rows());
    if (status.ok() && !dry_run) status = payloads.Finish();
    // A broken stream may show only now; a whole one stays open until it is answered.
    if (status.ok() && stream.broken()) status = SenderGone();
    if (!status.ok()) {
      payloads.Discard();
      return status;
    }

    uint64_t rows_after = table.record().rows();
    std::vector<EndedPush> changed, unchanged;
    for (size_t n = 0; n < group.size(); ++n) {
      const DiffCounts& counts = diffs[n].counts;
      responses[n].set_inserts(counts.inserts);
      responses[n].set_updates(counts.updates);
      responses[n].set_deletes(counts.deletes);
      responses[n].set_unchanged(counts.unchanged);
      rows_after += counts.inserts - counts.deletes;
      EndedPush& ended = (counts.changes() > 0 ? changed : unchanged).emplace_back();
      ended.push_id = group[n]->push.open.batch_id();
      ended.record.set_content_digest(group[n]->push.digest);
      *ended.record.mutable_response() = responses[n];
      *ended.record.mutable_at() = TimestampOf(absl::Now());
    }
    if (dry_run) return responses;
    GT_RETURN_IF_ERROR(results_.Keep(push.feed, unchanged));
    if (changed.empty()) return responses;

    const uint32_t staged = payloads.staged();
    PushRows event = {.feed = push.feed,
                      .base_commit = table.record().commit(),
                      .push_id = std::move(changed.back().push_id),
                      .author = push.author,
                      .payload = staged == 0 ? payloads.TakePayload() : "",
                      .staged = staged,
                      .rows_after = rows_after,
                      .record = std::move(changed.back().record)};
    changed.pop_back();
    event.joined = std::move(changed);
    absl::StatusOr<WriteDone> done = site_.driver->Write(std::move(event));
    if (done.ok()) {
      for (size_t n = 0; n < group.size(); ++n) {
        if (diffs[n].counts.changes() == 0) continue;
        responses[n].set_commit(done->commit);
        *responses[n].mutable_position() = done->position;
      }
      return responses;
    }
    // Only a refusal says for sure that nothing refers to what is staged.
    if (!absl::IsFailedPrecondition(done.status()) && !absl::IsNotFound(done.status()))
      return done.status();
    payloads.Discard();
    if (DetailOf(done.status()).reason != "base_moved") return done.status();
    moved = done.status();
  }
  return moved;
}

}  // namespace guantong
