#include "node/cli/entry_table.h"

#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

// An entry that was never published is its draft.
const v1::CatalogEntry& EntryOf(const v1::ShowResponse& shown) {
  const bool published = shown.has_entry() && !shown.entry().code().empty();
  return published || !shown.has_draft() ? shown.entry() : shown.draft();
}

std::string ItemLine(const v1::DataItem& item) {
  std::string line = absl::StrCat(
      item.name(), " ", item.field(), " ",
      EnumName(*v1::ItemType_descriptor()->FindValueByNumber(
          v1::ItemType_IsValid(item.type()) ? item.type() : v1::ITEM_TYPE_UNSPECIFIED)));
  if (item.length() > 0) absl::StrAppend(&line, "(", item.length());
  if (item.length() > 0 && item.scale() > 0) absl::StrAppend(&line, ",", item.scale());
  if (item.length() > 0) absl::StrAppend(&line, ")");
  if (item.key()) absl::StrAppend(&line, Text(" 主键", " key"));
  if (item.required()) absl::StrAppend(&line, Text(" 必填", " required"));
  if (!item.description().empty()) absl::StrAppend(&line, " ", item.description());
  return line;
}

void AddText(const char* name, const std::string& text, Table* table) {
  if (!text.empty()) table->Add({name, text});
}

void AddRuling(const v1::HeldRuling& held, Table* table) {
  const v1::Ruling& ruling = held.ruling();
  const std::string by = absl::StrCat("（", held.level_name(), ruling.division().empty() ? "" : " ",
                                      ruling.division(), " ", ruling.by(), "）");
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) table->Add({name, absl::StrCat(text, by)});
  };
  add(Text("标签", "tags"), absl::StrJoin(ruling.tags(), "、"));
  add(Text("数源部门", "authority"), ruling.authority());
  add(Text("暂停展示", "not shown because"), ruling.hidden_because());
  if (held.rework_open()) {
    add(Text("退回整改", "to be mended"),
        absl::StrCat(ruling.rework().reason(), Text("，限 ", ", by "), ruling.rework().deadline()));
  }
}

template <typename Texts>
std::string Joined(const Texts& texts) {
  return absl::StrJoin(texts, ", ");
}

}  // namespace

Table EntrySummary(const std::vector<v1::ShowResponse>& entries) {
  Table table({{"code", Text("资源代码", "code")},
               {"name", Text("名称", "name")},
               {"provider", Text("提供方", "provider")},
               {"state", Text("状态", "state")},
               {"version", Text("版本", "version"), true},
               {"sharing", Text("共享", "sharing")},
               {"update_cycle", Text("更新周期", "updated")},
               {"updated_at", Text("变更", "changed")},
               {"provider_path", Text("节点", "node")},
               {"tags", Text("标签", "tags")}});
  for (const v1::ShowResponse& shown : entries) {
    const v1::CatalogEntry& entry = EntryOf(shown);
    table.Add({entry.code(), entry.name(), entry.provider(), StateCell(entry.state()),
               Count(entry.version()), SharingCell(entry.sharing().type()),
               CycleCell(entry.update_cycle()), Age(entry.has_updated_at(), entry.updated_at()),
               shown.provider_node_name().empty() && shown.provider_path().empty()
                   ? ""
                   : ShownPath(shown.provider_path()),
               TagsOf(shown)});
  }
  return table;
}

std::string TagsOf(const v1::ShowResponse& shown) {
  std::set<std::string> tags;
  for (const v1::HeldRuling& held : shown.rulings())
    tags.insert(held.ruling().tags().begin(), held.ruling().tags().end());
  return absl::StrJoin(tags, "、");
}

void EmitEntry(const Invocation& invocation, const v1::CatalogEntry& entry) {
  v1::ShowResponse shown;
  *shown.mutable_entry() = entry;
  Emit(invocation, ToJson(entry), EntrySummary({shown}));
}

Table EntryDetails(const v1::ShowResponse& shown) {
  const v1::CatalogEntry& entry = EntryOf(shown);
  Table table = Facts();
  table.Add({Text("资源代码", "code"), entry.code()});
  table.Add({Text("名称", "name"), entry.name()});
  table.Add({Text("状态", "state"),
             absl::StrCat(StateCell(entry.state()).shown, "  v", entry.version())});
  table.Add({Text("分类", "class"), entry.class_()});
  AddText(Text("其他分类", "other classes"), Joined(entry.other_classes()), &table);
  table.Add(
      {Text("提供方", "provider"), absl::StrCat(entry.provider(), "  ", entry.provider_code())});
  if (!shown.provider_node_name().empty()) {
    table.Add({Text("所在节点", "node"),
               absl::StrCat(shown.provider_node_name(), "  ", ShownPath(shown.provider_path()))});
  }
  table.Add({Text("摘要", "abstract"), entry.abstract()});
  AddText(Text("格式", "format"), entry.format(), &table);
  for (const v1::DataItem& item : entry.items()) {
    table.Add({Text("信息项", "item"), ItemLine(item)});
  }
  if (entry.items_withheld()) {
    table.Add({Text("信息项", "item"), Text("不予共享，信息项不下发", "withheld: not shared")});
  }
  table.Add({Text("共享", "sharing"),
             absl::StrCat(SharingCell(entry.sharing().type()).shown, "  ",
                          entry.sharing().condition(), entry.sharing().basis())});
  table.Add({Text("向社会开放", "open to the public"),
             absl::StrCat(YesNo(entry.open().public_()), "  ", entry.open().condition())});
  table.Add({Text("更新周期", "updated"), CycleCell(entry.update_cycle())});
  AddText(Text("发布日期", "published"), entry.publication_date(), &table);
  for (const v1::Resource& resource : entry.resources()) {
    table.Add({Text("挂接", "resource"),
               absl::StrCat(entry.code(), ":", resource.id(), "  ", ModeCell(resource.mode()).shown,
                            "  ", resource.format(), "  ", resource.name())});
  }
  AddText(Text("关联资源", "related"), Joined(entry.related()), &table);
  AddText(Text("主题", "themes"), Joined(entry.themes()), &table);
  AddText(Text("联系人", "contact"),
          absl::StrCat(entry.contact().name(), entry.contact().phone().empty() ? "" : "  ",
                       entry.contact().phone()),
          &table);
  for (const v1::HeldRuling& held : shown.rulings()) AddRuling(held, &table);
  if (shown.has_draft() && &entry != &shown.draft()) {
    table.Add(
        {Text("草稿", "draft"),
         absl::StrCat("v", shown.draft().version(), "  ", StateCell(shown.draft().state()).shown,
                      Text("（show --draft 查看）", " (show --draft)"))});
  }
  return table;
}

}  // namespace guantong
