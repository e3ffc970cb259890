#include "node/entries/templates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/entries/versions.h"

namespace guantong {
namespace {

constexpr absl::Duration kTemplateWithin = absl::Seconds(10);

bool SameItem(const v1::DataItem& a, const v1::DataItem& b) {
  return a.name() == b.name() || (!a.field().empty() && a.field() == b.field());
}

// Whether `own` says nothing that `item` does not.
bool Fits(const v1::DataItem& own, const v1::DataItem& item) {
  v1::DataItem both = item;
  v1::DataItem said = own;
  if (said.sharing().SerializeAsString() == item.sharing().SerializeAsString())
    said.clear_sharing();
  both.MergeFrom(said);
  return both.SerializeAsString() == item.SerializeAsString();
}

v1::DataItem Plain(v1::DataItem item) {
  item.clear_inherited();
  return item;
}

// Nobody has changed what came with the template when `before` was written.
bool LeftAsInherited(const v1::DataItem& own, const v1::CatalogEntry* before) {
  if (before == nullptr) return false;
  return std::any_of(before->items().begin(), before->items().end(), [&](const v1::DataItem& item) {
    return item.inherited() && SameItem(item, own) && Fits(own, Plain(item));
  });
}

absl::Status Unknown(const std::string& code, absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "template_unknown", text, code,
               "核对 template，应为上级已发布的标准目录代码 (name a template in force)");
}

}  // namespace

const absl::StatusOr<v1::ShowResponse>& Templates::Find(const CallerIdentity& caller,
                                                        const std::string& code,
                                                        absl::Time deadline, Asked* asked) const {
  auto it = asked->find(code);
  if (it == asked->end()) it = asked->emplace(code, finder_.Find(code, caller, deadline)).first;
  return it->second;
}

bool Templates::InForceHere(const v1::ShowResponse& found) const {
  const v1::CatalogEntry& held = found.entry();
  const absl::StatusOr<NodePath> from = NodePath::Parse(found.provider_path());
  return from.ok() && from->Contains(site_.path()) && held.is_template() &&
         held.state() == v1::ENTRY_STATE_PUBLISHED && !held.items_withheld();
}

absl::StatusOr<Templates::Locked> Templates::ItemsOf(const CallerIdentity& caller,
                                                     const v1::CatalogEntry* before,
                                                     const v1::CatalogEntry& entry,
                                                     Asked* asked) const {
  const std::string& code = entry.template_();
  const absl::StatusOr<v1::ShowResponse>& found =
      Find(caller, code, absl::Now() + kTemplateWithin, asked);
  Locked locked;
  const bool goes_on = before != nullptr && before->template_() == code;
  if (found.ok()) {
    const v1::CatalogEntry& held = found->entry();
    if (InForceHere(*found)) {
      locked.items.assign(held.items().begin(), held.items().end());
      locked.version = held.version();
      return locked;
    }
    if (!goes_on) {
      return Unknown(code, absl::StrCat("不是本级或上级在用的标准目录：", code,
                                        " (no template in force of this level or one above)"));
    }
  } else if (!goes_on) {
    if (!absl::IsNotFound(found.status())) return found.status();
    return Unknown(code, absl::StrCat("没有这个标准目录：", code, " (no such template)"));
  }
  for (const v1::DataItem& item : before->items()) {
    if (item.inherited()) locked.items.push_back(item);
  }
  locked.version = before->template_version();
  return locked;
}

absl::Status Templates::Apply(const CallerIdentity& caller, const v1::CatalogEntry* before,
                              v1::CatalogEntry* entry, Asked* asked) const {
  Asked alone;
  for (v1::DataItem& item : *entry->mutable_items()) item.clear_inherited();
  entry->clear_template_version();
  if (entry->template_().empty()) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(const Locked locked,
                      ItemsOf(caller, before, *entry, asked == nullptr ? &alone : asked));
  google::protobuf::RepeatedPtrField<v1::DataItem> items;
  for (const v1::DataItem& item : locked.items) {
    v1::DataItem* added = items.Add();
    *added = item;
    added->set_inherited(true);
  }
  for (const v1::DataItem& own : entry->items()) {
    const auto item = std::find_if(locked.items.begin(), locked.items.end(),
                                   [&](const v1::DataItem& one) { return SameItem(one, own); });
    if (item == locked.items.end()) {
      *items.Add() = own;
      continue;
    }
    if (Fits(own, Plain(*item)) || LeftAsInherited(own, before)) continue;
    return Error(
        absl::StatusCode::kInvalidArgument, "item_locked",
        absl::StrCat("信息项“", item->name(), "”由标准目录 ", entry->template_(),
                     " 规定，不能修改 (the template has this item, it is locked)"),
        absl::StrCat("items[", item->name(), "]"),
        "删去该信息项，由标准目录带入；本地信息项另取名称和字段名 (leave it out; give local "
        "ones another name and field)");
  }
  entry->mutable_items()->Swap(&items);
  entry->set_template_version(locked.version);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Templates::News>> Templates::NewsOf(const CallerIdentity& caller,
                                                                 const v1::CatalogEntry& entry,
                                                                 absl::Time deadline,
                                                                 Asked* asked) const {
  const absl::StatusOr<v1::ShowResponse>& found = Find(caller, entry.template_(), deadline, asked);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  GT_RETURN_IF_ERROR(found.status());
  if (!InForceHere(*found) || found->entry().version() == entry.template_version())
    return std::nullopt;
  v1::CatalogEntry before, now;
  for (const v1::DataItem& item : entry.items()) {
    if (item.inherited()) *before.add_items() = Plain(item);
  }
  for (const v1::DataItem& item : found->entry().items()) *now.add_items() = Plain(item);
  News news = {
      .text = absl::StrCat("标准目录 ", entry.template_(), " 已是第 ", found->entry().version(),
                           " 版，本条目按第 ", entry.template_version(), " 版"),
      .next = absl::StrCat("guantong catalog claim ", entry.template_(), " --entry ", entry.code()),
      .since = found->entry().updated_at(),
      .changes = DiffEntries(before, now)};
  if (news.changes.empty()) return std::nullopt;
  return news;
}

}  // namespace guantong
