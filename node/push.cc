#include "node/push.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/table.h"
#include "catalog/view.h"
#include "node/driver.h"
#include "node/entry_rules.h"
#include "node/limits.h"
#include "node/push_refusals.h"

namespace guantong {
namespace {

absl::Status FormError(absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "push_malformed", text);
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
  push.schema = table.record().schema();
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

}  // namespace guantong
