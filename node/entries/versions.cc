#include "node/entries/versions.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/form/json_form.h"

namespace guantong {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kGivenByNodeFrom = 40;  // field numbers, see entry.proto

std::string Label(const std::string& field) {
  static const auto& labels =
      *new std::map<std::string, std::string>{{"class", "信息资源分类"},
                                              {"other_classes", "其他分类"},
                                              {"name", "名称"},
                                              {"provider", "信息资源提供方"},
                                              {"provider_code", "提供方代码"},
                                              {"abstract", "信息资源摘要"},
                                              {"format", "信息资源格式"},
                                              {"items", "信息项"},
                                              {"sharing", "共享属性"},
                                              {"sharing.type", "共享类型"},
                                              {"sharing.condition", "共享条件"},
                                              {"sharing.basis", "不予共享依据"},
                                              {"sharing.modes", "共享方式"},
                                              {"open", "开放属性"},
                                              {"open.public", "是否向社会开放"},
                                              {"open.condition", "开放条件"},
                                              {"update_cycle", "更新周期"},
                                              {"related", "关联资源代码"},
                                              {"resources", "挂接资源"},
                                              {"contact", "联系人"},
                                              {"responsible", "责任人"},
                                              {"phone", "电话"},
                                              {"email", "邮箱"},
                                              {"type", "数据类型"},
                                              {"length", "数据长度"},
                                              {"scale", "小数位数"},
                                              {"key", "主键"},
                                              {"required", "必填"},
                                              {"dictionary", "字典"},
                                              {"field", "字段名"},
                                              {"english_name", "英文名称"},
                                              {"description", "说明"},
                                              {"default_value", "默认值"},
                                              {"classification", "分类分级"},
                                              {"mode", "共享方式"},
                                              {"themes", "主题分类"},
                                              {"key_areas", "重点领域"},
                                              {"aggregated", "是否已汇聚"},
                                              {"division", "行政区划"},
                                              {"secrecy", "涉密属性"},
                                              {"unit", "计量单位"},
                                              {"system", "所属信息系统"},
                                              {"record_count", "数据量"},
                                              {"total_size", "数据总量"},
                                              {"template", "所依标准目录"},
                                              {"is_template", "是否标准目录"},
                                              {"inherited", "承自标准目录"},
                                              {"id", "编号"},
                                              {"code", "信息资源代码"},
                                              {"person", "人员编号"}};
  const auto it = labels.find(field);
  return it == labels.end() ? field : it->second;
}

// "items[code].sharing.basis" -> "sharing.basis"
std::string PartOf(const std::string& path) {
  const size_t end = path.rfind("].");
  return end == std::string::npos ? path : path.substr(end + 2);
}

std::string ValueText(const Message& message, const FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return many ? reflection->GetRepeatedString(message, &field, index)
                  : reflection->GetString(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field) ? "是" : "否";
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection->GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection->GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = many ? reflection->GetRepeatedEnum(message, &field, index)
                               : reflection->GetEnum(message, &field);
      return value->number() == 0 ? "" : EnumName(*value);
    }
    default:
      return "";
  }
}

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  if (!field.is_repeated()) return ValueText(message, field, -1);
  std::vector<std::string> texts;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i)
    texts.push_back(ValueText(message, field, i));
  return absl::StrJoin(texts, "、");
}

class Differ {
 public:
  void Compare(const Message& before, const Message& after, const std::string& element,
               const std::string& label) {
    const auto* type = before.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      if (type == v1::CatalogEntry::descriptor() && field.number() >= kGivenByNodeFrom) continue;
      if (type == v1::CatalogEntry::descriptor() && field.name() == "publication_date") continue;
      const std::string name = std::string(field.name());
      const std::string path = element.empty() ? name : absl::StrCat(element, ".", name);
      // Parts of an item are called as those of the entry are.
      const std::string part = PartOf(path);
      const std::string known = Label(part) == part ? Label(name) : Label(part);
      const std::string words = label.empty() ? known : absl::StrCat(label, " ", known);
      if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        Add(path, words, FieldText(before, field), FieldText(after, field));
      } else if (field.is_repeated()) {
        CompareLists(before, after, field, path, words);
      } else {
        Compare(before.GetReflection()->GetMessage(before, &field),
                after.GetReflection()->GetMessage(after, &field), path, words);
      }
    }
  }
  std::vector<v1::Change> Take() { return std::move(changes_); }

 private:
  // Items go by field name or name, resources by id: order says little.
  static std::string NameOf(const Message& part) {
    for (const char* name : {"field", "id", "name"}) {
      const FieldDescriptor* field = part.GetDescriptor()->FindFieldByName(name);
      if (field == nullptr) continue;
      std::string text = part.GetReflection()->GetString(part, field);
      if (!text.empty()) return text;
    }
    return "";
  }

  void CompareLists(const Message& before, const Message& after, const FieldDescriptor& field,
                    const std::string& path, const std::string& words) {
    std::map<std::string, const Message*> old;
    const auto* reflection = before.GetReflection();
    for (int i = 0; i < reflection->FieldSize(before, &field); ++i) {
      const Message& part = reflection->GetRepeatedMessage(before, &field, i);
      old[NameOf(part)] = &part;
    }
    for (int i = 0; i < reflection->FieldSize(after, &field); ++i) {
      const Message& part = reflection->GetRepeatedMessage(after, &field, i);
      const std::string name = NameOf(part);
      const std::string place = absl::StrCat(path, "[", name, "]");
      const std::string said = absl::StrCat(words, "“", name, "”");
      const auto it = old.find(name);
      if (it == old.end()) {
        Add(place, said, "", "（新增）");
      } else {
        Compare(*it->second, part, place, said);
        old.erase(it);
      }
    }
    for (const auto& [name, part] : old)
      Add(absl::StrCat(path, "[", name, "]"), absl::StrCat(words, "“", name, "”"), "（有）",
          "（删除）");
  }

  void Add(const std::string& element, const std::string& label, std::string before,
           std::string after) {
    if (before == after) return;
    v1::Change& change = changes_.emplace_back();
    change.set_element(element);
    change.set_label(label);
    change.set_before(std::move(before));
    change.set_after(std::move(after));
  }

  std::vector<v1::Change> changes_;
};

}  // namespace

std::vector<v1::Change> DiffEntries(const v1::CatalogEntry& before, const v1::CatalogEntry& after) {
  Differ differ;
  differ.Compare(before, after, "", "");
  return differ.Take();
}

absl::StatusOr<v1::HistoryResponse> Versions::History(const v1::HistoryRequest& request) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  v1::HistoryResponse history;
  std::string code = request.code();
  if (const absl::StatusOr<OwnEntry> own = desk_.Load(*snapshot, code); own.ok()) {
    code = own->code();
    history.set_name(own->any().name());
  } else if (!snapshot->Scan(ActPrefix(code), PrefixEnd(ActPrefix(code)))->Valid()) {
    return own.status();  // a draft that was refused has a history all the same
  }
  history.set_code(code);
  auto act_at = snapshot->Scan(ActPrefix(code), PrefixEnd(ActPrefix(code)));
  for (; act_at->Valid(); act_at->Next()) {
    if (!history.add_acts()->ParseFromArray(act_at->value().data(),
                                            static_cast<int>(act_at->value().size())))
      return StoredRecordDamaged();
  }
  GT_RETURN_IF_ERROR(act_at->status());
  auto version_at = snapshot->Scan(VersionPrefix(code), PrefixEnd(VersionPrefix(code)));
  for (; version_at->Valid(); version_at->Next()) {
    v1::CatalogEntry entry;
    if (!entry.ParseFromArray(version_at->value().data(),
                              static_cast<int>(version_at->value().size())))
      return StoredRecordDamaged();
    v1::EntryVersion* version = history.add_versions();
    version->set_version(entry.version());
    *version->mutable_at() = entry.updated_at();
    version->set_state(entry.state());
    version->set_items(static_cast<uint32_t>(entry.items_size()));
    version->set_resources(static_cast<uint32_t>(entry.resources_size()));
  }
  GT_RETURN_IF_ERROR(version_at->status());
  return history;
}

absl::StatusOr<v1::CatalogEntry> Versions::Find(const Reader& snapshot, const OwnEntry& own,
                                                uint64_t version) const {
  if (own.in_force.has_value() && own.in_force->version() == version) return *own.in_force;
  if (own.draft.has_value() && own.draft->version() == version) return *own.draft;
  GT_ASSIGN_OR_RETURN(auto held,
                      LoadStored<v1::CatalogEntry>(snapshot, VersionKey(own.code(), version)));
  if (held.has_value()) return *std::move(held);
  return Error(absl::StatusCode::kNotFound, "version_unknown",
               absl::StrCat(own.code(), " 没有第 ", version, " 版 (no such version here)"),
               own.code(), absl::StrCat("见 (see) guantong catalog history ", own.code()));
}

absl::StatusOr<v1::DiffResponse> Versions::Diff(const CallerIdentity& caller,
                                                const v1::DiffRequest& request) const {
  const std::unique_ptr<Reader> snapshot = desk_.site().store->Snapshot();
  GT_ASSIGN_OR_RETURN(OwnEntry own, desk_.Load(*snapshot, request.code()));
  if (own.draft.has_value() && !desk_.MaySeeDraft(*snapshot, caller, *own.draft)) {
    if (!own.in_force.has_value()) return EntryUnknown(request.code());
    own.draft.reset();
  }
  v1::DiffResponse diff;
  diff.set_code(own.code());
  diff.set_to(request.to() != 0 ? request.to() : own.any().version());
  GT_ASSIGN_OR_RETURN(const v1::CatalogEntry after, Find(*snapshot, own, diff.to()));
  diff.set_draft(own.draft.has_value() && own.draft->version() == diff.to());
  uint64_t from = request.from();
  if (from == 0 && diff.draft() && own.in_force.has_value()) from = own.in_force->version();
  if (from == 0) from = diff.to() - 1;
  v1::CatalogEntry before;
  if (from > 0) {
    GT_ASSIGN_OR_RETURN(before, Find(*snapshot, own, from));
  }
  diff.set_from(from);
  for (v1::Change& change : DiffEntries(before, after)) *diff.add_changes() = std::move(change);
  return diff;
}

}  // namespace guantong
