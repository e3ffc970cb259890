#include "node/code_lists.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/row_findings.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/level_facts.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr char kCodeListCall[] = "code_list";

absl::Status Unknown(const std::string& key) {
  return Error(absl::StatusCode::kNotFound, "code_list_unknown",
               absl::StrCat("没有字典 ", key, " (no such code list)"), key,
               "见 guantong codelist list；别的分支的字典加 --at 节点路径 (see codelist list)");
}

std::optional<v1::CodeList> FactAt(const Reader& snapshot, const std::string& node_id,
                                   const std::string& key) {
  std::string bytes;
  v1::CodeList fact;
  const FeedKey feed = FeedOf(node_id, v1::FEED_KIND_CODE_LISTS);
  if (!snapshot.Get(EntryKey(feed, key), &bytes).ok() || !fact.ParseFromString(bytes))
    return std::nullopt;
  return fact;
}

// By path from the root down, then what is said first.
bool ByKey(const v1::HeldCodeList& a, const v1::HeldCodeList& b) {
  if (a.list().id() != b.list().id()) return a.list().id() < b.list().id();
  if (a.list().version() != b.list().version())
    return EarlierVersion(a.list().version(), b.list().version());
  return a.path() < b.path();
}

}  // namespace

absl::StatusOr<size_t> CodeLists::PageStart(const std::string& token, size_t size) {
  size_t start = 0;
  if (token.empty()) return start;
  if (absl::SimpleAtoi(token, &start) && start <= size) return start;
  return Error(absl::StatusCode::kInvalidArgument, "page_token_malformed",
               absl::StrCat("翻页标记不对：", token, " (the page token is not one of ours)"),
               token);
}

void CodeLists::Register() {
  calls_.Serve(kCodeListCall,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 v1::ShowCodeListRequest request;
                 if (!request.ParseFromString(call.body())) return Unknown("");
                 GT_ASSIGN_OR_RETURN(const v1::ShowCodeListResponse shown, ShowHere(request));
                 return shown.SerializeAsString();
               });
}

std::vector<v1::TreeNode> CodeLists::Levels() const {
  std::vector<v1::TreeNode> levels(directory_.ancestors().rbegin(), directory_.ancestors().rend());
  levels.push_back(directory_.self());
  return levels;
}

std::optional<CodeLists::Said> CodeLists::FindSaid(const Reader& snapshot,
                                                   const std::string& key) const {
  for (v1::TreeNode& level : Levels()) {
    if (auto fact = FactAt(snapshot, level.node_id(), key))
      return Said{.fact = *std::move(fact), .by = std::move(level)};
  }
  return std::nullopt;
}

std::optional<v1::CodeList> CodeLists::Find(const Reader& snapshot, const std::string& key) const {
  std::optional<Said> said = FindSaid(snapshot, key);
  if (!said.has_value()) return std::nullopt;
  return std::move(said->fact);
}

std::vector<CodeLists::Said> CodeLists::VersionsOf(const Reader& snapshot,
                                                   const std::string& id) const {
  std::map<std::string, Said> versions;
  for (const v1::TreeNode& level : Levels()) {
    const std::string prefix =
        EntryKey(FeedOf(level.node_id(), v1::FEED_KIND_CODE_LISTS), CodeListKey(id, ""));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      v1::CodeList fact;
      if (!fact.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) ||
          fact.has_map()) {
        continue;
      }
      const std::string version = fact.version();
      versions.emplace(version, Said{.fact = std::move(fact), .by = level});
    }
  }
  std::vector<Said> sorted;
  for (auto& [version, said] : versions) sorted.push_back(std::move(said));
  std::sort(sorted.begin(), sorted.end(), [](const Said& a, const Said& b) {
    return EarlierVersion(a.fact.version(), b.fact.version());
  });
  return sorted;
}

absl::StatusOr<CodeLists::Said> CodeLists::Resolve(const Reader& snapshot,
                                                   const std::string& key) const {
  if (ParseCodeListKey(key).has_value()) {
    std::optional<Said> said = FindSaid(snapshot, key);
    if (!said.has_value()) return Unknown(key);
    return *std::move(said);
  }
  std::vector<Said> versions = VersionsOf(snapshot, key);
  if (versions.empty()) return Unknown(key);
  const auto open = std::find_if(versions.rbegin(), versions.rend(),
                                 [](const Said& said) { return !said.fact.closed(); });
  return open == versions.rend() ? std::move(versions.back()) : std::move(*open);
}

v1::HeldCodeList CodeLists::HeldOf(const Said& said, bool above) const {
  v1::HeldCodeList held;
  *held.mutable_list() = said.fact;
  held.mutable_list()->clear_items();
  held.set_items(static_cast<uint32_t>(said.fact.items_size()));
  held.set_path(said.by.path());
  held.set_node_name(said.by.name());
  held.set_above(above);
  return held;
}

absl::Status CodeLists::Append(const v1::CodeList& fact) {
  AppendRecords append = {.kind = v1::FEED_KIND_CODE_LISTS};
  append.records.emplace_back().set_code_list(fact.SerializeAsString());
  return site_.driver->Write(std::move(append)).status();
}

// Nobody at, above or below this node says otherwise. What a branch beside this one calls so is its
// own business.
absl::Status CodeLists::CheckFree(const Reader& snapshot, const v1::CodeList& list) const {
  std::set<std::string> asked;
  std::vector<v1::TreeNode> nodes = Levels();
  for (v1::TreeNode& node : directory_.Tree(snapshot)) {
    const absl::StatusOr<NodePath> path = NodePath::Parse(node.path());
    if (path.ok() && site_.path().Contains(*path)) nodes.push_back(std::move(node));
  }
  for (const v1::TreeNode& node : nodes) {
    if (!asked.insert(node.node_id()).second) continue;
    const auto fact = FactAt(snapshot, node.node_id(), list.key());
    if (!fact.has_value() || SameCodes(*fact, list)) continue;
    return Error(absl::StatusCode::kAlreadyExists, "code_list_exists",
                 absl::StrCat("字典 ", list.key(), " 已由 ", node.name(), "（",
                              DisplayPath(NodePath::Parse(node.path()).value_or(NodePath())),
                              "）发布，内容不同；已发布的版本不改 (published with other codes)"),
                 list.key(), "换一个版本号再导入 (import it as another version): --version");
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ImportCodeListResponse> CodeLists::Import(
    const v1::ImportCodeListRequest& request) {
  v1::CodeList list;
  list.set_id(request.list().id());
  list.set_version(request.list().version());
  list.set_name(request.list().name());
  list.set_standard(request.list().standard());
  *list.mutable_items() = request.list().items();
  list.set_key(CodeListKey(list.id(), list.version()));
  const std::vector<uint32_t> rows(request.rows().begin(), request.rows().end());
  const std::vector<v1::Problem> problems = CheckCodeList(list, rows);
  GT_RETURN_IF_ERROR(RefuseRows(problems, absl::StatusCode::kInvalidArgument, "code_list_invalid"));

  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_RETURN_IF_ERROR(CheckFree(*snapshot, list));
  v1::ImportCodeListResponse response;
  for (const v1::Problem& problem : problems) {
    if (static_cast<size_t>(response.problems_size()) >= kProblemsListedMax) break;
    *response.add_problems() = problem;
  }
  for (const Said& said : VersionsOf(*snapshot, list.id())) {
    if (!EarlierVersion(said.fact.version(), list.version())) continue;
    const CodeListChange change = CompareCodes(said.fact, list);
    response.set_previous(said.fact.key());
    response.set_added(change.added);
    response.set_removed(change.removed);
    response.set_renamed(change.renamed);
  }
  if (response.previous().empty()) response.set_added(static_cast<uint32_t>(list.items_size()));
  if (const auto there = FindSaid(*snapshot, list.key())) {
    response.set_same(true);
    *response.mutable_list() = HeldOf(*there);
    return response;
  }
  *list.mutable_published_at() = TimestampOf(absl::Now());
  *response.mutable_list() = HeldOf({.fact = list, .by = directory_.self()});
  if (!request.dry_run()) GT_RETURN_IF_ERROR(Append(list));
  return response;
}

absl::StatusOr<v1::ListCodeListsResponse> CodeLists::List(
    const v1::ListCodeListsRequest& request) const {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  std::vector<v1::TreeNode> nodes = Levels();
  const size_t levels = nodes.size();
  if (request.all()) {
    for (v1::TreeNode& node : directory_.Tree(*snapshot)) {
      const bool level =
          std::any_of(nodes.begin(), nodes.begin() + static_cast<long>(levels),
                      [&](const auto& one) { return one.node_id() == node.node_id(); });
      if (!level) nodes.push_back(std::move(node));
    }
  }
  std::vector<v1::HeldCodeList> lists;
  v1::ListCodeListsResponse response;
  std::set<std::string> seen;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const std::string prefix = EntryPrefix(FeedOf(nodes[i].node_id(), v1::FEED_KIND_CODE_LISTS));
    const auto cursor = snapshot->Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      Said said{.fact = {}, .by = nodes[i]};
      if (!said.fact.ParseFromArray(cursor->value().data(),
                                    static_cast<int>(cursor->value().size()))) {
        continue;
      }
      // What a level above says the same is not said twice.
      const bool fresh = i >= levels || seen.insert(said.fact.key()).second;
      if (!fresh) continue;
      if (said.fact.has_map()) {
        if (!request.page_token().empty() || !request.id().empty()) continue;
        v1::HeldCodeMap* map = response.add_maps();
        map->set_from(said.fact.map().from());
        map->set_to(said.fact.map().to());
        map->set_pairs(static_cast<uint32_t>(said.fact.map().pairs_size()));
        map->set_path(nodes[i].path());
        map->set_node_name(nodes[i].name());
      } else if (request.id().empty() || said.fact.id() == request.id()) {
        lists.push_back(HeldOf(said, i < levels));
      }
    }
    GT_RETURN_IF_ERROR(cursor->status());
  }
  std::sort(lists.begin(), lists.end(), ByKey);
  GT_ASSIGN_OR_RETURN(const size_t start, PageStart(request.page_token(), lists.size()));
  const size_t end = std::min(lists.size(), start + kCodeListsListedMax);
  for (size_t i = start; i < end; ++i) *response.add_lists() = std::move(lists[i]);
  if (end < lists.size()) response.set_next_page_token(absl::StrCat(end));
  return response;
}

absl::StatusOr<v1::ShowCodeListResponse> CodeLists::Show(const v1::ShowCodeListRequest& request,
                                                         absl::Time deadline) {
  if (request.at().empty() || request.at() == site_.path().text()) return ShowHere(request);
  GT_ASSIGN_OR_RETURN(const NodePath at, NodePath::Parse(request.at()));
  const CallAnswer answer = calls_.Ask({.target = at.text(),
                                        .method = kCodeListCall,
                                        .body = request.SerializeAsString(),
                                        .budget = deadline - absl::Now()});
  GT_RETURN_IF_ERROR(answer.status);
  v1::ShowCodeListResponse shown;
  if (!shown.ParseFromString(answer.body)) return Unknown(request.key());
  return shown;
}

absl::StatusOr<v1::ShowCodeListResponse> CodeLists::ShowHere(
    const v1::ShowCodeListRequest& request) const {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Said said, Resolve(*snapshot, request.key()));
  v1::ShowCodeListResponse response;
  *response.mutable_list() = HeldOf(said);
  for (const Said& version : VersionsOf(*snapshot, said.fact.id()))
    response.add_versions(version.fact.version());
  v1::CodeList* shown = response.mutable_list()->mutable_list();
  if (!request.code().empty()) {
    std::map<std::string, const v1::CodeListItem*> by_code;
    for (const v1::CodeListItem& item : said.fact.items()) by_code[item.code()] = &item;
    std::vector<const v1::CodeListItem*> way;
    for (auto it = by_code.find(request.code()); it != by_code.end() && way.size() < by_code.size();
         it = by_code.find(it->second->parent())) {
      way.push_back(it->second);
    }
    if (way.empty()) {
      return Error(absl::StatusCode::kNotFound, "code_unknown",
                   absl::StrCat("字典 ", said.fact.key(), " 没有代码 ", request.code(),
                                " (no such code in it)"),
                   request.code(),
                   absl::StrCat("见 (see) guantong codelist show ", said.fact.key()));
    }
    for (auto item = way.rbegin(); item != way.rend(); ++item) *shown->add_items() = **item;
    return response;
  }
  const size_t limit = std::min<size_t>(
      request.limit() == 0 ? kClassesListedDefault : request.limit(), kClassesListedMax);
  const auto size = static_cast<size_t>(said.fact.items_size());
  GT_ASSIGN_OR_RETURN(const size_t start, PageStart(request.page_token(), size));
  const size_t end = std::min(size, start + limit);
  for (size_t i = start; i < end; ++i) *shown->add_items() = said.fact.items(static_cast<int>(i));
  if (end < size) response.set_next_page_token(absl::StrCat(end));
  return response;
}

absl::StatusOr<v1::HeldCodeList> CodeLists::Close(const v1::CloseCodeListRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  std::optional<Said> said;
  if (ParseCodeListKey(request.key()).has_value()) said = FindSaid(*snapshot, request.key());
  if (!said.has_value()) return Unknown(request.key());
  if (said->by.node_id() != site_.node_id()) {
    return Error(absl::StatusCode::kPermissionDenied, "not_your_code_list",
                 absl::StrCat("字典 ", request.key(), " 由 ", said->by.name(),
                              " 发布 (another node has published it)"),
                 request.key(), "请发布的节点停用 (ask the node that published it)");
  }
  if (!request.successor().empty()) {
    const auto successor = FindSaid(*snapshot, request.successor());
    if (!successor.has_value() || successor->fact.has_map()) return Unknown(request.successor());
    if (successor->fact.closed() || request.successor() == request.key()) {
      return Error(absl::StatusCode::kInvalidArgument, "successor_closed",
                   absl::StrCat("接替的 ", request.successor(),
                                " 自身已停用或就是它 (the successor is closed or the same)"),
                   request.successor(), "指明一个现行版本 (name a version in force)");
    }
  }
  said->fact.set_closed(true);
  said->fact.set_successor(request.successor());
  said->fact.set_note(request.reason());
  GT_RETURN_IF_ERROR(Append(said->fact));
  return HeldOf(*said);
}

}  // namespace guantong
