#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "node/language.h"
#include "node/sheets/choices.h"
#include "node/sheets/entry_columns.h"

namespace guantong {
namespace {

using Item = v1::DataItem;

template <typename Set, typename Get>
ItemColumn TextColumn(std::string element, std::vector<std::string> titles, Set set, Get get) {
  return {.element = std::move(element),
          .titles = std::move(titles),
          .set =
              [set](const std::string& text, Item* item) {
                set(text, item);
                return CellProblem();
              },
          .get = get};
}

template <typename Set, typename Get>
ItemColumn YesNoColumn(std::string element, std::vector<std::string> titles, Set set, Get get) {
  return {.element = std::move(element),
          .titles = std::move(titles),
          .set =
              [set](const std::string& text, Item* item) {
                bool yes = false;
                CellProblem problem = ReadYesNo(text, &yes);
                if (problem.text.empty()) set(yes, item);
                return problem;
              },
          .get = get,
          .choices = YesNoChoices().Words()};
}

// "18,2" of a number is its length and its scale.
CellProblem SetLength(const std::string& text, Item* item) {
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  uint64_t length = 0, scale = 0;
  const std::vector<std::string> parts = PartsOf(text);
  if (parts.size() == 2) {
    const CellProblem first = ReadNumber(parts[0], kMax, &length);
    const CellProblem second = ReadNumber(parts[1], kMax, &scale);
    if (first.text.empty() && second.text.empty()) {
      item->set_length(static_cast<uint32_t>(length));
      item->set_scale(static_cast<uint32_t>(scale));
      return {};
    }
  }
  CellProblem problem = ReadNumber(text, kMax, &length);
  item->set_length(static_cast<uint32_t>(length));
  return problem;
}

CellProblem SetScale(const std::string& text, Item* item) {
  uint64_t scale = 0;
  CellProblem problem = ReadNumber(text, std::numeric_limits<uint32_t>::max(), &scale);
  item->set_scale(static_cast<uint32_t>(scale));
  return problem;
}

CellProblem SetType(const std::string& text, Item* item) {
  const int type = ItemTypeChoices().ValueOf(text);
  if (type < 0) return {ItemTypeChoices().Wanted(text)};
  item->set_type(static_cast<v1::ItemType>(type));
  return {};
}

std::string NumberText(uint32_t number) { return number == 0 ? "" : absl::StrCat(number); }

#define GT_FIELD(field)                                           \
  [](const std::string& text, Item* i) { i->set_##field(text); }, \
      [](const Item& i) { return i.field(); }
#define GT_SHARING(field)                                                            \
  [](const std::string& text, Item* i) { i->mutable_sharing()->set_##field(text); }, \
      [](const Item& i) { return i.sharing().field(); }

std::vector<ItemColumn> MakeColumns() {
  std::vector<ItemColumn> columns;
  columns.push_back(
      TextColumn("name", {"信息项名称", "数据项名称", "信息项", "数据项"}, GT_FIELD(name)));
  columns.back().required = true;
  columns.back().note = "一项一行，紧接条目所在行往下写";
  columns.push_back(
      TextColumn("field", {"字段名", "字段名称", "字段英文名", "字段"}, GT_FIELD(field)));
  columns.back().note = "小写字母开头，只含小写字母、数字、下划线";
  columns.push_back(
      TextColumn("english_name", {"信息项英文名称", "英文名称", "英文名"}, GT_FIELD(english_name)));
  columns.push_back({.element = "type",
                     .titles = {"数据类型", "信息项类型", "信息项数据类型", "字段类型"},
                     .required = true,
                     .set = SetType,
                     .get = [](const Item& i) { return ItemTypeChoices().WordOf(i.type()); },
                     .choices = ItemTypeChoices().Words()});
  columns.push_back({.element = "length",
                     .titles = {"数据长度", "信息项长度", "信息项数据长度", "字段长度"},
                     .required = true,
                     .note = "只填数字",
                     .set = SetLength,
                     .get = [](const Item& i) { return NumberText(i.length()); }});
  columns.push_back({.element = "scale",
                     .titles = {"小数位数", "精度"},
                     .set = SetScale,
                     .get = [](const Item& i) { return NumberText(i.scale()); }});
  columns.push_back(YesNoColumn(
      "key", {"是否主键", "主键"}, [](bool yes, Item* i) { i->set_key(yes); },
      [](const Item& i) { return i.key() ? YesNoText(true) : ""; }));
  columns.push_back(YesNoColumn(
      "required", {"是否必填", "必填"}, [](bool yes, Item* i) { i->set_required(yes); },
      [](const Item& i) { return i.required() ? YesNoText(true) : ""; }));
  columns.push_back(YesNoColumn(
      "required", {"是否可空", "可为空", "是否为空"},
      [](bool yes, Item* i) { i->set_required(!yes); }, nullptr));
  columns.push_back(
      TextColumn("dictionary", {"字典", "数据字典", "字典编号"}, GT_FIELD(dictionary)));
  columns.back().note = "字典编号@版本";
  columns.push_back(TextColumn("unit", {"计量单位", "单位"}, GT_FIELD(unit)));
  columns.push_back(TextColumn("description", {"信息项说明", "信息项描述", "字段说明", "字段描述"},
                               GT_FIELD(description)));
  columns.push_back(TextColumn("default_value", {"默认值", "缺省值"}, GT_FIELD(default_value)));
  columns.push_back(
      TextColumn("classification", {"信息项分类分级", "信息项分级"}, GT_FIELD(classification)));
  columns.push_back(
      {.element = "sharing.type",
       .titles = {"信息项共享类型", "信息项共享属性"},
       .set = [](const std::string& text,
                 Item* i) { return SetSharingType(text, i->mutable_sharing()); },
       .get = [](const Item& i) { return SharingTypeChoices().WordOf(i.sharing().type()); },
       .choices = SharingTypeChoices().Words()});
  columns.push_back(TextColumn("sharing.condition", {"信息项共享条件"}, GT_SHARING(condition)));
  columns.push_back(
      TextColumn("sharing.basis", {"信息项不予共享依据", "信息项共享依据"}, GT_SHARING(basis)));
  columns.push_back(
      {.element = "sharing.modes",
       .titles = {"信息项共享方式"},
       .set = [](const std::string& text, Item* i) { return SetModes(text, i->mutable_sharing()); },
       .get = [](const Item& i) { return ModesText(i.sharing()); },
       .choices = ModeChoices().Words()});
  columns.push_back(YesNoColumn(
      "open.public", {"信息项是否向社会开放", "信息项是否开放", "信息项开放属性"},
      [](bool yes, Item* i) { i->mutable_open()->set_public_(yes); },
      [](const Item& i) { return i.has_open() ? YesNoText(i.open().public_()) : ""; }));
  columns.push_back(TextColumn(
      "open.condition", {"信息项开放条件"},
      [](const std::string& text, Item* i) { i->mutable_open()->set_condition(text); },
      [](const Item& i) { return i.open().condition(); }));
  return columns;
}

#undef GT_FIELD
#undef GT_SHARING

}  // namespace

const std::vector<ItemColumn>& ItemColumns() {
  static const auto& columns = *new std::vector<ItemColumn>(MakeColumns());
  return columns;
}

}  // namespace guantong
