// From one version of a code list to another over versions between, where no mapping stands between
// the two.
#ifndef GUANTONG_CATALOG_CODE_LIST_WAY_H_
#define GUANTONG_CATALOG_CODE_LIST_WAY_H_

#include <string>
#include <utility>
#include <vector>

#include "catalog/code_list.h"

namespace guantong {

// Keys from `from` to `to`, both included; empty: there is no way. `maps` are keys of mappings that
// are known, each serving in both directions. Between versions of one list a step may do without
// one; of all ways the one with the fewest such steps is taken, then the shortest, then the first
// by its keys. A way between versions of one list leaves it nowhere. At most kCodeListStepsMax
// steps.
std::vector<std::string> WayBetween(const std::vector<std::pair<std::string, std::string>>& maps,
                                    const std::string& from, const std::string& to);

inline constexpr size_t kCodeListStepsMax = 8;

// Codes of the first version in terms of the last.
class CodeWay {
 public:
  // `steps` lead along `keys`, one less of them.
  CodeWay(std::vector<CodeMapping> steps, std::vector<std::string> keys)
      : steps_(std::move(steps)), keys_(std::move(keys)) {}

  // The note says where a code ended or was lost.
  v1::MappedCode Of(const std::string& code) const;

 private:
  std::vector<CodeMapping> steps_;
  std::vector<std::string> keys_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_CODE_LIST_WAY_H_
