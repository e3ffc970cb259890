#include "catalog/code_list.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/row_findings.h"

namespace guantong {
namespace {

bool IsName(absl::string_view text, size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

// What a cell brings along unseen: blanks around or within, full-width letters and figures.
bool LooksTyped(absl::string_view code) {
  for (const absl::string_view odd : {" ", "\t", "\n", "\xc2\xa0", "\xe3\x80\x80", "\xef\xbc"}) {
    if (code.find(odd) != absl::string_view::npos) return true;
  }
  return false;
}

using CodeNames = std::map<std::string, std::string>;

CodeNames NamesOf(const v1::CodeList& list) {
  CodeNames names;
  for (const v1::CodeListItem& item : list.items()) names[item.code()] = item.name();
  return names;
}

void CheckHead(const v1::CodeList& list, RowFindings* findings) {
  constexpr size_t kNoRow = SIZE_MAX;
  if (!IsName(list.id(), kCodeListIdBytesMax)) {
    findings->Add(kNoRow, "id", absl::StrCat("字典编号“", list.id(), "”应为字母、数字和 . _ -"),
                  "如 (like) GBT2261.1");
  }
  if (!IsName(list.version(), kCodeListVersionBytesMax)) {
    findings->Add(kNoRow, "version",
                  absl::StrCat("字典版本“", list.version(), "”应为字母、数字和 . _ -"),
                  "如 (like) 2003");
  }
  if (list.name().empty() || list.name().size() > kFactNameBytesMax)
    findings->Add(kNoRow, "name", "缺少字典名称，或名称过长", "写明名称 (name it): --name");
  if (list.items().empty())
    findings->Add(kNoRow, "items", "字典没有代码", "文件里至少一行代码 (at least one code)");
  if (list.ByteSizeLong() > kCodeListBytesMax) {
    findings->Add(kNoRow, "items", absl::StrCat("字典超过 ", kCodeListBytesMax, " 字节"),
                  "拆成几个字典 (split it)");
  }
}

// A parent that is there, and no circle on the way up.
void CheckParents(const v1::CodeList& list, const std::map<std::string, int>& by_code,
                  RowFindings* findings) {
  std::set<int> sound;
  for (int i = 0; i < list.items_size(); ++i) {
    std::vector<int> way;
    int at = i;
    while (sound.count(at) == 0) {
      if (std::find(way.begin(), way.end(), at) != way.end()) {
        findings->Add(static_cast<size_t>(i), "parent",
                      absl::StrCat("代码 ", list.items(i).code(), " 的上级绕回自身"),
                      "改正上级 (correct the parent)");
        break;
      }
      way.push_back(at);
      const std::string& parent = list.items(at).parent();
      if (parent.empty()) break;
      const auto above = by_code.find(parent);
      if (above == by_code.end()) {
        if (at == i) {
          findings->Add(
              static_cast<size_t>(i), "parent",
              absl::StrCat("代码 ", list.items(i).code(), " 的上级 ", parent, " 不在字典中"),
              "补上上级或改正 (add the parent or correct it)");
        }
        break;
      }
      at = above->second;
    }
    sound.insert(way.begin(), way.end());
  }
}

}  // namespace

std::optional<CodeListName> ParseCodeListKey(absl::string_view key) {
  const size_t at = key.find('@');
  if (at == absl::string_view::npos) return std::nullopt;
  CodeListName name{.id = std::string(key.substr(0, at)),
                    .version = std::string(key.substr(at + 1))};
  if (!IsName(name.id, kCodeListIdBytesMax) || !IsName(name.version, kCodeListVersionBytesMax))
    return std::nullopt;
  return name;
}

std::string CodeListKey(absl::string_view id, absl::string_view version) {
  return absl::StrCat(id, "@", version);
}

std::string CodeMapKey(absl::string_view from, absl::string_view to) {
  return absl::StrCat(from, ">", to);
}

bool EarlierVersion(absl::string_view a, absl::string_view b) {
  const auto figures = [](absl::string_view text) {
    size_t size = 0;
    while (size < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[size])))
      ++size;
    return text.substr(0, size);
  };
  const auto value = [](absl::string_view run) {
    while (run.size() > 1 && run[0] == '0') run.remove_prefix(1);
    return run;
  };
  absl::string_view left = a, right = b;
  while (!left.empty() && !right.empty()) {
    const absl::string_view left_run = figures(left), right_run = figures(right);
    if (!left_run.empty() && !right_run.empty()) {
      const absl::string_view x = value(left_run), y = value(right_run);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      left.remove_prefix(left_run.size());
      right.remove_prefix(right_run.size());
    } else {
      if (left[0] != right[0]) return left[0] < right[0];
      left.remove_prefix(1);
      right.remove_prefix(1);
    }
  }
  if (left.empty() != right.empty()) return left.empty();
  return a < b;
}

std::vector<v1::Problem> CheckCodeList(const v1::CodeList& list,
                                       const std::vector<uint32_t>& rows) {
  RowFindings findings(rows);
  CheckHead(list, &findings);
  std::map<std::string, int> by_code;
  std::map<std::string, int> by_name;
  for (int i = 0; i < list.items_size(); ++i) {
    const v1::CodeListItem& item = list.items(i);
    const auto row = static_cast<size_t>(i);
    if (item.code().empty()) {
      findings.Add(row, "code", "缺少代码", "填写代码 (fill it in)");
      continue;
    }
    if (item.code().size() > kCodeBytesMax) {
      findings.Add(row, "code", absl::StrCat("代码超过 ", kCodeBytesMax, " 字节"),
                   "核对列是否错位 (check the columns)");
      continue;
    }
    const auto [first, fresh] = by_code.emplace(item.code(), i);
    if (!fresh) {
      findings.Add(row, "code",
                   absl::StrCat("代码 ", item.code(), " 已在第 ",
                                findings.RowOf(static_cast<size_t>(first->second)), " 行"),
                   "只保留一行 (keep one row)");
    }
    if (item.name().empty()) {
      findings.Add(row, "name", absl::StrCat("代码 ", item.code(), " 缺少名称"),
                   "填写名称 (name it)");
    }
    if (LooksTyped(item.code())) {
      findings
          .Add(row, "code", absl::StrCat("代码“", item.code(), "”含空格或全角字符"),
               "确认后再用 (make sure it is meant)")
          .set_warning(true);
    }
    const auto [named, new_name] =
        by_name.emplace(absl::StrCat(item.parent(), "\n", item.name()), i);
    if (!new_name && !item.name().empty()) {
      findings
          .Add(row, "name",
               absl::StrCat("名称“", item.name(), "”与第 ",
                            findings.RowOf(static_cast<size_t>(named->second)), " 行相同"),
               "确认不是重复 (make sure it is not twice the same)")
          .set_warning(true);
    }
  }
  CheckParents(list, by_code, &findings);
  return findings.Take();
}

std::vector<v1::Problem> CheckCodeMap(const v1::CodeMap& map, const v1::CodeList& from,
                                      const v1::CodeList& to, const std::vector<uint32_t>& rows) {
  RowFindings findings(rows);
  constexpr size_t kNoRow = SIZE_MAX;
  if (map.from() == map.to()) {
    findings.Add(kNoRow, "to", "映射的两端是同一个版本",
                 "写两个不同的版本或字典 (name two different ones)");
  }
  if (map.pairs().empty())
    findings.Add(kNoRow, "pairs", "映射没有内容", "文件里至少一行 (at least one row)");
  if (map.ByteSizeLong() > kCodeListBytesMax) {
    findings.Add(kNoRow, "pairs", absl::StrCat("映射超过 ", kCodeListBytesMax, " 字节"),
                 "只写有变化的代码 (write only what has changed)");
  }
  const CodeNames from_names = NamesOf(from), to_names = NamesOf(to);
  std::map<std::pair<std::string, std::string>, size_t> seen;
  std::map<std::string, std::pair<bool, bool>> ended_and_not;
  for (int i = 0; i < map.pairs_size(); ++i) {
    const v1::CodePair& pair = map.pairs(i);
    const auto row = static_cast<size_t>(i);
    if (from_names.count(pair.from()) == 0) {
      findings.Add(row, "from", absl::StrCat(map.from(), " 没有代码“", pair.from(), "”"),
                   "改正代码，或核对版本 (correct the code, or the version)");
    }
    if (!pair.to().empty() && to_names.count(pair.to()) == 0) {
      findings.Add(row, "to", absl::StrCat(map.to(), " 没有代码“", pair.to(), "”"),
                   "改正代码；已废止的留空 (correct it; leave it empty where the code has ended)");
    }
    const auto [first, fresh] = seen.emplace(std::make_pair(pair.from(), pair.to()), row);
    if (!fresh) {
      findings.Add(row, "from",
                   absl::StrCat(pair.from(), " 到 ", pair.to(), " 已在第 ",
                                findings.RowOf(first->second), " 行"),
                   "只保留一行 (keep one row)");
    }
    auto& [ended, goes_on] = ended_and_not[pair.from()];
    (pair.to().empty() ? ended : goes_on) = true;
    if (ended && goes_on) {
      findings.Add(row, "to", absl::StrCat(pair.from(), " 既写了去向又写了废止"),
                   "二者留一 (keep one of them)");
    }
  }
  return findings.Take();
}

bool SameCodes(const v1::CodeList& a, const v1::CodeList& b) {
  const auto said = [](v1::CodeList list) {
    list.clear_published_at();
    list.clear_closed();
    list.clear_successor();
    list.clear_note();
    return list.SerializeAsString();
  };
  return said(a) == said(b);
}

CodeListChange CompareCodes(const v1::CodeList& before, const v1::CodeList& after) {
  const CodeNames old_names = NamesOf(before), new_names = NamesOf(after);
  CodeListChange change;
  for (const auto& [code, name] : new_names) {
    const auto it = old_names.find(code);
    if (it == old_names.end()) {
      ++change.added;
    } else if (it->second != name) {
      ++change.renamed;
    }
  }
  for (const auto& [code, name] : old_names) change.removed += new_names.count(code) == 0 ? 1 : 0;
  return change;
}

CodeMapping::CodeMapping(const v1::CodeList& from, const v1::CodeList& to, const v1::CodeMap* map)
    : same_list_(from.id() == to.id()), from_names_(NamesOf(from)), to_names_(NamesOf(to)) {
  if (map == nullptr) return;
  const bool backward = map->from() == to.key();
  for (const v1::CodePair& pair : map->pairs()) {
    // What has ended is nothing to come from.
    if (backward && pair.to().empty()) continue;
    targets_[backward ? pair.to() : pair.from()].push_back(
        {.code = backward ? pair.from() : pair.to(), .note = pair.note()});
  }
}

v1::MappedCode CodeMapping::Of(absl::string_view code) const {
  v1::MappedCode mapped;
  const std::string asked(code);
  mapped.set_from(asked);
  const auto name = from_names_.find(asked);
  if (name == from_names_.end()) {
    mapped.set_by(v1::MAPPED_BY_NO_CODE);
    return mapped;
  }
  mapped.set_from_name(name->second);
  const auto add = [&](const std::string& target, const std::string& note) {
    v1::CodeListItem* item = mapped.add_to();
    item->set_code(target);
    item->set_note(note);
    const auto it = to_names_.find(target);
    if (it != to_names_.end()) item->set_name(it->second);
  };
  const auto targets = targets_.find(asked);
  if (targets != targets_.end()) {
    mapped.set_by(v1::MAPPED_BY_MAP);
    for (const Target& target : targets->second) {
      if (target.code.empty()) {
        mapped.set_by(v1::MAPPED_BY_ENDED);
        mapped.set_note(target.note);
      } else {
        add(target.code, target.note);
      }
    }
    return mapped;
  }
  if (same_list_ && to_names_.count(asked) > 0) {
    mapped.set_by(v1::MAPPED_BY_SAME_CODE);
    add(asked, "");
    return mapped;
  }
  mapped.set_by(v1::MAPPED_BY_NOTHING);
  return mapped;
}

std::vector<v1::Problem> CheckDictionariesOf(
    const v1::CatalogEntry& entry, const RulesOfDay& rules,
    const std::function<std::optional<v1::CodeList>(const std::string& key)>& find) {
  std::vector<v1::Problem> problems;
  const v1::EntryRule* rule = rules.FindEntryRule("dictionary_known");
  if (rule == nullptr) return problems;
  std::map<std::string, std::optional<v1::CodeList>> found;
  for (int i = 0; i < entry.items_size(); ++i) {
    const std::string& key = entry.items(i).dictionary();
    if (!ParseCodeListKey(key).has_value()) continue;
    const std::string element = absl::StrCat("items[", i, "].dictionary");
    auto known = found.find(key);
    if (known == found.end()) known = found.emplace(key, find(key)).first;
    const std::optional<v1::CodeList>& list = known->second;
    if (!list.has_value()) {
      if (auto problem = Weigh(*rule, element, absl::StrCat("没有已发布的字典 ", key))) {
        problem->set_remedy("见 guantong codelist list；没有的由节点运维导入 (see codelist list)");
        problems.push_back(*std::move(problem));
      }
    } else if (list->closed()) {
      const std::string& successor = list->successor();
      v1::Problem& problem = problems.emplace_back();
      problem.set_element(element);
      problem.set_warning(true);
      problem.set_text(absl::StrCat("字典 ", key, " 已停用"));
      problem.set_remedy(successor.empty() ? "换用现行版本 (use a version in force)"
                                           : absl::StrCat("改用 (use) ", successor));
    }
  }
  return problems;
}

}  // namespace guantong
