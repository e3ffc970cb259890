#include "node/entries/approvals.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

absl::Status StateOther(const OwnEntry& own, absl::string_view text) {
  return Error(absl::StatusCode::kFailedPrecondition, "state_other", text, own.code(),
               absl::StrCat("见 (see) guantong why ", own.code()));
}

absl::Status DraftAbsent(const OwnEntry& own) {
  return Error(absl::StatusCode::kFailedPrecondition, "draft_absent",
               absl::StrCat("没有待提交的草稿：", own.code(), " (there is no draft)"), own.code(),
               "用 guantong catalog edit 修改条目 (edit it first)");
}

absl::Status NotYours(const OwnEntry& own, absl::string_view whose) {
  return Error(absl::StatusCode::kPermissionDenied, "not_yours_to_approve",
               absl::StrCat("本环节由 ", whose,
                            " 审批，不属于本身份 (another department decides "
                            "at this stage)"),
               own.code(), absl::StrCat("见 (see) guantong why ", own.code()));
}

}  // namespace

absl::StatusOr<v1::CatalogEntry> Approvals::Submit(const CallerIdentity& caller,
                                                   const v1::ReviewRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.LoadOwn(*snapshot, caller, request.code()));
  if (!own.draft.has_value()) return DraftAbsent(own);
  if (own.review.has_value())
    return StateOther(own, "已提交，正在审核 (it has been submitted already)");
  v1::CatalogEntry draft = *own.draft;
  // What was right when it was written may be wrong by now: a class closed, a rule in force.
  GT_RETURN_IF_ERROR(ValidateEntry(draft, desk_.rules().Today(*snapshot)));
  GT_RETURN_IF_ERROR(RefuseProblems(CheckClassesOf(draft, *desk_.classes().Tree(*snapshot))));
  if (own.before() != nullptr)
    GT_RETURN_IF_ERROR(desk_.CheckChange(*snapshot, *own.before(), draft));
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  if (desk_.rules().Approvals(*snapshot) == 0) {
    return publication_.PutInForce(*snapshot, own, std::move(draft),
                                   MakeAct(v1::ACT_KIND_PUBLISH, actor, request.reason(),
                                           v1::ENTRY_STATE_DRAFT, v1::ENTRY_STATE_PUBLISHED),
                                   {});
  }
  draft.set_state(v1::ENTRY_STATE_DEPARTMENT_REVIEW);
  storage::v1::StoredReview review;
  *review.mutable_submitted_by() = actor;
  *review.mutable_submitted_at() = TimestampOf(absl::Now());
  *review.mutable_since() = review.submitted_at();
  review.set_contacts_only(own.before() != nullptr && OnlyContactsDiffer(*own.before(), draft));
  WriteSet writes;
  writes.Put(DraftKey(draft.code()), draft.SerializeAsString());
  writes.Put(ReviewKey(draft.code()), review.SerializeAsString());
  GT_RETURN_IF_ERROR(desk_.Note(*snapshot, draft,
                                MakeAct(v1::ACT_KIND_SUBMIT, actor, request.reason(),
                                        v1::ENTRY_STATE_DRAFT, v1::ENTRY_STATE_DEPARTMENT_REVIEW),
                                &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return draft;
}

absl::StatusOr<v1::CatalogEntry> Approvals::BackToDraft(const Reader& snapshot, const OwnEntry& own,
                                                        v1::Act act) {
  v1::CatalogEntry draft = *own.draft;
  act.set_from(draft.state());
  draft.set_state(v1::ENTRY_STATE_DRAFT);
  WriteSet writes;
  writes.Put(DraftKey(draft.code()), draft.SerializeAsString());
  writes.Delete(ReviewKey(draft.code()));
  GT_RETURN_IF_ERROR(desk_.Note(snapshot, draft, std::move(act), &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return draft;
}

absl::StatusOr<v1::CatalogEntry> Approvals::Recall(const CallerIdentity& caller,
                                                   const v1::ReviewRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, desk_.LoadOwn(*snapshot, caller, request.code()));
  if (!own.draft.has_value() || !own.review.has_value())
    return StateOther(own, "条目不在审核中 (it is not under review)");
  return BackToDraft(*snapshot, own,
                     MakeAct(v1::ACT_KIND_RECALL, desk_.ActorOf(*snapshot, caller),
                             request.reason(), own.draft->state(), v1::ENTRY_STATE_DRAFT));
}

absl::StatusOr<OwnEntry> Approvals::LoadToDecide(const Reader& snapshot,
                                                 const CallerIdentity& caller,
                                                 const std::string& code) const {
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.Load(snapshot, code));
  if (own.any().node() != desk_.site().node_id())
    return NotYours(own, "提供方所在节点 (the provider's node)");
  if (!own.draft.has_value() || !own.review.has_value())
    return StateOther(own, "条目不在审核中 (it is not under review)");
  const v1::CatalogEntry& draft = *own.draft;
  if (draft.state() == v1::ENTRY_STATE_DEPARTMENT_REVIEW) {
    if (caller.uscc != draft.provider_code()) return NotYours(own, draft.provider());
  } else {
    const auto supervisor = desk_.SupervisorOf(snapshot, draft.division());
    const bool supervises = [&] {
      const auto department = desk_.FindDepartment(snapshot, caller.uscc);
      return department.has_value() && department->supervising() &&
             department->division() == draft.division();
    }();
    if (!supervises) {
      return NotYours(own, supervisor.has_value()
                               ? supervisor->name()
                               : absl::StrCat("区划 ", draft.division(), " 的主管部门"));
    }
  }
  const v1::Actor& by = own.review->submitted_by();
  const v1::Actor actor = desk_.ActorOf(snapshot, caller);
  const bool same_person = !by.person().empty() && by.person() == actor.person();
  if (by.key_digest() == actor.key_digest() || same_person) {
    return Error(absl::StatusCode::kPermissionDenied, "own_draft",
                 "不能审批自己提交的条目 (nobody approves a draft of his own)", own.code(),
                 "由另一位审批员办理 (another approver has to do it)");
  }
  return own;
}

absl::StatusOr<v1::CatalogEntry> Approvals::Approve(const CallerIdentity& caller,
                                                    const v1::ReviewRequest& request) {
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, LoadToDecide(*snapshot, caller, request.code()));
  v1::CatalogEntry draft = *own.draft;
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  const bool first = draft.state() == v1::ENTRY_STATE_DEPARTMENT_REVIEW;
  const bool second_needed =
      first && desk_.rules().Approvals(*snapshot) > 1 && !own.review->contacts_only();
  if (!second_needed) {
    return publication_.PutInForce(*snapshot, own, draft,
                                   MakeAct(v1::ACT_KIND_PUBLISH, actor, request.reason(),
                                           draft.state(), v1::ENTRY_STATE_PUBLISHED),
                                   {});
  }
  draft.set_state(v1::ENTRY_STATE_SUPERVISOR_REVIEW);
  storage::v1::StoredReview review = *own.review;
  *review.add_approved_by() = actor;
  *review.mutable_since() = TimestampOf(absl::Now());
  WriteSet writes;
  writes.Put(DraftKey(draft.code()), draft.SerializeAsString());
  writes.Put(ReviewKey(draft.code()), review.SerializeAsString());
  GT_RETURN_IF_ERROR(
      desk_.Note(*snapshot, draft,
                 MakeAct(v1::ACT_KIND_APPROVE, actor, request.reason(),
                         v1::ENTRY_STATE_DEPARTMENT_REVIEW, v1::ENTRY_STATE_SUPERVISOR_REVIEW),
                 &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  return draft;
}

absl::StatusOr<v1::CatalogEntry> Approvals::Return(const CallerIdentity& caller,
                                                   const v1::ReviewRequest& request) {
  GT_RETURN_IF_ERROR(RequireReason(request.reason(), request.code()));
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, LoadToDecide(*snapshot, caller, request.code()));
  return BackToDraft(*snapshot, own,
                     MakeAct(v1::ACT_KIND_RETURN, desk_.ActorOf(*snapshot, caller),
                             request.reason(), own.draft->state(), v1::ENTRY_STATE_DRAFT));
}

absl::StatusOr<v1::CatalogEntry> Approvals::Refuse(const CallerIdentity& caller,
                                                   const v1::ReviewRequest& request) {
  GT_RETURN_IF_ERROR(RequireReason(request.reason(), request.code()));
  const auto lock = desk_.Lock();
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(const OwnEntry own, LoadToDecide(*snapshot, caller, request.code()));
  WriteSet writes;
  writes.Delete(DraftKey(own.code()));
  writes.Delete(ReviewKey(own.code()));
  const v1::EntryState stays =
      own.before() == nullptr ? v1::ENTRY_STATE_UNSPECIFIED : own.before()->state();
  GT_RETURN_IF_ERROR(desk_.Note(*snapshot, *own.draft,
                                MakeAct(v1::ACT_KIND_REFUSE, desk_.ActorOf(*snapshot, caller),
                                        request.reason(), own.draft->state(), stays),
                                &writes));
  GT_RETURN_IF_ERROR(desk_.Commit(std::move(writes)));
  if (own.in_force.has_value()) return *own.in_force;
  v1::CatalogEntry ended = *own.draft;
  ended.set_state(v1::ENTRY_STATE_WITHDRAWN);
  ended.set_state_reason(request.reason());
  return ended;
}

bool Approvals::TakesPublish(const CallerIdentity& caller, const std::string& code) const {
  if (caller.role != CertificateRole::kApprover) return false;
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  const absl::StatusOr<OwnEntry> own = desk_.Load(*snapshot, code);
  if (!own.ok() || !own->draft.has_value() || !own->review.has_value()) return false;
  const bool last = own->draft->state() == v1::ENTRY_STATE_SUPERVISOR_REVIEW ||
                    desk_.rules().Approvals(*snapshot) < 2 || own->review->contacts_only();
  return last;
}

}  // namespace guantong
