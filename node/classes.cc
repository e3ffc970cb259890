#include "node/classes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/division.h"
#include "catalog/row_findings.h"
#include "node/driver.h"
#include "node/level_facts.h"
#include "node/limits.h"

namespace guantong {
namespace {

absl::Status Unknown(const std::string& code) {
  return Error(absl::StatusCode::kNotFound, "class_unknown",
               absl::StrCat("没有分类 ", code, " (no such class)"), code,
               "见 guantong catalog classes (see the tree)");
}

bool SameClass(const v1::ClassNode& a, const v1::ClassNode& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace

std::shared_ptr<const ClassTree> Classes::Tree(const Reader& snapshot) {
  const std::vector<std::string> nodes = LevelsDownTo(directory_);
  const std::string heads = HeadsOf(snapshot, nodes, v1::FEED_KIND_CLASSES);
  std::lock_guard<std::mutex> lock(tree_mutex_);
  if (heads == tree_heads_) return tree_;
  std::vector<ClassSource> sources;
  for (const std::string& node : nodes) {
    sources.push_back(
        {.node_id = node,
         .is_root = node == site_.network(),
         .classes = FactsOf<v1::ClassNode>(snapshot, FeedOf(node, v1::FEED_KIND_CLASSES))});
  }
  tree_ = std::make_shared<ClassTree>(std::move(sources));
  tree_heads_ = heads;
  return tree_;
}

absl::Status Classes::Append(const std::vector<v1::ClassNode>& classes) {
  for (size_t begin = 0; begin < classes.size(); begin += kBatchRowsMax) {
    AppendRecords append = {.kind = v1::FEED_KIND_CLASSES};
    const size_t end = std::min(classes.size(), begin + kBatchRowsMax);
    for (size_t i = begin; i < end; ++i)
      append.records.emplace_back().set_class_node(classes[i].SerializeAsString());
    GT_RETURN_IF_ERROR(site_.driver->Write(std::move(append)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ImportClassesResponse> Classes::Import(const v1::ImportClassesRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::shared_ptr<const ClassTree> tree = Tree(*site_.store->Snapshot());
  std::vector<v1::ClassNode> classes;
  for (const v1::ClassNode& brought : request.classes()) {
    v1::ClassNode& node = classes.emplace_back();
    node.set_code(brought.code());
    node.set_name(brought.name());
    node.set_parent(brought.parent());
    // What a file cannot know.
    if (const v1::ClassNode* known = tree->Find(node.code()); known != nullptr) {
      node.set_closed(known->closed());
      node.set_successor(known->successor());
      node.set_delegate(known->delegate());
      node.set_delegate_path(known->delegate_path());
      node.set_delegate_division(known->delegate_division());
      node.set_delegate_turn(known->delegate_turn());
    }
  }
  const std::vector<v1::Problem> problems = CheckClasses(
      *tree, site_.node_id(), {request.rows().begin(), request.rows().end()}, &classes);
  const auto foreign =
      std::find_if(problems.begin(), problems.end(), [](const v1::Problem& problem) {
        return !problem.warning() && problem.element() == "not_delegated";
      });
  GT_RETURN_IF_ERROR(
      foreign == problems.end()
          ? RefuseRows(problems, absl::StatusCode::kInvalidArgument, "classes_invalid")
          : RefuseRows({*foreign}, absl::StatusCode::kPermissionDenied, "class_not_delegated"));
  v1::ImportClassesResponse response;
  std::vector<v1::ClassNode> news;
  for (v1::ClassNode& node : classes) {
    response.set_suspicious(response.suspicious() + (node.suspicious() ? 1 : 0));
    const v1::ClassNode* known = tree->Find(node.code());
    if (known != nullptr && SameClass(*known, node)) {
      response.set_same(response.same() + 1);
      continue;
    }
    (known == nullptr ? response.set_added(response.added() + 1)
                      : response.set_changed(response.changed() + 1));
    news.push_back(std::move(node));
  }
  for (const v1::Problem& problem : problems) {
    if (static_cast<size_t>(response.problems_size()) >= kProblemsListedMax) break;
    *response.add_problems() = problem;
  }
  if (!request.dry_run()) GT_RETURN_IF_ERROR(Append(news));
  return response;
}

absl::StatusOr<v1::ClassesResponse> Classes::List(const v1::ClassesRequest& request) {
  const std::shared_ptr<const ClassTree> tree = Tree(*site_.store->Snapshot());
  v1::ClassesResponse response;
  response.set_known(tree->size());
  if (!request.code().empty()) {
    const v1::ClassNode* node = tree->Find(request.code());
    if (node == nullptr) return Unknown(request.code());
    *response.mutable_class_() = *node;
    for (v1::ClassNode& above : tree->Ancestors(request.code()))
      *response.add_ancestors() = std::move(above);
  }
  const size_t limit = std::min<size_t>(
      request.limit() == 0 ? kClassesListedDefault : request.limit(), kClassesListedMax);
  for (v1::ClassNode& child :
       request.name().empty() ? tree->Children(request.code()) : tree->Named(request.name())) {
    if (child.code() <= request.page_token()) continue;
    if (static_cast<size_t>(response.children_size()) == limit) {
      response.set_next_page_token(response.children(response.children_size() - 1).code());
      break;
    }
    *response.add_children() = std::move(child);
  }
  return response;
}

absl::StatusOr<v1::ClassNode> Classes::OwnClass(const Reader& snapshot, const std::string& code) {
  const std::shared_ptr<const ClassTree> tree = Tree(snapshot);
  const v1::ClassNode* node = tree->Find(code);
  if (node == nullptr) return Unknown(code);
  if (tree->SaidBy(code) == site_.node_id()) return *node;
  return Error(absl::StatusCode::kPermissionDenied, "class_not_delegated",
               absl::StrCat("分类 ", code, " 不归本节点管理 (another node governs it)"), code,
               "请管理该分类的节点办理 (ask its governor)");
}

absl::StatusOr<v1::ClassNode> Classes::Delegate(const v1::DelegateClassRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(v1::ClassNode node, OwnClass(*snapshot, request.code()));
  const v1::ClassNode before = node;
  node.clear_delegate();
  node.clear_delegate_path();
  node.clear_delegate_division();
  // A division alone is hosted on this node.
  const bool here = request.to().empty() && !request.division().empty();
  const std::string path = here ? site_.path().text() : request.to();
  if (here || !path.empty()) {
    const std::vector<v1::TreeNode> nodes = directory_.Tree(*snapshot);
    const auto to = std::find_if(nodes.begin(), nodes.end(), [&](const v1::TreeNode& one) {
      return one.path() == path && absl::StartsWith(one.path(), site_.path().text());
    });
    if (to == nodes.end()) {
      return Error(absl::StatusCode::kNotFound, "node_unknown",
                   absl::StrCat("本节点以下没有节点 ", request.to(), " (no such node below here)"),
                   request.to(), "见 guantong tree (see the tree)");
    }
    node.set_delegate(to->node_id());
    node.set_delegate_path(to->path());
    if (!request.division().empty() && request.division() != to->division()) {
      if (!IsHostedDivision(request.division(), to->division())) {
        return Error(absl::StatusCode::kInvalidArgument, "division_not_hosted",
                     absl::StrCat("区划 ", request.division(), " 不在 ", to->name(), "（",
                                  to->division(), "）之下 (no division hosted on that node)"),
                     request.division(),
                     "核对六位区划代码；有自己节点的区划直接授权给它的节点 (check the code; a "
                     "division with a node of its own is delegated to by its path)");
      }
      const auto own = std::find_if(nodes.begin(), nodes.end(), [&](const v1::TreeNode& one) {
        return one.division() == request.division();
      });
      if (own != nodes.end()) {
        return Error(absl::StatusCode::kInvalidArgument, "division_not_hosted",
                     absl::StrCat("区划 ", request.division(), " 有自己的节点 ", own->path(),
                                  " (the division has a node of its own)"),
                     request.division(),
                     absl::StrCat("授权给它 (delegate to it): --to ", own->path()));
      }
      node.set_delegate_division(request.division());
    }
  }
  const std::shared_ptr<const ClassTree> tree = Tree(*snapshot);
  const bool same = node.delegate() == before.delegate() &&
                    node.delegate_division() == before.delegate_division();
  const uint32_t last = tree->LastTurn(node.code());
  if (node.delegate().empty()) node.set_delegate_turn(last);
  if (!node.delegate().empty() && !same) node.set_delegate_turn(last + 1);
  if (node.delegate_turn() > kDelegateTurnsMax) {
    return Error(absl::StatusCode::kFailedPrecondition, "delegates_exhausted",
                 absl::StrCat("分类 ", node.code(), " 已先后授权 ", kDelegateTurnsMax,
                              " 次，顺序号已分完 (no part of the serials is left)"),
                 node.code(),
                 "关闭它并指明接替者，授权接替者 (close it and delegate its successor): "
                 "guantong catalog classes close");
  }
  GT_RETURN_IF_ERROR(Append({node}));
  return node;
}

absl::StatusOr<v1::ClassNode> Classes::Close(const v1::CloseClassRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(v1::ClassNode node, OwnClass(*snapshot, request.code()));
  if (!request.successor().empty()) {
    const std::shared_ptr<const ClassTree> tree = Tree(*snapshot);
    const v1::ClassNode* successor = tree->Find(request.successor());
    if (successor == nullptr) return Unknown(request.successor());
    if (successor->closed() || successor->code() == node.code()) {
      return Error(absl::StatusCode::kInvalidArgument, "successor_closed",
                   absl::StrCat("接替的分类 ", successor->code(),
                                " 自身已关闭或就是它 (the successor is closed or the same)"),
                   successor->code(), "指明一个开放的分类 (name an open class)");
    }
  }
  node.set_closed(true);
  node.set_successor(request.successor());
  if (!request.reason().empty()) node.set_note(request.reason());
  GT_RETURN_IF_ERROR(Append({node}));
  return node;
}

}  // namespace guantong
