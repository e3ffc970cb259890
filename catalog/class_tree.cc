#include "catalog/class_tree.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "catalog/base/limits.h"
#include "catalog/entry.h"
#include "catalog/row_findings.h"

namespace guantong {
namespace {

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// What was delegated before turns were counted had the first.
uint32_t TurnOf(const v1::ClassNode& node) {
  return std::max(node.delegate_turn(), node.delegate().empty() ? 0U : 1U);
}

// A running number where a name should be: a sheet whose columns were shifted. All below it came
// from the same sheet.
bool LooksShifted(const v1::ClassNode& node) {
  return !node.name().empty() && AllDigits(node.name());
}

}  // namespace

ClassTree::ClassTree(std::vector<ClassSource> sources) {
  for (ClassSource& source : sources) {
    if (source.is_root) root_ = source.node_id;
    std::map<std::string, std::vector<v1::ClassNode*>> below;
    std::vector<std::string> open;
    for (v1::ClassNode& node : source.classes) {
      below[node.parent()].push_back(&node);
      // Its parent is there already, from this source or one above.
      if (node.parent().empty() || classes_.count(node.parent()) > 0) open.push_back(node.parent());
    }
    std::set<std::string> done;
    while (!open.empty()) {
      const std::string parent = std::move(open.back());
      open.pop_back();
      if (!done.insert(parent).second || !MaySay(parent, source.node_id)) continue;
      for (v1::ClassNode* node : below[parent]) {
        const std::string code = node->code();
        if (classes_.count(code) > 0) continue;  // who is above has said it
        classes_[code] = {std::move(*node), source.node_id};
        children_[parent].push_back(code);
        open.push_back(code);
      }
    }
  }
  for (auto& [parent, codes] : children_) std::sort(codes.begin(), codes.end());
}

const v1::ClassNode* ClassTree::Find(absl::string_view code) const {
  const auto it = classes_.find(std::string(code));
  return it == classes_.end() ? nullptr : &it->second.node;
}

std::vector<v1::ClassNode> ClassTree::Ancestors(absl::string_view code) const {
  std::vector<v1::ClassNode> ancestors;
  const v1::ClassNode* node = Find(code);
  while (node != nullptr && !node->parent().empty()) {
    node = Find(node->parent());
    if (node != nullptr) ancestors.push_back(*node);
  }
  std::reverse(ancestors.begin(), ancestors.end());
  return ancestors;
}

bool ClassTree::Within(absl::string_view code, absl::string_view above) const {
  if (!absl::StartsWith(code, above)) return false;
  if (above.empty() || Find(above) == nullptr) return true;
  for (size_t length = code.size(); length > above.size(); --length) {
    const v1::ClassNode* node = Find(code.substr(0, length));
    if (node == nullptr) continue;
    while (node != nullptr && node->code() != above) node = Find(node->parent());
    return node != nullptr;
  }
  return true;
}

std::vector<v1::ClassNode> ClassTree::Named(absl::string_view name) const {
  std::vector<v1::ClassNode> named;
  const std::string whole = PlainName(name);
  if (whole.empty()) return named;
  for (const auto& [code, placed] : classes_) {
    if (PlainName(placed.node.name()) == whole) named.push_back(placed.node);
  }
  if (!named.empty()) return named;
  std::vector<std::string> way;
  const std::string parted =
      absl::StrReplaceAll(name, {{">", "/"}, {"＞", "/"}, {"→", "/"}, {"／", "/"}});
  for (const absl::string_view part : absl::StrSplit(parted, '/', absl::SkipWhitespace()))
    way.push_back(PlainName(part));
  if (way.size() < 2) return named;
  for (const auto& [code, placed] : classes_) {
    if (PlainName(placed.node.name()) != way.back()) continue;
    size_t met = 0;
    for (const v1::ClassNode& above : Ancestors(code)) {
      if (met + 1 < way.size() && PlainName(above.name()) == way[met]) ++met;
    }
    if (met + 1 == way.size()) named.push_back(placed.node);
  }
  return named;
}

std::vector<v1::ClassNode> ClassTree::Children(absl::string_view code) const {
  std::vector<v1::ClassNode> children;
  const auto it = children_.find(std::string(code));
  if (it == children_.end()) return children;
  for (const std::string& child : it->second) children.push_back(*Find(child));
  return children;
}

const v1::ClassNode* ClassTree::Delegated(absl::string_view code) const {
  const v1::ClassNode* node = Find(code);
  while (node != nullptr && node->delegate().empty()) node = Find(node->parent());
  return node;
}

std::string ClassTree::Delegate(absl::string_view code) const {
  const v1::ClassNode* node = Delegated(code);
  return node == nullptr ? "" : node->delegate();
}

std::string ClassTree::DelegateDivision(absl::string_view code) const {
  const v1::ClassNode* node = Delegated(code);
  return node == nullptr ? "" : node->delegate_division();
}

uint32_t ClassTree::DelegateTurn(absl::string_view code) const {
  const v1::ClassNode* node = Delegated(code);
  return node == nullptr ? 0 : TurnOf(*node);
}

uint32_t ClassTree::LastTurn(absl::string_view code) const {
  uint32_t last = 0;
  for (const v1::ClassNode* node = Find(code); node != nullptr; node = Find(node->parent()))
    last = std::max(last, TurnOf(*node));
  for (const auto& [below, placed] : classes_) {
    if (TurnOf(placed.node) <= last) continue;
    for (const v1::ClassNode* node = &placed.node; node != nullptr; node = Find(node->parent()))
      if (node->code() == code) last = TurnOf(placed.node);
  }
  return last;
}

bool ClassTree::MaySay(absl::string_view code, absl::string_view node_id) const {
  if (node_id == root_) return true;
  for (const v1::ClassNode* node = Find(code); node != nullptr; node = Find(node->parent())) {
    if (node->delegate() == node_id) return true;
  }
  return false;
}

std::string ClassTree::Governor(absl::string_view code) const {
  std::string delegate = Delegate(code);
  return delegate.empty() ? root_ : delegate;
}

std::string ClassTree::SaidBy(absl::string_view code) const {
  const auto it = classes_.find(std::string(code));
  return it == classes_.end() ? "" : it->second.said_by;
}

std::vector<v1::Problem> CheckClasses(const ClassTree& tree, absl::string_view node_id,
                                      const std::vector<uint32_t>& rows,
                                      std::vector<v1::ClassNode>* classes) {
  constexpr size_t kClassDigitsMax = 24;
  RowFindings findings(rows);
  std::map<std::string, size_t> by_code;
  for (size_t row = 0; row < classes->size(); ++row) {
    const v1::ClassNode& node = (*classes)[row];
    if (node.code().empty() || node.code().size() > kClassDigitsMax || !AllDigits(node.code())) {
      findings.Add(row, "code", absl::StrCat("分类代码“", node.code(), "”应为 1 至 24 位数字"),
                   "改正代码 (correct the code)");
    } else if (!by_code.emplace(node.code(), row).second) {
      findings.Add(row, "code", absl::StrCat("分类代码 ", node.code(), " 出现两次"),
                   "只保留一行 (keep one row)");
    }
    if (node.name().empty()) {
      findings.Add(row, "name", absl::StrCat("分类 ", node.code(), " 缺少名称"),
                   "填写名称 (name it)");
    }
  }
  for (size_t row = 0; row < classes->size(); ++row) {
    const v1::ClassNode& node = (*classes)[row];
    const std::string& parent = node.parent();
    const auto in_file = by_code.find(parent);
    if (!parent.empty() && in_file == by_code.end() && tree.Find(parent) == nullptr) {
      findings.Add(row, "parent", absl::StrCat("分类 ", node.code(), " 的上级 ", parent, " 不存在"),
                   "先导入上级 (import the parent)");
      continue;
    }
    if (!absl::StartsWith(node.code(), parent) || node.code().size() == parent.size()) {
      findings.Add(row, "code",
                   absl::StrCat("分类代码 ", node.code(), " 应以上级代码 ", parent, " 开头"),
                   "改正代码或上级 (correct the code or the parent)");
      continue;
    }
    const v1::ClassNode* known = tree.Find(node.code());
    if (known != nullptr && known->parent() != parent) {
      findings.Add(
          row, "parent",
          absl::StrCat("分类 ", node.code(), " 的上级是 ", known->parent(), "，不能改为 ", parent),
          "分类不移动：关闭它并指明接替者 (close it and name a successor)");
    }
    // Who is not the root may say only what stands below a class delegated to it.
    std::string nearest = parent;
    while (!nearest.empty() && tree.Find(nearest) == nullptr) {
      const auto it = by_code.find(nearest);
      nearest = it == by_code.end() ? "" : (*classes)[it->second].parent();
    }
    const bool ours =
        known != nullptr ? tree.SaidBy(node.code()) == node_id : tree.Governor(nearest) == node_id;
    if (!ours) {
      findings.Add(
          row, "not_delegated", absl::StrCat("分类 ", node.code(), " 不归本节点管理"),
          "请管理该分类的节点授权前缀 (ask its governor): guantong catalog classes delegate");
    }
  }
  std::vector<v1::Problem> problems = findings.Take();
  if (!problems.empty()) return problems;

  RowFindings warnings(rows);
  for (size_t row = 0; row < classes->size(); ++row) {
    v1::ClassNode& node = (*classes)[row];
    const v1::ClassNode* above = &node;
    while (above != nullptr && !LooksShifted(*above)) {
      const auto it = by_code.find(above->parent());
      above = it != by_code.end() ? &(*classes)[it->second] : tree.Find(above->parent());
    }
    node.set_suspicious(above != nullptr);
    node.set_note(above == nullptr ? ""
                                   : absl::StrCat("名称“", above->name(), "”（", above->code(),
                                                  "）是序号，像是列错位的表"));
    if (above == nullptr) continue;
    warnings
        .Add(row, "name",
             absl::StrCat("分类 ", node.code(), "“", node.name(), "”可疑：", node.note()),
             "核对原表 (check the sheet it came from)")
        .set_warning(true);
  }
  return warnings.Take();
}

std::vector<v1::Problem> CheckClassesOf(const v1::CatalogEntry& entry, const ClassTree& tree) {
  std::vector<v1::Problem> problems;
  if (tree.empty()) return problems;
  const auto check = [&](const std::string& code, const std::string& element) {
    const auto add = [&](bool warning, std::string text, std::string remedy) {
      v1::Problem& problem = problems.emplace_back();
      problem.set_element(element);
      problem.set_warning(warning);
      problem.set_text(std::move(text));
      problem.set_remedy(std::move(remedy));
    };
    const v1::ClassNode* node = tree.Find(code);
    if (node == nullptr) {
      add(false, absl::StrCat("分类树中没有 ", code),
          "见 guantong catalog classes；没有合适的请管理节点增设 (choose a class that exists)");
    } else if (node->closed()) {
      add(false,
          absl::StrCat("分类 ", code, "“", node->name(), "”已关闭",
                       node->successor().empty() ? "" : "，由 ", node->successor(),
                       node->successor().empty() ? "" : " 接替"),
          node->successor().empty() ? "改用别的分类 (use another class)"
                                    : absl::StrCat("改用 (use) ", node->successor()));
    } else if (node->suspicious()) {
      add(true, absl::StrCat("分类 ", code, "“", node->name(), "”可疑：", node->note()),
          "换一个分类，或请管理节点核对 (choose another class, or have it checked)");
    }
  };
  check(entry.class_(), "class");
  for (int i = 0; i < entry.other_classes_size(); ++i)
    check(entry.other_classes(i), absl::StrCat("other_classes[", i, "]"));
  return problems;
}

}  // namespace guantong
