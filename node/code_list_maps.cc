// Mappings between versions: said, and asked over those between.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/row_findings.h"
#include "node/clock.h"
#include "node/code_lists.h"
#include "node/level_facts.h"
#include "node/limits.h"

namespace guantong {

absl::StatusOr<v1::ImportCodeMapResponse> CodeLists::ImportMap(
    const v1::ImportCodeMapRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Said from, Resolve(*snapshot, request.map().from()));
  GT_ASSIGN_OR_RETURN(const Said to, Resolve(*snapshot, request.map().to()));
  v1::CodeList fact;
  *fact.mutable_map() = request.map();
  fact.mutable_map()->set_from(from.fact.key());
  fact.mutable_map()->set_to(to.fact.key());
  fact.set_key(CodeMapKey(from.fact.key(), to.fact.key()));
  const std::vector<uint32_t> rows(request.rows().begin(), request.rows().end());
  const std::vector<v1::Problem> problems = CheckCodeMap(fact.map(), from.fact, to.fact, rows);
  GT_RETURN_IF_ERROR(RefuseRows(problems, absl::StatusCode::kInvalidArgument, "code_map_invalid"));
  v1::ImportCodeMapResponse response;
  response.set_key(fact.key());
  response.set_pairs(static_cast<uint32_t>(fact.map().pairs_size()));
  const CodeMapping mapping(from.fact, to.fact, &fact.map());
  for (const v1::CodeListItem& item : from.fact.items()) {
    if (mapping.Of(item.code()).by() != v1::MAPPED_BY_NOTHING) continue;
    response.set_unmapped(response.unmapped() + 1);
    if (static_cast<size_t>(response.unmapped_codes_size()) < kProblemsListedMax)
      response.add_unmapped_codes(item.code());
  }
  if (const auto there = FindSaid(*snapshot, fact.key())) {
    response.set_same(there->fact.map().SerializeAsString() == fact.map().SerializeAsString());
    if (!response.same() && there->by.node_id() != site_.node_id()) {
      return Error(absl::StatusCode::kAlreadyExists, "code_map_exists",
                   absl::StrCat("映射 ", fact.key(), " 已由 ", there->by.name(),
                                " 发布 (a level above has published it)"),
                   fact.key(), "请发布的节点更正 (ask the node that published it)");
    }
  }
  *fact.mutable_published_at() = TimestampOf(absl::Now());
  if (!request.dry_run() && !response.same()) GT_RETURN_IF_ERROR(Append(fact));
  return response;
}

std::vector<std::pair<std::string, std::string>> CodeLists::MapsKnown(
    const Reader& snapshot) const {
  std::vector<std::pair<std::string, std::string>> maps;
  for (const v1::TreeNode& level : Levels()) {
    const std::string prefix = EntryPrefix(FeedOf(level.node_id(), v1::FEED_KIND_CODE_LISTS));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      const std::pair<std::string, std::string> ends =
          absl::StrSplit(cursor->key().substr(prefix.size()), absl::MaxSplits('>', 1));
      if (!ends.second.empty()) maps.push_back(ends);
    }
  }
  return maps;
}

absl::StatusOr<CodeWay> CodeLists::WayOf(const Reader& snapshot,
                                         const std::vector<std::string>& keys) const {
  std::vector<CodeMapping> steps;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    GT_ASSIGN_OR_RETURN(const Said from, Resolve(snapshot, keys[i]));
    GT_ASSIGN_OR_RETURN(const Said to, Resolve(snapshot, keys[i + 1]));
    std::optional<Said> map = FindSaid(snapshot, CodeMapKey(keys[i], keys[i + 1]));
    if (!map.has_value()) map = FindSaid(snapshot, CodeMapKey(keys[i + 1], keys[i]));
    steps.emplace_back(from.fact, to.fact, map.has_value() ? &map->fact.map() : nullptr);
  }
  return CodeWay(std::move(steps), keys);
}

absl::StatusOr<v1::MapCodesResponse> CodeLists::Map(const v1::MapCodesRequest& request) const {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Said from, Resolve(*snapshot, request.from()));
  GT_ASSIGN_OR_RETURN(const Said to, Resolve(*snapshot, request.to()));
  std::vector<std::string> keys = {from.fact.key(), to.fact.key()};
  if (from.fact.key() != to.fact.key()) {
    keys = WayBetween(MapsKnown(*snapshot), from.fact.key(), to.fact.key());
  }
  if (keys.empty()) {
    return Error(absl::StatusCode::kNotFound, "code_map_unknown",
                 absl::StrCat("没有 ", from.fact.key(), " 到 ", to.fact.key(),
                              " 的映射，也没有经过别的字典的 (no mapping between them, nor over "
                              "others)"),
                 CodeMapKey(from.fact.key(), to.fact.key()),
                 "由节点运维导入 (import one): guantong codelist map FROM TO --import FILE");
  }
  GT_ASSIGN_OR_RETURN(const CodeWay way, WayOf(*snapshot, keys));
  v1::MapCodesResponse response;
  response.set_from(from.fact.key());
  response.set_to(to.fact.key());
  std::vector<std::string> codes(request.codes().begin(), request.codes().end());
  if (codes.empty()) {
    for (const v1::CodeListItem& item : from.fact.items()) codes.push_back(item.code());
  }
  GT_ASSIGN_OR_RETURN(const size_t start, PageStart(request.page_token(), codes.size()));
  if (start == 0) {
    for (size_t i = 1; i + 1 < keys.size(); ++i) response.add_via(keys[i]);
  }
  const size_t end = std::min(codes.size(), start + kClassesListedMax);
  for (size_t i = start; i < end; ++i) *response.add_codes() = way.Of(codes[i]);
  if (end < codes.size()) response.set_next_page_token(absl::StrCat(end));
  return response;
}

}  // namespace guantong
