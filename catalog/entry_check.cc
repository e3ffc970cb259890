// The rules of CheckEntry, one function per element of the guide, in its order. Each adds what it
// finds; none stops the others.
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/format.h"

namespace guantong {
namespace {

// Collects problems.
class Findings {
 public:
  void Problem(absl::string_view element, absl::string_view text, absl::string_view remedy = "") {
    Add(element, text, remedy, false);
  }
  void Warning(absl::string_view element, absl::string_view text, absl::string_view remedy = "") {
    Add(element, text, remedy, true);
  }
  // As a rule says.
  void Weighed(const v1::EntryRule& rule, absl::string_view element, absl::string_view text) {
    if (auto problem = Weigh(rule, element, text)) problems_.push_back(*std::move(problem));
  }
  void Require(const std::string& value, const char* element, const char* name) {
    if (value.empty()) Problem(element, absl::StrCat("缺少", name, "（必填）"));
  }
  std::vector<v1::Problem> Take() { return std::move(problems_); }

 private:
  void Add(absl::string_view element, absl::string_view text, absl::string_view remedy,
           bool warning) {
    v1::Problem& problem = problems_.emplace_back();
    problem.set_element(std::string(element));
    problem.set_text(std::string(text));
    problem.set_remedy(std::string(remedy));
    problem.set_warning(warning);
  }

  std::vector<v1::Problem> problems_;
};

bool IsClassCode(absl::string_view code) {
  constexpr size_t kClassDigitsMax = 24;
  if (code.empty() || code.size() > kClassDigitsMax) return false;
  for (const unsigned char c : code) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return true;
}

bool IsFieldName(absl::string_view field) {
  if (field.empty() || !absl::ascii_islower(static_cast<unsigned char>(field[0]))) return false;
  for (const unsigned char c : field) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '_') return false;
  }
  return true;
}

// ID@version
bool IsDictionary(absl::string_view text) {
  const size_t at = text.find('@');
  return at != absl::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == absl::string_view::npos;
}

void CheckClasses(const v1::CatalogEntry& entry, Findings* findings) {
  constexpr char kWanted[] = "分类代码应为 1 至 24 位数字，不含 /";
  if (!IsClassCode(entry.class_())) findings->Problem("class", kWanted);
  for (int i = 0; i < entry.other_classes_size(); ++i) {
    if (!IsClassCode(entry.other_classes(i))) {
      findings->Problem(absl::StrCat("other_classes[", i, "]"), kWanted);
    }
  }
}

void CheckCode(const v1::CatalogEntry& entry, Findings* findings) {
  if (!entry.code().empty()) {
    const absl::StatusOr<ResourceRef> ref = ParseResourceRef(entry.code());
    if (!ref.ok() || !ref->id.empty()) {
      findings->Problem("code", "信息资源代码应为 分类代码/顺序号，由节点给出");
    }
  }
  for (int i = 0; i < entry.related_size(); ++i) {
    if (!ParseResourceRef(entry.related(i)).ok()) {
      findings->Problem(absl::StrCat("related[", i, "]"),
                        absl::StrCat("“", entry.related(i), "”不是信息资源代码"));
    }
  }
}

void CheckProvider(const v1::CatalogEntry& entry, Findings* findings) {
  findings->Require(entry.provider(), "provider", "信息资源提供方");
  if (!entry.division().empty() && !IsDivisionCode(entry.division())) {
    findings->Problem("division", absl::StrCat("“", entry.division(), "”不是 6 位行政区划代码"));
  }
  if (entry.provider_code().empty()) {
    findings->Problem("provider_code", "缺少提供方代码（必填）：18 位统一社会信用代码");
  } else if (!IsUscc(entry.provider_code())) {
    findings->Problem(
        "provider_code",
        absl::StrCat("“", entry.provider_code(),
                     "”不是有效的统一社会信用代码（GB 32100-2015：18 位，校验码不符）"));
  } else if (IsDivisionCode(entry.division()) &&
             DivisionOfUscc(entry.provider_code()) != entry.division()) {
    findings->Warning("division", absl::StrCat("行政区划 ", entry.division(), " 与提供方代码中的 ",
                                               DivisionOfUscc(entry.provider_code()), " 不同"));
  }
}

void CheckSharing(const v1::Sharing& sharing, const std::string& element, Findings* findings) {
  switch (sharing.type()) {
    case v1::SHARING_TYPE_UNCONDITIONAL:
      break;
    case v1::SHARING_TYPE_CONDITIONAL:
      if (sharing.condition().empty()) {
        findings->Problem(element + ".condition", "有条件共享的，应写明共享条件");
      }
      break;
    case v1::SHARING_TYPE_NOT_SHARED:
      if (sharing.basis().empty()) {
        findings->Problem(element + ".basis",
                          "不予共享的，应写明法律、行政法规或党中央、国务院政策依据");
      }
      break;
    default:
      findings->Problem(
          element + ".type",
          "缺少共享类型（必填）：unconditional 无条件、conditional 有条件、not_shared 不予");
  }
}

void CheckItem(const v1::DataItem& item, const std::string& element, bool table,
               std::set<std::string>* fields, Findings* findings) {
  if (item.name().empty()) findings->Problem(element + ".name", "缺少信息项名称（必填）");
  if (table || !item.field().empty()) {
    if (!IsFieldName(item.field())) {
      findings->Problem(element + ".field",
                        absl::StrCat("“", item.field(),
                                     "”不是字段名：小写字母开头，只含小写字母、数字、"
                                     "下划线"));
    } else if (!fields->insert(item.field()).second) {
      findings->Problem(element + ".field", absl::StrCat("字段 ", item.field(), " 出现两次"));
    }
  }
  if (item.type() == v1::ITEM_TYPE_UNSPECIFIED || !v1::ItemType_IsValid(item.type())) {
    findings->Problem(element + ".type", "缺少数据类型（必填）：C N Y D T L M G B I F 之一");
  }
  if (item.length() > 0 && item.scale() > item.length()) {
    findings->Problem(element + ".scale", "小数位数大于数据长度");
  }
  if (!item.dictionary().empty() && !IsDictionary(item.dictionary())) {
    findings->Problem(
        element + ".dictionary",
        absl::StrCat("“", item.dictionary(), "”应为 字典编号@版本，如 GBT2261.1@2003"));
  }
  if (item.has_sharing()) CheckSharing(item.sharing(), element + ".sharing", findings);
  if (item.open().public_() && item.sharing().type() == v1::SHARING_TYPE_NOT_SHARED)
    findings->Warning(element + ".open.public", "不予共享的信息项标为向社会开放");
}

// Two names that people read as one.
void CheckItemNames(const v1::CatalogEntry& entry, Findings* findings) {
  std::map<std::string, int> seen;
  for (int i = 0; i < entry.items_size(); ++i) {
    const std::string plain = PlainName(entry.items(i).name());
    if (plain.empty()) continue;
    const auto [it, fresh] = seen.emplace(plain, i);
    if (fresh) continue;
    const std::string& first = entry.items(it->second).name();
    findings->Warning(
        absl::StrCat("items[", i, "].name"),
        first == entry.items(i).name()
            ? absl::StrCat("信息项“", first, "”出现两次")
            : absl::StrCat("信息项“", entry.items(i).name(), "”与“", first, "”只差空格或标点"));
  }
}

void CheckItems(const v1::CatalogEntry& entry, Findings* findings) {
  bool table = false;
  for (const v1::Resource& resource : entry.resources()) {
    table |= resource.mode() == v1::SHARING_MODE_TABLE;
  }
  // The public half of a not-shared entry has its items elsewhere.
  if (entry.items_withheld()) return;
  if (entry.items_size() > static_cast<int>(kColumnsMax)) {
    findings->Problem("items", absl::StrCat("信息项超过 ", kColumnsMax, " 个"));
    return;
  }
  std::set<std::string> fields;
  bool key = false;
  for (int i = 0; i < entry.items_size(); ++i) {
    CheckItem(entry.items(i), absl::StrCat("items[", i, "]"), table, &fields, findings);
    key |= entry.items(i).key();
  }
  CheckItemNames(entry, findings);
  const bool tabular =
      absl::StartsWith(entry.format(), "02") || absl::StartsWith(entry.format(), "03");
  if (entry.items().empty()) {
    if (table || tabular) {
      findings->Problem("items", "电子表格和数据库类资源应列出信息项：名称、数据类型、数据长度");
    }
  } else if (table && !key) {
    findings->Problem("items", "库表资源应至少有一个主键信息项（key: true）");
  }
}

void CheckResources(const v1::CatalogEntry& entry, Findings* findings) {
  if (entry.format().empty()) {
    findings->Warning("format", "缺少信息资源格式：挂接资源时应给出");
  } else if (FormatName(entry.format()).empty()) {
    findings->Problem("format", absl::StrCat("没有信息资源格式 ", entry.format()));
  }
  std::set<std::string> ids;
  for (int i = 0; i < entry.resources_size(); ++i) {
    const v1::Resource& resource = entry.resources(i);
    const std::string element = absl::StrCat("resources[", i, "]");
    if (!ParseResourceRef(absl::StrCat("1/1:", resource.id())).ok()) {
      findings->Problem(element + ".id", "资源编号只含字母、数字和 . _ -");
    } else if (!ids.insert(resource.id()).second) {
      findings->Problem(element + ".id", absl::StrCat("资源编号 ", resource.id(), " 出现两次"));
    }
    if (resource.mode() == v1::SHARING_MODE_UNSPECIFIED ||
        !v1::SharingMode_IsValid(resource.mode())) {
      findings->Problem(element + ".mode",
                        "缺少共享方式（必填）：table 库表、file 文件、service 接口");
    } else if (FormatName(resource.format()).empty()) {
      findings->Problem(element + ".format",
                        absl::StrCat("没有信息资源格式“", resource.format(), "”"));
    } else if (!FormatFits(resource.format(), resource.mode())) {
      findings->Problem(element + ".format",
                        absl::StrCat("格式 ", resource.format(), "（",
                                     FormatName(resource.format()), "）不能以这种方式共享"));
    }
  }
}

void CheckOpenness(const v1::CatalogEntry& entry, Findings* findings) {
  if (!entry.open().public_()) return;
  if (entry.open().condition().empty()) {
    findings->Problem("open.condition", "向社会开放的，应写明开放条件（没有条件写“无”）");
  }
  if (entry.sharing().type() == v1::SHARING_TYPE_NOT_SHARED) {
    findings->Warning("open.public", "不予共享的资源标为向社会开放");
  }
}

// What may never enter this network, whatever a rule says, and what a rule says beside it.
void CheckSecrecy(const v1::CatalogEntry& entry, const RulesOfDay& rules, Findings* findings) {
  const auto is_open = [](const std::string& text) {
    return text.empty() || text == "非涉密" || text == "否" || text == "无";
  };
  if (!is_open(entry.secrecy())) {
    findings->Problem(
        "secrecy",
        absl::StrCat("涉密属性为“", entry.secrecy(), "”：国家秘密和工作秘密资源一律不得进入本网络"),
        "从表中去掉该资源；确不涉密的填“非涉密” (leave it out)");
  }
  const v1::EntryRule* rule = rules.FindEntryRule("secrecy_words");
  if (rule == nullptr) return;
  const auto look = [&](const std::string& text, const std::string& element) {
    for (const std::string& word : rule->words()) {
      if (absl::StrContains(text, word))
        findings->Weighed(*rule, element,
                          absl::StrCat("含有“", word, "”：涉密和工作秘密不得进入本网络"));
    }
  };
  look(entry.name(), "name");
  look(entry.classification(), "classification");
  for (int i = 0; i < entry.items_size(); ++i)
    look(entry.items(i).classification(), absl::StrCat("items[", i, "].classification"));
}

// 基础信息资源 are shared unconditionally: a rule of the pack says which classes are, and what
// follows.
void CheckBaseLibrary(const v1::CatalogEntry& entry, const RulesOfDay& rules, Findings* findings) {
  const v1::EntryRule* rule = rules.FindEntryRule("base_unconditional");
  if (rule == nullptr || !RuleCovers(*rule, entry.class_())) return;
  const auto narrow = [](const v1::Sharing& sharing) {
    return sharing.type() == v1::SHARING_TYPE_CONDITIONAL ||
           sharing.type() == v1::SHARING_TYPE_NOT_SHARED;
  };
  if (narrow(entry.sharing())) {
    findings->Weighed(*rule, "sharing.type", "基础信息资源应无条件共享");
  }
  for (int i = 0; i < entry.items_size(); ++i) {
    if (narrow(entry.items(i).sharing())) {
      findings->Weighed(
          *rule, absl::StrCat("items[", i, "].sharing.type"),
          absl::StrCat("基础信息资源的信息项“", entry.items(i).name(), "”应无条件共享"));
    }
  }
}

}  // namespace

std::vector<v1::Problem> CheckEntry(const v1::CatalogEntry& entry, const RulesOfDay& rules) {
  Findings findings;
  CheckClasses(entry, &findings);
  findings.Require(entry.name(), "name", "信息资源名称");
  CheckCode(entry, &findings);
  CheckProvider(entry, &findings);
  findings.Require(entry.abstract(), "abstract", "信息资源摘要");
  CheckItems(entry, &findings);
  CheckSharing(entry.sharing(), "sharing", &findings);
  CheckOpenness(entry, &findings);
  if (entry.update_cycle() == v1::UPDATE_CYCLE_UNSPECIFIED ||
      !v1::UpdateCycle_IsValid(entry.update_cycle())) {
    findings.Problem("update_cycle",
                     "缺少更新周期（必填）：realtime daily weekly monthly quarterly "
                     "yearly irregular other");
  }
  CheckResources(entry, &findings);
  CheckSecrecy(entry, rules, &findings);
  CheckBaseLibrary(entry, rules, &findings);
  if (entry.ByteSizeLong() > kEntryBytesMax) {
    findings.Problem("entry", absl::StrCat("条目超过 ", kEntryBytesMax, " 字节"));
  }
  return findings.Take();
}

absl::Status RefuseProblems(const std::vector<v1::Problem>& problems) {
  std::vector<std::string> texts;
  const v1::Problem* first = nullptr;
  for (const v1::Problem& problem : problems) {
    if (problem.warning()) continue;
    if (first == nullptr) first = &problem;
    texts.push_back(absl::StrCat(problem.element(), ": ", problem.text()));
  }
  if (first == nullptr) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "entry_invalid", absl::StrJoin(texts, "; "),
               first->element(), first->remedy());
}

absl::Status ValidateEntry(const v1::CatalogEntry& entry, const RulesOfDay& rules) {
  return RefuseProblems(CheckEntry(entry, rules));
}

}  // namespace guantong
