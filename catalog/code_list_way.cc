#include "catalog/code_list_way.h"

#include <map>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace guantong {
namespace {

std::string IdOf(const std::string& key) {
  const auto name = ParseCodeListKey(key);
  return name.has_value() ? name->id : "";
}

}  // namespace

std::vector<std::string> WayBetween(const std::vector<std::pair<std::string, std::string>>& maps,
                                    const std::string& from, const std::string& to) {
  const bool one_list = IdOf(from) == IdOf(to);
  std::map<std::string, std::set<std::string>> mapped;
  std::map<std::string, std::set<std::string>> versions;  // by id
  const auto add = [&](const std::string& key) {
    const std::string id = IdOf(key);
    if (!one_list || id == IdOf(from)) versions[id].insert(key);
  };
  add(from);
  add(to);
  for (const auto& [a, b] : maps) {
    add(a);
    add(b);
    mapped[a].insert(b);
    mapped[b].insert(a);
  }
  // Ordered as ways are preferred.
  using Way = std::tuple<size_t, size_t, std::vector<std::string>>;  // unmapped steps, steps, keys
  std::set<Way> open = {{0, 0, {from}}};
  std::set<std::string> done;
  while (!open.empty()) {
    const auto [unmapped, steps, keys] = *open.begin();
    open.erase(open.begin());
    const std::string& at = keys.back();
    if (at == to) return keys;
    if (!done.insert(at).second || steps == kCodeListStepsMax) continue;
    const auto go = [&, unmapped = unmapped, steps = steps, &keys = keys](const std::string& next,
                                                                          bool by_map) {
      if (done.count(next) > 0) return;
      std::vector<std::string> longer = keys;
      longer.push_back(next);
      open.insert({unmapped + (by_map ? 0 : 1), steps + 1, std::move(longer)});
    };
    for (const std::string& next : mapped[at]) {
      if (versions[IdOf(next)].count(next) > 0) go(next, true);
    }
    for (const std::string& next : versions[IdOf(at)]) {
      if (mapped[at].count(next) == 0) go(next, false);
    }
  }
  return {};
}

v1::MappedCode CodeWay::Of(const std::string& code) const {
  v1::MappedCode mapped;
  std::map<std::string, v1::CodeListItem> at;
  std::vector<std::string> lost;
  bool mapped_once = false, ended = false;
  for (size_t i = 0; i < steps_.size(); ++i) {
    std::map<std::string, v1::CodeListItem> next;
    std::vector<std::string> codes = {code};
    if (i > 0) {
      codes.clear();
      for (const auto& [one, item] : at) codes.push_back(one);
    }
    for (const std::string& one : codes) {
      const v1::MappedCode step = steps_[i].Of(one);
      if (i == 0) {
        mapped.set_from(step.from());
        mapped.set_from_name(step.from_name());
        if (step.by() == v1::MAPPED_BY_NO_CODE) return step;
      }
      mapped_once |= step.by() == v1::MAPPED_BY_MAP;
      if (step.to().empty()) {
        ended |= step.by() == v1::MAPPED_BY_ENDED;
        lost.push_back(absl::StrCat(keys_[i], " ", one, " → ", keys_[i + 1],
                                    step.by() == v1::MAPPED_BY_ENDED ? " 废止" : " 无对应",
                                    step.note().empty() ? "" : "：", step.note()));
      }
      for (const v1::CodeListItem& to : step.to()) next.emplace(to.code(), to);
    }
    at = std::move(next);
  }
  for (auto& [one, item] : at) *mapped.add_to() = std::move(item);
  mapped.set_by(at.empty()    ? (ended ? v1::MAPPED_BY_ENDED : v1::MAPPED_BY_NOTHING)
                : mapped_once ? v1::MAPPED_BY_MAP
                              : v1::MAPPED_BY_SAME_CODE);
  mapped.set_note(absl::StrJoin(lost, "；"));
  return mapped;
}

}  // namespace guantong
