// The rules of CheckEntry, one function per element of the guide, in its order. Each adds what it
// finds; none stops the others.
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
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
  void Problem(std::string element, std::string text) {
    problems_.push_back({std::move(element), std::move(text), false});
  }
  void Warning(std::string element, std::string text) {
    problems_.push_back({std::move(element), std::move(text), true});
  }
  void Require(const std::string& value, const char* element, const char* name) {
    if (value.empty()) Problem(element, absl::StrCat("缺少", name, "（必填）"));
  }
  std::vector<EntryProblem> Take() { return std::move(problems_); }

 private:
  std::vector<EntryProblem> problems_;
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
  if (item.has_sharing()) CheckSharing(item.sharing(), element + ".sharing", findings);
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
  if (!table) return;
  if (entry.items().empty()) {
    findings->Problem("items", "库表资源应列出信息项：名称、数据类型、数据长度");
  } else if (!key) {
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

}  // namespace

std::vector<EntryProblem> CheckEntry(const v1::CatalogEntry& entry) {
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
  if (!entry.secrecy().empty() && entry.secrecy() != "非涉密") {
    findings.Problem("secrecy", "涉密资源不得进入本网络");
  }
  if (entry.ByteSizeLong() > kEntryBytesMax) {
    findings.Problem("entry", absl::StrCat("条目超过 ", kEntryBytesMax, " 字节"));
  }
  return findings.Take();
}

absl::Status ValidateEntry(const v1::CatalogEntry& entry) {
  std::vector<std::string> texts;
  std::string first;
  for (const EntryProblem& problem : CheckEntry(entry)) {
    if (problem.warning) continue;
    if (texts.empty()) first = problem.element;
    texts.push_back(absl::StrCat(problem.element, ": ", problem.text));
  }
  if (texts.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "entry_invalid", absl::StrJoin(texts, "; "),
               first);
}

}  // namespace guantong
