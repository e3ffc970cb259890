#include "node/entry_rules.h"

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"

namespace guantong {

absl::Status CheckSharing(const v1::CatalogEntry& entry) {
  switch (entry.sharing().type()) {
    case v1::SHARING_TYPE_UNCONDITIONAL:
      return absl::OkStatus();
    case v1::SHARING_TYPE_CONDITIONAL:
      return Error(
          absl::StatusCode::kPermissionDenied, "needs_grant",
          absl::StrCat("需要授权：", entry.name(), " 为有条件共享",
                       entry.sharing().condition().empty() ? "" : "，条件：",
                       entry.sharing().condition(), " (conditional sharing: needs a grant)"),
          entry.code(), "向提供方申请授权 (ask the provider: guantong request)");
    default:
      return Error(absl::StatusCode::kPermissionDenied, "not_shared",
                   absl::StrCat("不予共享：", entry.name(),
                                entry.sharing().basis().empty() ? "" : "，依据：",
                                entry.sharing().basis(), " (this resource is not shared)"),
                   entry.code());
  }
}

absl::Status CheckReader(const Site& site, const CallerIdentity& caller,
                         const v1::CatalogEntry& entry) {
  const bool here = entry.node() == site.node_id() && caller.node_id == site.node_id();
  if (here && (caller.is_operator() || caller.uscc == entry.provider_code()))
    return absl::OkStatus();
  return CheckSharing(entry);
}

absl::Status CheckOwner(const Site& site, const CallerIdentity& caller,
                        const v1::CatalogEntry& entry) {
  if (entry.node() == site.node_id() && !caller.uscc.empty() &&
      caller.uscc == entry.provider_code()) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kPermissionDenied, "not_your_entry",
               absl::StrCat("该条目属于 ", entry.provider(), " (", entry.provider_code(),
                            ")，不属于 ", caller.uscc.empty() ? "本身份" : caller.uscc,
                            " (the entry belongs to another department)"),
               entry.code(), "使用提供方的编目员身份 (use the provider's editor profile)");
}

absl::Status CheckInForce(const v1::CatalogEntry& entry) {
  if (entry.state() == v1::ENTRY_STATE_PUBLISHED) return absl::OkStatus();
  if (entry.state() == v1::ENTRY_STATE_WITHDRAWN) {
    return Error(absl::StatusCode::kNotFound, "entry_withdrawn",
                 absl::StrCat("条目已注销：", entry.code(), " (the entry was withdrawn)"),
                 entry.code());
  }
  if (entry.state() == v1::ENTRY_STATE_SUSPENDED) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "entry_suspended",
        absl::StrCat("条目已下架：", entry.code(), entry.state_reason().empty() ? "" : "，原因：",
                     entry.state_reason(), " (the entry is suspended)"),
        entry.code(), "等提供方重新发布 (wait until it is published again)");
  }
  return Error(absl::StatusCode::kFailedPrecondition, "not_published",
               absl::StrCat("条目尚未发布：", entry.code(), " (the entry is not published)"),
               entry.code(),
               absl::StrCat("先发布 (publish it first): guantong catalog publish ", entry.code()));
}

std::vector<std::string> TablesOf(const v1::CatalogEntry& entry) {
  std::vector<std::string> tables;
  for (const v1::Resource& resource : entry.resources()) {
    if (resource.mode() == v1::SHARING_MODE_TABLE) {
      tables.push_back(absl::StrCat(entry.code(), ":", resource.id()));
    }
  }
  return tables;
}

absl::StatusOr<std::string> TableOf(const v1::CatalogEntry& entry, absl::string_view id) {
  const std::vector<std::string> tables = TablesOf(entry);
  if (!id.empty()) {
    const std::string wanted = absl::StrCat(entry.code(), ":", id);
    for (const std::string& table : tables) {
      if (table == wanted) return table;
    }
    return Error(absl::StatusCode::kNotFound, "resource_unknown",
                 absl::StrCat("条目没有库表资源 ", id, " (no table resource of that id)"), wanted,
                 "见 guantong catalog show (see the entry's resources)");
  }
  if (tables.empty()) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "no_table",
        absl::StrCat("条目没有挂接库表资源：", entry.code(), " (no table resource is bound)"),
        entry.code(), "在条目的 resources 中加入 {mode: table} 并发布 (bind a table and publish)");
  }
  if (tables.size() > 1) {
    return Error(absl::StatusCode::kInvalidArgument, "resource_ambiguous",
                 absl::StrCat("条目有 ", tables.size(),
                              " 个库表资源，请用 CODE:id 指明 (name one as CODE:id)"),
                 entry.code(), absl::StrCat("例如 (for example) ", tables[0]));
  }
  return tables[0];
}

absl::Status CheckSharingChange(const v1::CatalogEntry& from, const v1::CatalogEntry& to) {
  const bool copies =
      from.sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL && !TablesOf(from).empty();
  if (!copies || to.sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, "sharing_narrowed",
      "共享类型不能就地收窄:其他节点可能持有该数据的副本 (others may hold copies of this dataset)",
      from.code(),
      "先注销该条目,各处副本随之删除,再重新登记 (withdraw the entry, which drops the copies, and "
      "register it anew)");
}

absl::Status CheckSchemaChange(const v1::DatasetSchema& from, const v1::DatasetSchema& to) {
  auto refuse = [](absl::string_view field, absl::string_view why) {
    return Error(
        absl::StatusCode::kFailedPrecondition, "items_incompatible",
        absl::StrCat("信息项 ", field, " ", why), field,
        "数据集已有数据：原有信息项须保持次序、类型和主键，新增项放在最后且可空；否则登记新条目 "
        "(the dataset has rows: keep the items, add nullable ones at the end, or register a new "
        "entry)");
  };
  for (int i = 0; i < from.columns_size(); ++i) {
    const v1::Column& old = from.columns(i);
    if (i >= to.columns_size()) return refuse(old.field(), "被删除 (is removed)");
    const v1::Column& now = to.columns(i);
    if (now.field() != old.field())
      return refuse(old.field(), "被删除或移动 (is removed or moved)");
    if (now.type() != old.type()) return refuse(old.field(), "改变了数据类型 (changes its type)");
    if (now.key() != old.key()) return refuse(old.field(), "改变了主键 (changes the key)");
    if (!now.nullable() && old.nullable())
      return refuse(old.field(), "改为必填 (becomes required)");
    const bool shorter = now.length() != 0 && (old.length() == 0 || now.length() < old.length());
    if (shorter || now.scale() < old.scale()) return refuse(old.field(), "变短 (becomes shorter)");
  }
  for (int i = from.columns_size(); i < to.columns_size(); ++i) {
    const v1::Column& added = to.columns(i);
    if (added.key()) return refuse(added.field(), "不能加入主键 (cannot join the key)");
    if (!added.nullable()) return refuse(added.field(), "新增项必须可空 (must be nullable)");
  }
  return absl::OkStatus();
}

}  // namespace guantong
