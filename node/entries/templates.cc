#include "node/entries/templates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"

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

absl::Status Unknown(const std::string& code, absl::string_view text) {
  return Error(absl::StatusCode::kInvalidArgument, "template_unknown", text, code,
               "核对 template，应为上级已发布的标准目录代码 (name a template in force)");
}

}  // namespace

absl::StatusOr<Templates::Locked> Templates::ItemsOf(const CallerIdentity& caller,
                                                     const v1::CatalogEntry* before,
                                                     const v1::CatalogEntry& entry) const {
  const std::string& code = entry.template_();
  const absl::StatusOr<v1::ShowResponse> found =
      finder_.Find(code, caller, absl::Now() + kTemplateWithin);
  Locked locked;
  const bool goes_on = before != nullptr && before->template_() == code;
  if (found.ok()) {
    const v1::CatalogEntry& held = found->entry();
    const absl::StatusOr<NodePath> from = NodePath::Parse(found->provider_path());
    const bool holds_here = from.ok() && from->Contains(site_.path());
    if (held.is_template() && held.state() == v1::ENTRY_STATE_PUBLISHED && holds_here &&
        !held.items_withheld()) {
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
                              v1::CatalogEntry* entry) const {
  for (v1::DataItem& item : *entry->mutable_items()) item.clear_inherited();
  entry->clear_template_version();
  if (entry->template_().empty()) return absl::OkStatus();
  GT_ASSIGN_OR_RETURN(const Locked locked, ItemsOf(caller, before, *entry));
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
    v1::DataItem plain = *item;
    plain.clear_inherited();
    if (Fits(own, plain)) continue;
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

}  // namespace guantong
