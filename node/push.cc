#include "node/push.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/table.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"
#include "node/form/utf8.h"
#include "node/limits.h"

namespace guantong {
namespace {

// How long a repeated push waits for the node to finish the first.
constexpr absl::Duration kPendingPushWait = absl::Minutes(1);

absl::Status SenderGone() {
  return Error(absl::StatusCode::kCancelled, "push_broken",
               "推送中断，未作任何改动 (the sender went away; nothing was changed)");
}

absl::Status FormError(absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "push_malformed", text);
}

void Reject(uint64_t line, absl::string_view field, absl::string_view reason, const PushedRow* row,
            v1::PushResponse* response) {
  response->set_rejected(response->rejected() + 1);
  if (static_cast<size_t>(response->rejects_size()) >= kRejectsListedMax) return;
  v1::RejectedRow* reject = response->add_rejects();
  reject->set_line(line);
  reject->set_field(std::string(field));
  reject->set_reason(std::string(reason));
  if (row == nullptr) return;
  for (absl::string_view value : row->values) {
    // What is no text cannot be shown.
    reject->add_values(FindUtf8Fault(value).found ? "" : std::string(value));
  }
}

absl::Status RowInvalid(uint64_t line, absl::string_view field, absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "row_invalid",
               absl::StrCat("第 ", line, " 行", field.empty() ? "" : "，字段 ", field, "：", why),
               absl::StrCat(line, field.empty() ? "" : ":", field),
               "改正后重推；--dry-run 列出全部错误，--accept-valid 只收合格的行 "
               "(correct it; --dry-run lists all, --accept-valid takes the valid rows)");
}

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

absl::Status PushDesk::Begin() {
  const std::string staged = KindPrefix('H');
  std::string begin = staged;
  WriteSet orphans;
  while (true) {
    auto cursor = site_.store->Scan(begin, PrefixEnd(staged));
    if (!cursor->Valid()) {
      GT_RETURN_IF_ERROR(cursor->status());
      break;
    }
    const FeedKey feed = FeedKey::FromBytes(cursor->key().substr(staged.size(), kFeedKeyBytes));
    const std::string prefix = StagedPrefix(feed);
    std::string pending;
    if (absl::IsNotFound(site_.store->Get(PendingPushKey(feed), &pending))) {
      orphans.DeleteRange(prefix, PrefixEnd(prefix));
    }
    begin = PrefixEnd(prefix);
  }
  GT_RETURN_IF_ERROR(results_.Begin());
  return orphans.empty() ? absl::OkStatus() : site_.driver->WriteOwn(std::move(orphans));
}

absl::StatusOr<v1::PushResponse> PushDesk::Take(const CallerIdentity& caller,
                                                const PushSource& stream) {
  v1::PushRequest request;
  if (!stream.read(&request))
    return stream.broken() ? SenderGone() : FormError("推送没有内容 (an empty push)");
  GT_ASSIGN_OR_RETURN(std::unique_ptr<Taken> taken, TakeIn(caller, &request, stream, nullptr));
  if (stream.read(&request)) return FormError("end 之后不能再有内容 (nothing may follow the end)");
  if (stream.broken()) return SenderGone();
  taken->slot->Complete();
  Group group;
  group.push_back(std::move(taken));
  GT_ASSIGN_OR_RETURN(std::vector<v1::PushResponse> responses, Apply(stream, group));
  AfterAnswer(responses.front());
  return std::move(responses.front());
}

void PushDesk::AfterAnswer(const v1::PushResponse& response) {
  if (!response.dry_run() && !response.repeated_batch()) results_.ForgetOld();
}

absl::StatusOr<std::unique_ptr<PushDesk::Taken>> PushDesk::TakeIn(
    const CallerIdentity& caller, v1::PushRequest* first, const PushSource& stream,
    std::shared_ptr<OpenPushes::Slot> held) {
  if (!first->has_open()) return FormError("推送须以 open 开始 (a push begins with open)");
  GT_ASSIGN_OR_RETURN(Push push, Start(caller, std::move(*first->mutable_open())));
  std::string name(push.feed.bytes());
  if (held == nullptr || held->name() != name) {
    held = std::make_shared<OpenPushes::Slot>(&open_, std::move(name));
    GT_RETURN_IF_ERROR(held->Hold(push.table, stream.cancel));
  } else {
    held->Heard();
  }
  const RowSorterOptions sorting = {.dir = site_.options.dir,
                                    .buffer_bytes_max = kPushBufferBytesMax,
                                    .bytes_max = kPushBytesMax};
  auto taken = std::make_unique<Taken>(std::move(push), std::move(held), sorting);
  GT_RETURN_IF_ERROR(Receive(stream, taken.get()));
  return taken;
}

absl::StatusOr<PushDesk::Push> PushDesk::Start(const CallerIdentity& caller,
                                               v1::PushOpen open) const {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(open.code()));
  absl::StatusOr<v1::CatalogEntry> entry = FindEntry(*snapshot, ref.code);
  if (absl::IsNotFound(entry.status())) {
    std::string draft;
    v1::CatalogEntry drafted;
    if (snapshot->Get(DraftKey(ref.code), &draft).ok() && drafted.ParseFromString(draft))
      entry = drafted;
  }
  GT_RETURN_IF_ERROR(entry.status());
  GT_RETURN_IF_ERROR(CheckOwner(site_, caller, *entry));
  GT_RETURN_IF_ERROR(CheckInForce(*entry));
  if (open.mode() == v1::PUSH_MODE_UNSPECIFIED) open.set_mode(v1::PUSH_MODE_UPSERT);
  if (!v1::PushMode_IsValid(open.mode())) return FormError("未知的推送方式 (unknown mode)");
  if (open.batch_id().size() > kPushIdBytesMax) {
    return FormError(
        absl::StrCat("批次号超过 ", kPushIdBytesMax, " 字节 (the batch id is too long)"));
  }
  if (open.accept_valid() && open.mode() == v1::PUSH_MODE_REPLACE) {
    return Error(absl::StatusCode::kInvalidArgument, "accept_valid_with_replace",
                 "replace 不能与 accept-valid 同用：不合格行的旧值会被删除 (rejected rows would "
                 "lose their old values)",
                 open.code(), "先改正全部行，或改用 upsert (correct all rows, or use upsert)");
  }
  if (open.batch_id().empty()) open.set_batch_id(RandomBytes(16));
  Push push;
  GT_ASSIGN_OR_RETURN(push.table, TableOf(*entry, ref.id));
  push.feed = FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_ROWS, push.table));
  push.author = caller.uscc;
  push.response.set_code(push.table);
  push.response.set_batch_id(open.batch_id());
  push.response.set_dry_run(open.dry_run());
  open.set_code(push.table);
  push.open = std::move(open);
  return push;
}

absl::Status PushDesk::Receive(const PushSource& stream, Taken* taken) {
  Push& push = taken->push;
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const TableReader table, TableReader::Open(*snapshot, push.feed));
  GT_ASSIGN_OR_RETURN(
      RowBuilder builder,
      RowBuilder::Create(table.schema(), {push.open.fields().begin(), push.open.fields().end()},
                         /*key_only=*/push.open.mode() == v1::PUSH_MODE_DELETE));
  ContentDigest digest(push.open);
  const bool list_rejects = push.open.accept_valid() || push.open.dry_run();
  v1::PushRequest request;
  PushedRow row;
  BuiltRow built;
  while (stream.read(&request)) {
    taken->slot->Heard();
    if (request.has_end()) {
      if (request.end().rows() != push.received) {
        return FormError(absl::StrCat("应有 ", request.end().rows(), " 行，收到 ", push.received,
                                      " 行 (rows are missing)"));
      }
      push.digest = digest.Finish();
      return taken->rows.Finish();
    }
    if (request.kind_case() != v1::PushRequest::kRows)
      return FormError("open 之后只能是行 (only rows may follow open)");
    taken->rows.Expect(request.rows().size());
    PushedRowsReader rows(request.rows());
    while (true) {
      GT_ASSIGN_OR_RETURN(const bool any, rows.Next(&row));
      if (!any) break;
      digest.Add(row);
      ++push.received;
      if (const absl::Status valid = builder.Build(row.values, row.nulls, &built); !valid.ok()) {
        const ErrorDetail detail = DetailOf(valid);
        if (!list_rejects) return RowInvalid(row.line, detail.subject, valid.message());
        Reject(row.line, detail.subject, valid.message(), &row, &push.response);
        continue;
      }
      GT_RETURN_IF_ERROR(taken->rows.Add(built.key, built.bytes, row.line));
    }
  }
  return SenderGone();
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
      // One that a stop cut short goes on by itself, from payloads staged under its own id. Its own
      // repeat waits for its result.
      std::string bytes;
      storage::v1::PendingPush pending;
      if (snapshot->Get(PendingPushKey(push.feed), &bytes).ok() && pending.ParseFromString(bytes)) {
        if (group.size() == 1 && pending.push_id() == push.open.batch_id() && !stream.broken() &&
            absl::Now() < give_up) {
          GT_RETURN_IF_ERROR(EndOfPending(site_.driver, push.feed, pending.push_id(), give_up));
          --attempt;
          continue;
        }
        return Error(absl::StatusCode::kFailedPrecondition, "push_open",
                     "上一次推送仍在写入 (an earlier push is still being taken in)", push.table,
                     "稍后重试 (try again)");
      }
    }
    GT_ASSIGN_OR_RETURN(const TableReader table, TableReader::Open(*snapshot, push.feed));
    std::vector<v1::PushResponse> responses(group.size());
    std::vector<PushDiff> diffs(group.size());
    for (size_t n = 0; n < group.size(); ++n) {
      const v1::PushOpen& open = group[n]->push.open;
      responses[n] = group[n]->push.response;
      diffs[n].mode = open.mode();
      diffs[n].rows = &group[n]->rows;
      diffs[n].on_repeated = [response = &responses[n],
                              list_rejects = open.accept_valid() || dry_run](uint64_t first_line,
                                                                             uint64_t line) {
        const std::string why =
            absl::StrCat("与第 ", first_line, " 行主键相同 (same key as line ", first_line, ")");
        if (!list_rejects) return RowInvalid(line, "", why);
        Reject(line, "", why, nullptr, response);
        return absl::OkStatus();
      };
    }
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
