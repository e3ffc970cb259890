#include "node/sheets/entry_columns.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/entry.h"
#include "node/language.h"
#include "node/sheets/choices.h"

namespace guantong {
namespace {

using Entry = v1::CatalogEntry;

template <typename Set, typename Get>
EntryColumn TextColumn(std::string element, std::vector<std::string> titles, Set set, Get get) {
  return {.element = std::move(element),
          .titles = std::move(titles),
          .set =
              [set](const std::string& text, Entry* entry) {
                set(text, entry);
                return CellProblem();
              },
          .get = get};
}

template <typename List, typename Get>
EntryColumn ListColumn(std::string element, std::vector<std::string> titles, List list, Get get) {
  return {.element = std::move(element),
          .titles = std::move(titles),
          .note = "多个用顿号分开",
          .set =
              [list](const std::string& text, Entry* entry) {
                for (std::string& part : PartsOf(text)) *list(entry)->Add() = std::move(part);
                return CellProblem();
              },
          .get =
              [get](const Entry& entry) {
                const auto& parts = get(entry);
                return JoinedParts({parts.begin(), parts.end()});
              }};
}

template <typename Set, typename Get>
EntryColumn YesNoColumn(std::string element, std::vector<std::string> titles, Set set, Get get) {
  return {.element = std::move(element),
          .titles = std::move(titles),
          .set =
              [set](const std::string& text, Entry* entry) {
                bool yes = false;
                CellProblem problem = ReadYesNo(text, &yes);
                if (problem.text.empty()) set(yes, entry);
                return problem;
              },
          .get = get,
          .choices = YesNoChoices().Words()};
}

// "3070120101 民政" -> "3070120101"
std::string ClassCode(const std::string& text) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits])))
    ++digits;
  return digits == 0 ? text : text.substr(0, digits);
}

CellProblem SetClasses(const std::string& text, Entry* entry) {
  for (const std::string& part : PartsOf(text)) {
    if (entry->class_().empty()) {
      entry->set_class_(ClassCode(part));
    } else {
      entry->add_other_classes(ClassCode(part));
    }
  }
  return {};
}

std::string ClassesText(const Entry& entry) {
  std::vector<std::string> codes = {entry.class_()};
  codes.insert(codes.end(), entry.other_classes().begin(), entry.other_classes().end());
  return JoinedParts(codes);
}

CellProblem SetFormat(const std::string& text, Entry* entry) {
  const std::string code = FormatCodeOf(text);
  if (code.empty())
    return {
        absl::StrCat(Text("没有信息资源格式“", "no resource format \""), text, Text("”", "\""))};
  entry->set_format(code);
  return {};
}

// "库表:0310", "2=接口:07:名称"
CellProblem SetResources(const std::string& text, Entry* entry) {
  for (const std::string& part : PartsOf(text)) {
    v1::Resource resource;
    absl::string_view rest = part;
    if (const size_t equals = rest.find('='); equals != absl::string_view::npos) {
      resource.set_id(std::string(rest.substr(0, equals)));
      rest = rest.substr(equals + 1);
    }
    const size_t colon = rest.find(':');
    const int mode = ModeChoices().ValueOf(rest.substr(0, colon));
    if (mode < 0) {
      return {absl::StrCat(
          Text("“", "\""), part,
          Text("”应为 方式:格式，如 库表:0310", "\" should be mode:format, 库表:0310"))};
    }
    resource.set_mode(static_cast<v1::SharingMode>(mode));
    if (colon != absl::string_view::npos) {
      rest = rest.substr(colon + 1);
      const size_t second = rest.find(':');
      const std::string format(rest.substr(0, second));
      const std::string code = FormatCodeOf(format);
      resource.set_format(code.empty() ? format : code);
      if (second != absl::string_view::npos)
        resource.set_name(std::string(rest.substr(second + 1)));
    }
    *entry->add_resources() = std::move(resource);
  }
  return {};
}

std::string ResourcesText(const Entry& entry) {
  bool counted = true;
  for (int i = 0; i < entry.resources_size(); ++i)
    counted &= entry.resources(i).id() == absl::StrCat(i + 1);
  std::vector<std::string> texts;
  for (const v1::Resource& one : entry.resources()) {
    texts.push_back(absl::StrCat(counted ? "" : absl::StrCat(one.id(), "="),
                                 ModeChoices().WordOf(one.mode()), ":", one.format(),
                                 one.name().empty() ? "" : ":", one.name()));
  }
  return JoinedParts(texts);
}

void AddContact(const std::string& element, const std::string& who, v1::Contact* (*change)(Entry*),
                const v1::Contact& (*of)(const Entry&), std::vector<EntryColumn>* columns) {
  columns->push_back(TextColumn(
      element + ".name", {who, who + "姓名"},
      [change](const std::string& text, Entry* e) { change(e)->set_name(text); },
      [of](const Entry& e) { return of(e).name(); }));
  columns->push_back(TextColumn(
      element + ".phone", {who + "电话", who + "联系方式"},
      [change](const std::string& text, Entry* e) { change(e)->set_phone(text); },
      [of](const Entry& e) { return of(e).phone(); }));
  columns->push_back(TextColumn(
      element + ".email", {who + "邮箱"},
      [change](const std::string& text, Entry* e) { change(e)->set_email(text); },
      [of](const Entry& e) { return of(e).email(); }));
  columns->push_back(TextColumn(
      element + ".person", {who + "编号"},
      [change](const std::string& text, Entry* e) { change(e)->set_person(text); },
      [of](const Entry& e) { return of(e).person(); }));
}

EntryColumn With(EntryColumn column, bool required, std::string note,
                 std::vector<std::string> choices = {}) {
  column.required = required;
  if (!note.empty()) column.note = std::move(note);
  if (!choices.empty()) column.choices = std::move(choices);
  return column;
}

#define GT_FIELD(field)                                            \
  [](const std::string& text, Entry* e) { e->set_##field(text); }, \
      [](const Entry& e) { return e.field(); }
#define GT_INNER(outer, field)                                                        \
  [](const std::string& text, Entry* e) { e->mutable_##outer()->set_##field(text); }, \
      [](const Entry& e) { return e.outer().field(); }
#define GT_LIST(field) \
  [](Entry* e) { return e->mutable_##field(); }, [](const Entry& e) { return e.field(); }

// The elements of the guide, in its order.
void AddGuide(std::vector<EntryColumn>* columns) {
  columns->push_back(
      {.element = "class",
       .titles = {"信息资源分类", "信息资源分类代码", "分类代码", "资源分类", "目录分类"},
       .required = true,
       .note = "分类代码，或分类名称（有重名的写上级/名称）；第一个为主分类，其余用顿号分开",
       .set = SetClasses,
       .get = ClassesText});
  columns->push_back(
      With(TextColumn("name", {"信息资源名称", "资源名称", "目录名称", "信息资源目录名称"},
                      GT_FIELD(name)),
           true, "同一部门内不重名"));
  columns->push_back(
      With(TextColumn("code", {"信息资源代码", "资源代码", "目录代码", "信息资源目录代码"},
                      GT_FIELD(code)),
           false, "新条目留空，由节点给出"));
  columns->push_back(With(
      TextColumn("provider", {"信息资源提供方", "资源提供方", "提供方", "提供单位", "提供部门"},
                 GT_FIELD(provider)),
      true, "具体到部门，留空即本部门"));
  columns->push_back(
      With(TextColumn("provider_code",
                      {"信息资源提供方代码", "资源提供方代码", "提供方代码", "统一社会信用代码"},
                      GT_FIELD(provider_code)),
           true, "18 位统一社会信用代码，留空即本部门"));
  columns->push_back(With(
      TextColumn("abstract", {"信息资源摘要", "资源摘要", "摘要"}, GT_FIELD(abstract)), true, ""));
  columns->push_back(
      {.element = "format",
       .titles = {"信息资源格式", "资源格式", "信息资源格式类型", "格式类型"},
       .required = true,
       .note = "格式代码或名称，如 0310 mysql",
       .set = SetFormat,
       .get = [](const Entry& e) { return e.format().empty() ? "" : FormatWord(e.format()); },
       .choices = FormatWords()});
  columns->push_back(
      {.element = "sharing.type",
       .titles = {"共享类型", "共享属性"},
       .required = true,
       .note = "不予共享须写依据，有条件共享须写条件",
       .set = [](const std::string& text,
                 Entry* e) { return SetSharingType(text, e->mutable_sharing()); },
       .get = [](const Entry& e) { return SharingTypeChoices().WordOf(e.sharing().type()); },
       .choices = SharingTypeChoices().Words()});
  columns->push_back(
      With(TextColumn("sharing.condition", {"共享条件"}, GT_INNER(sharing, condition)), false, ""));
  columns->push_back(
      With(TextColumn("sharing.basis", {"不予共享依据", "共享依据", "不予共享的依据"},
                      GT_INNER(sharing, basis)),
           false, "法律、行政法规或党中央、国务院政策"));
  columns->push_back({.element = "sharing.modes",
                      .titles = {"共享方式", "共享方式类型"},
                      .required = true,
                      .note = "库表、文件、接口，多个用顿号分开",
                      .set = [](const std::string& text,
                                Entry* e) { return SetModes(text, e->mutable_sharing()); },
                      .get = [](const Entry& e) { return ModesText(e.sharing()); },
                      .choices = ModeChoices().Words()});
  columns->push_back(
      With(YesNoColumn(
               "open.public", {"是否向社会开放", "开放属性", "是否开放", "开放类型"},
               [](bool yes, Entry* e) { e->mutable_open()->set_public_(yes); },
               [](const Entry& e) { return e.has_open() ? YesNoText(e.open().public_()) : ""; }),
           true, ""));
  columns->push_back(With(TextColumn("open.condition", {"开放条件"}, GT_INNER(open, condition)),
                          false, "没有条件写“无”"));
  columns->push_back({.element = "update_cycle",
                      .titles = {"更新周期", "更新频率"},
                      .required = true,
                      .set =
                          [](const std::string& text, Entry* e) {
                            const int cycle = CycleChoices().ValueOf(text);
                            if (cycle < 0) return CellProblem{CycleChoices().Wanted(text)};
                            e->set_update_cycle(static_cast<v1::UpdateCycle>(cycle));
                            return CellProblem();
                          },
                      .get = [](const Entry& e) { return CycleChoices().WordOf(e.update_cycle()); },
                      .choices = CycleChoices().Words()});
  columns->push_back(With(TextColumn("publication_date", {"发布日期"}, GT_FIELD(publication_date)),
                          false, "发布时由节点给出，不必填写"));
  columns->push_back(ListColumn("related", {"关联资源代码", "关联信息资源代码", "关联目录代码"},
                                GT_LIST(related)));
}

// What real sheets carry beside it.
void AddBeside(std::vector<EntryColumn>* columns) {
  columns->push_back({.element = "resources",
                      .titles = {"挂接资源"},
                      .note = "方式:格式，如 库表:0310",
                      .set = SetResources,
                      .get = ResourcesText});
  columns->push_back(ListColumn("themes", {"主题分类", "所属主题"}, GT_LIST(themes)));
  columns->push_back(ListColumn("key_areas", {"重点领域分类", "重点领域"}, GT_LIST(key_areas)));
  columns->push_back(YesNoColumn(
      "aggregated", {"是否汇聚", "是否已汇聚"}, [](bool yes, Entry* e) { e->set_aggregated(yes); },
      [](const Entry& e) { return e.aggregated() ? YesNoText(true) : ""; }));
  columns->push_back(TextColumn("classification", {"数据分类分级", "分类分级", "数据分级"},
                                GT_FIELD(classification)));
  columns->push_back({.element = "record_count",
                      .titles = {"数据量", "记录数", "数据总量"},
                      .set =
                          [](const std::string& text, Entry* e) {
                            uint64_t number = 0;
                            CellProblem problem =
                                ReadNumber(text, std::numeric_limits<uint64_t>::max(), &number);
                            e->set_record_count(number);
                            return problem;
                          },
                      .get =
                          [](const Entry& e) {
                            return e.record_count() == 0 ? "" : absl::StrCat(e.record_count());
                          }});
  columns->push_back(TextColumn("total_size", {"存储总量", "数据存储量"}, GT_FIELD(total_size)));
  columns->push_back(
      TextColumn("system", {"所属信息系统", "来源系统", "所属系统名称"}, GT_FIELD(system)));
  columns->push_back(With(TextColumn("secrecy", {"涉密属性", "是否涉密"}, GT_FIELD(secrecy)), false,
                          "涉密和工作秘密资源不得进入本网络", {"非涉密"}));
  AddContact(
      "contact", "联系人", [](Entry* e) { return e->mutable_contact(); },
      [](const Entry& e) -> const v1::Contact& { return e.contact(); }, columns);
  AddContact(
      "responsible", "责任人", [](Entry* e) { return e->mutable_responsible(); },
      [](const Entry& e) -> const v1::Contact& { return e.responsible(); }, columns);
  columns->push_back(TextColumn("division", {"行政区划代码", "行政区划"}, GT_FIELD(division)));
  columns->push_back(TextColumn("template", {"标准目录代码"}, GT_FIELD(template_)));
  columns->push_back(YesNoColumn(
      "is_template", {"是否标准目录"}, [](bool yes, Entry* e) { e->set_is_template(yes); },
      [](const Entry& e) { return e.is_template() ? YesNoText(true) : ""; }));
}

#undef GT_FIELD
#undef GT_INNER
#undef GT_LIST

}  // namespace

const std::vector<EntryColumn>& EntryColumns() {
  static const auto& columns = *[] {
    auto* made = new std::vector<EntryColumn>;
    AddGuide(made);
    AddBeside(made);
    return made;
  }();
  return columns;
}

}  // namespace guantong
