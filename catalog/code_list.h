// 字典: versions of code lists and mappings between them (code_list.proto).
#ifndef GUANTONG_CATALOG_CODE_LIST_H_
#define GUANTONG_CATALOG_CODE_LIST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/rule_book.h"
#include "guantong/v1/code_list.pb.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// "ID@version" taken apart; nothing when it is none.
struct CodeListName {
  std::string id;
  std::string version;
};
std::optional<CodeListName> ParseCodeListKey(absl::string_view key);
std::string CodeListKey(absl::string_view id, absl::string_view version);
std::string CodeMapKey(absl::string_view from, absl::string_view to);

// Figures within versions count by value: 9 is before 10, 2003 before 2003-2.
bool EarlierVersion(absl::string_view a, absl::string_view b);

// All that is wrong with a version somebody brings; warnings among it. `rows`: of its items in the
// file, or none.
std::vector<v1::Problem> CheckCodeList(const v1::CodeList& list, const std::vector<uint32_t>& rows);
// Of a mapping between two versions that are known.
std::vector<v1::Problem> CheckCodeMap(const v1::CodeMap& map, const v1::CodeList& from,
                                      const v1::CodeList& to, const std::vector<uint32_t>& rows);

// Whether they say the same, whoever said it and when.
bool SameCodes(const v1::CodeList& a, const v1::CodeList& b);

struct CodeListChange {
  uint32_t added = 0;
  uint32_t removed = 0;
  uint32_t renamed = 0;
};
CodeListChange CompareCodes(const v1::CodeList& before, const v1::CodeList& after);

// Codes of one version in terms of another. What it is made from outlives it. Any thread.
class CodeMapping {
 public:
  // `map` may be of the other direction, or null where there is none: codes that both have stand
  // for themselves if they are versions of one list.
  CodeMapping(const v1::CodeList& from, const v1::CodeList& to, const v1::CodeMap* map);

  v1::MappedCode Of(absl::string_view code) const;

 private:
  struct Target {
    std::string code;
    std::string note;
  };
  bool same_list_;
  std::map<std::string, std::string> from_names_, to_names_;
  std::map<std::string, std::vector<Target>> targets_;
};

// Dictionaries of items that `find` does not know, as the rule `dictionary_known` weighs them, and
// closed ones.
std::vector<v1::Problem> CheckDictionariesOf(
    const v1::CatalogEntry& entry, const RulesOfDay& rules,
    const std::function<std::optional<v1::CodeList>(const std::string& key)>& find);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_CODE_LIST_H_
