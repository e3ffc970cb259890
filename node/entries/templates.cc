#include "node/entries/templates.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

constexpr absl::Duration kTemplateWithin = absl::Seconds(10);

const v1::DataItem* FindItem(const v1::CatalogEntry& entry, const v1::DataItem& like) {
  for (const v1::DataItem& item : entry.items()) {
    if (like.field().empty() ? item.name() == like.name() : item.field() == like.field())
      return &item;
  }
  return nullptr;
}

// What makes rows of different claimers fit together.
bool SameColumn(const v1::DataItem& a, const v1::DataItem& b) {
  return a.name() == b.name() && a.type() == b.type() && a.length() == b.length() &&
         a.scale() == b.scale() && a.key() == b.key() && a.required() == b.required() &&
         a.dictionary() == b.dictionary();
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
  if (found.ok()) {
    const v1::CatalogEntry& held = found->entry();
    if (!held.is_template() || held.state() != v1::ENTRY_STATE_PUBLISHED) {
      return Unknown(code,
                     absl::StrCat("不是在用的标准目录：", code, " (it is no template in force)"));
    }
    locked.items.assign(held.items().begin(), held.items().end());
    locked.version = held.version();
    return locked;
  }
  if (absl::IsNotFound(found.status()))
    return Unknown(code, absl::StrCat("没有这个标准目录：", code, " (no such template)"));
  if (before == nullptr || before->template_() != code) return found.status();
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
    const v1::DataItem* own = FindItem(*entry, item);
    if (own != nullptr && !SameColumn(*own, item)) {
      return Error(absl::StatusCode::kInvalidArgument, "item_locked",
                   absl::StrCat("信息项“", item.name(), "”由标准目录 ", entry->template_(),
                                " 规定，不能修改 (the template has this item, it is locked)"),
                   absl::StrCat("items[", item.name(), "]"),
                   "删去该信息项，由标准目录带入；本地信息项另取名称 (leave it out; name local "
                   "ones otherwise)");
    }
    v1::DataItem* added = items.Add();
    *added = item;
    added->set_inherited(true);
  }
  for (const v1::DataItem& item : entry->items()) {
    const bool inherited =
        std::any_of(locked.items.begin(), locked.items.end(), [&](const v1::DataItem& one) {
          return one.field().empty() ? one.name() == item.name() : one.field() == item.field();
        });
    if (!inherited) *items.Add() = item;
  }
  entry->mutable_items()->Swap(&items);
  entry->set_template_version(locked.version);
  return absl::OkStatus();
}

}  // namespace guantong
