#include "node/entries/rulings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/view.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kReworkTerm[] = "rework";

absl::Status Invalid(absl::string_view subject, absl::string_view text, absl::string_view remedy) {
  return Error(absl::StatusCode::kInvalidArgument, "ruling_invalid", text, subject, remedy);
}

absl::Status AddTag(const std::string& tag, v1::Ruling* ruling) {
  if (tag.empty() || tag.size() > kNameBytesMax)
    return Invalid("tag", "标签为空或太长 (the tag is empty or too long)", "写一个短标签");
  if (std::count(ruling->tags().begin(), ruling->tags().end(), tag) > 0) return absl::OkStatus();
  if (static_cast<size_t>(ruling->tags_size()) >= kTagsMax) {
    return Invalid("tag", absl::StrCat("标签已达上限 ", kTagsMax, " (too many tags)"),
                   "先去掉不用的标签 (take one away first): guantong ruling untag");
  }
  ruling->add_tags(tag);
  return absl::OkStatus();
}

void RemoveTag(const std::string& tag, v1::Ruling* ruling) {
  auto* tags = ruling->mutable_tags();
  tags->erase(std::remove(tags->begin(), tags->end(), tag), tags->end());
}

// What is said for a hosted division, or for the node itself.
v1::Ruling* WordIn(v1::Ruling* record, const std::string& division) {
  if (division.empty()) return record;
  for (v1::Ruling& hosted : *record->mutable_hosted()) {
    if (hosted.division() == division) return &hosted;
  }
  v1::Ruling* hosted = record->add_hosted();
  hosted->set_division(division);
  return hosted;
}

}  // namespace

std::vector<v1::Ruling> Rulings::On(const Reader& snapshot, const v1::CatalogEntry& entry) const {
  const std::optional<NodePath> place = PlaceOf(snapshot, rulers_, entry.node());
  if (!place.has_value()) return {};
  return RulingsOn(snapshot, rulers_, entry.code(), *place);
}

absl::StatusOr<std::vector<Rulings::Returned>> Rulings::ReturnedTo(const Reader& snapshot,
                                                                   const std::string& uscc) const {
  std::vector<Returned> returned;
  for (const Ruler& ruler : rulers_) {
    const std::string prefix = EntryPrefix(FeedKey::Of(RulingsFeed(ruler.node_id)));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      v1::Ruling record;
      if (!record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
        return StoredRecordDamaged();
      for (v1::Ruling& ruling : WordsOf(std::move(record))) {
        if (!ruling.has_rework()) continue;
        const absl::StatusOr<v1::CatalogEntry> entry = FindEntry(snapshot, ruling.code());
        if (!entry.ok() || entry->node() != desk_.site().node_id() ||
            entry->provider_code() != uscc || entry->state() == v1::ENTRY_STATE_WITHDRAWN ||
            !ReworkOpen(ruling, *entry)) {
          continue;
        }
        returned.push_back({.entry = *entry, .ruling = std::move(ruling)});
      }
    }
    GT_RETURN_IF_ERROR(cursor->status());
  }
  return returned;
}

std::optional<std::string> Rulings::RulesFor(const Reader& snapshot,
                                             const CallerIdentity& caller) const {
  if (caller.role != CertificateRole::kApprover) return std::nullopt;
  const auto department = desk_.FindDepartment(snapshot, caller.uscc);
  if (!department.has_value() || !department->supervising()) return std::nullopt;
  return department->division() == desk_.site().options.division ? "" : department->division();
}

absl::Status Rulings::CheckBranch(const Reader& snapshot, const v1::CatalogEntry& entry,
                                  const std::string& division) const {
  if (!division.empty()) {
    if (entry.node() == desk_.site().node_id() && SpeaksFor(division, entry.division()))
      return absl::OkStatus();
    return Error(absl::StatusCode::kPermissionDenied, "not_your_branch",
                 absl::StrCat("条目 ", entry.code(), " 属于区划 ", entry.division(), "，不属于 ",
                              division, " (the entry is of another division)"),
                 entry.code(), "由共同的上级裁定 (a common parent has to rule)");
  }
  const std::optional<NodePath> place = PlaceOf(snapshot, rulers_, entry.node());
  if (place.has_value() && desk_.site().path().Contains(*place)) return absl::OkStatus();
  return Error(
      absl::StatusCode::kPermissionDenied, "not_your_branch",
      absl::StrCat("条目 ", entry.code(), " 不属于本级及下级 (the entry is of another branch)"),
      entry.code(), "由共同的上级裁定 (a common parent has to rule)");
}

bool Rulings::ShowsAll(const Reader& snapshot, const CallerIdentity& caller,
                       const v1::CatalogEntry& entry) const {
  const bool own = entry.node() == desk_.site().node_id() &&
                   caller.node_id == desk_.site().node_id() &&
                   (caller.is_operator() || caller.uscc == entry.provider_code());
  return own || RulesFor(snapshot, caller) == "";
}

bool Rulings::HiddenFrom(const Reader& snapshot, const CallerIdentity& caller,
                         const v1::Ruling& ruling) const {
  if (ruling.hidden_because().empty()) return false;
  if (ruling.division().empty()) return true;
  // A hosted division's word holds at the node it is hosted on.
  if (ruling.node() != desk_.site().node_id()) return false;
  const auto department = desk_.FindDepartment(snapshot, caller.uscc);
  return department.has_value() && SpeaksFor(ruling.division(), department->division()) &&
         RulesFor(snapshot, caller) != ruling.division();
}

bool Rulings::HiddenInDivision(const Reader& snapshot, const CallerIdentity& caller,
                               const v1::ShowResponse& shown) const {
  return std::any_of(shown.rulings().begin(), shown.rulings().end(),
                     [&](const v1::HeldRuling& held) {
                       return !held.ruling().division().empty() &&
                              HiddenFrom(snapshot, caller, held.ruling());
                     }) &&
         !ShowsAll(snapshot, caller, shown.entry());
}

void Rulings::Describe(const Reader& snapshot, v1::ShowResponse* shown) const {
  const absl::StatusOr<NodePath> place = NodePath::Parse(shown->provider_path());
  if (!place.ok()) return;
  for (v1::Ruling& ruling : RulingsOn(snapshot, rulers_, shown->entry().code(), *place))
    *shown->add_rulings() = Held(snapshot, std::move(ruling), &shown->entry());
}

void Rulings::Describe(v1::FindResponse* found) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  for (v1::Hit& hit : *found->mutable_hits()) Describe(*snapshot, hit.mutable_shown());
}

HiddenEntries Rulings::HiddenInDivision(const CallerIdentity& caller) const {
  HiddenEntries hidden;
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  const std::shared_ptr<const HiddenEntries> all = hidden_.At(*snapshot);
  for (const HiddenEntries::InDivision& one : all->in_divisions()) {
    v1::Ruling word;
    word.set_node(one.node_id);
    word.set_division(one.division);
    word.set_hidden_because(one.code);
    if (!HiddenFrom(*snapshot, caller, word)) continue;
    const absl::StatusOr<v1::CatalogEntry> entry = FindEntry(*snapshot, one.code);
    if (entry.ok() && !ShowsAll(*snapshot, caller, *entry))
      hidden.Add(one.code, desk_.site().path());
  }
  return hidden;
}

absl::Status Rulings::CheckShown(const Reader& snapshot, const CallerIdentity& caller,
                                 const v1::CatalogEntry& entry,
                                 const std::string& provider_path) const {
  if (ShowsAll(snapshot, caller, entry)) return absl::OkStatus();
  const absl::StatusOr<NodePath> place = NodePath::Parse(provider_path);
  if (!place.ok()) return absl::OkStatus();
  for (const v1::Ruling& ruling : RulingsOn(snapshot, rulers_, entry.code(), *place)) {
    if (!HiddenFrom(snapshot, caller, ruling)) continue;
    return Error(absl::StatusCode::kPermissionDenied, "entry_hidden",
                 absl::StrCat("条目 ", entry.code(), " 已被 ", ruling.by(), " 暂停展示：",
                              ruling.hidden_because(), " (its display is suspended)"),
                 entry.code(), absl::StrCat("咨询 (ask) ", ruling.by()));
  }
  return absl::OkStatus();
}

absl::Status Rulings::Change(const Reader& snapshot, const v1::CatalogEntry& entry,
                             const v1::RuleRequest& request, v1::Ruling* ruling) const {
  switch (request.what_case()) {
    case v1::RuleRequest::kRework: {
      GT_RETURN_IF_ERROR(RequireReason(request.rework().reason(), entry.code()));
      v1::Rework* rework = ruling->mutable_rework();
      *rework = request.rework();
      rework->set_version(entry.version());
      rework->set_content(ContentDigest(entry));
      const absl::CivilDay today = DayOf(absl::Now());
      const auto book = desk_.rules().Book(snapshot);
      if (rework->deadline().empty()) {
        const RulesOfDay rules = book->On(today);
        const v1::Term* term = rules.FindTerm(kReworkTerm);
        if (term == nullptr) {
          return Invalid("deadline", "没有写期限，规则包也没有 (no deadline, and no rule has one)",
                         "写明期限 (say one): --until CCYY-MM-DD");
        }
        rework->set_deadline(DayText(book->Due(today, term->working_days())));
      }
      const std::optional<absl::CivilDay> deadline = ParseDay(rework->deadline());
      if (!deadline.has_value() || *deadline < today) {
        return Invalid(
            "deadline",
            absl::StrCat("期限不是将来的日期：", rework->deadline(), " (not a day to come)"),
            "写成 CCYY-MM-DD (write CCYY-MM-DD)");
      }
      return absl::OkStatus();
    }
    case v1::RuleRequest::kReworkLifted:
      ruling->clear_rework();
      return absl::OkStatus();
    case v1::RuleRequest::kHide:
      GT_RETURN_IF_ERROR(RequireReason(request.hide(), entry.code()));
      ruling->set_hidden_because(request.hide());
      return absl::OkStatus();
    case v1::RuleRequest::kUnhide:
      ruling->clear_hidden_because();
      return absl::OkStatus();
    case v1::RuleRequest::kTag:
      return AddTag(request.tag(), ruling);
    case v1::RuleRequest::kUntag:
      RemoveTag(request.untag(), ruling);
      return absl::OkStatus();
    case v1::RuleRequest::kAuthority:
      if (!request.authority().empty() && !IsUscc(request.authority())) {
        return Invalid("authority",
                       absl::StrCat("统一社会信用代码不符合 GB 32100：",
                                    request.authority().substr(0, 64), " (not a valid USCC)"),
                       "核对 18 位代码和校验位 (check the 18 characters)");
      }
      ruling->set_authority(request.authority());
      return absl::OkStatus();
    case v1::RuleRequest::WHAT_NOT_SET:
      break;
  }
  return Invalid("what", "没有说明裁定什么 (nothing is ruled)", "见 (see) guantong ruling --help");
}

absl::StatusOr<v1::Ruling> Rulings::Rule(const CallerIdentity& caller,
                                         const v1::RuleRequest& request) {
  const auto lock = desk_.Lock();
  const Site& site = desk_.site();
  const std::unique_ptr<Reader> snapshot = site.store->Snapshot();
  const std::optional<std::string> division = RulesFor(*snapshot, caller);
  if (!division.has_value()) {
    return Error(absl::StatusCode::kPermissionDenied, "not_yours_to_rule",
                 absl::StrCat("只有本级（", site.options.division,
                              "）或在此托管的区划的主管部门的审批员可以裁定 (only an approver of "
                              "the supervising authority of this level, or of a division hosted "
                              "here, rules)"),
                 request.code(), "由主管部门办理 (the supervising authority has to do it)");
  }
  GT_ASSIGN_OR_RETURN(const v1::CatalogEntry entry, FindEntry(*snapshot, request.code()));
  if (entry.state() == v1::ENTRY_STATE_WITHDRAWN) {
    return Error(absl::StatusCode::kNotFound, "entry_withdrawn",
                 absl::StrCat("条目已注销：", entry.code(), " (the entry was withdrawn)"),
                 entry.code());
  }
  GT_RETURN_IF_ERROR(CheckBranch(*snapshot, entry, *division));
  v1::Ruling record;
  std::string held;
  const FeedKey feed = FeedKey::Of(RulingsFeed(site.node_id()));
  const absl::Status got = snapshot->Get(EntryKey(feed, entry.code()), &held);
  if (!got.ok() && !absl::IsNotFound(got)) return got;
  if (got.ok() && !record.ParseFromString(held)) return StoredRecordDamaged();
  v1::Ruling* word = WordIn(&record, *division);
  GT_RETURN_IF_ERROR(Change(*snapshot, entry, request, word));
  const v1::Actor actor = desk_.ActorOf(*snapshot, caller);
  word->set_by(actor.department());
  word->set_by_uscc(actor.uscc());
  *word->mutable_at() = TimestampOf(absl::Now());
  record.set_code(entry.code());
  record.set_node(site.node_id());
  v1::Ruling said = *word;
  AppendRecords append = {.kind = v1::FEED_KIND_RULINGS, .author = caller.uscc};
  append.records.emplace_back().set_ruling(record.SerializeAsString());
  GT_RETURN_IF_ERROR(site.driver->Write(std::move(append)).status());
  said.set_code(entry.code());
  said.set_node(site.node_id());
  said.clear_hosted();
  return said;
}

v1::HeldRuling Rulings::Held(const Reader& snapshot, v1::Ruling ruling,
                             const v1::CatalogEntry* known) const {
  v1::HeldRuling held;
  if (const auto node = directory_.Find(snapshot, ruling.node()); node.ok()) {
    held.set_path(node->path());
    held.set_level_name(node->name());
  }
  if (ruling.has_rework()) {
    absl::StatusOr<v1::CatalogEntry> entry =
        known != nullptr ? *known : FindEntry(snapshot, ruling.code());
    held.set_rework_open(entry.ok() && ReworkOpen(ruling, *entry));
  }
  if (const auto deadline = ParseDay(ruling.rework().deadline()); deadline.has_value())
    held.set_days_left(desk_.rules().Book(snapshot)->DaysLeft(DayOf(absl::Now()), *deadline));
  *held.mutable_ruling() = std::move(ruling);
  return held;
}

absl::StatusOr<v1::RulingsResponse> Rulings::List(const v1::RulingsRequest& request) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::RulingsResponse response;
  if (!request.code().empty()) {
    GT_ASSIGN_OR_RETURN(const v1::CatalogEntry entry, FindEntry(*snapshot, request.code()));
    for (v1::Ruling& ruling : On(*snapshot, entry))
      *response.add_rulings() = Held(*snapshot, std::move(ruling));
    return response;
  }
  const FeedKey feed = FeedKey::Of(RulingsFeed(desk_.site().node_id()));
  const std::string prefix = EntryPrefix(feed);
  const std::string begin =
      request.page_token().empty() ? prefix : EntryKey(feed, request.page_token()) + '\0';
  const auto cursor = snapshot->Scan(begin, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    if (static_cast<size_t>(response.rulings_size()) >= kRulingsListedMax) {
      response.set_next_page_token(response.rulings(response.rulings_size() - 1).ruling().code());
      break;
    }
    v1::Ruling record;
    if (!record.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
      return StoredRecordDamaged();
    for (v1::Ruling& ruling : WordsOf(std::move(record)))
      *response.add_rulings() = Held(*snapshot, std::move(ruling));
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return response;
}

}  // namespace guantong
