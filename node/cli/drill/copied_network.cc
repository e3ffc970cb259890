#include "node/cli/drill/copied_network.h"

#include <poll.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/cli/drill/loopback_port.h"
#include "node/identity/identity.h"
#include "node/language.h"
#include "node/upkeep/backup_folder.h"
#include "node/upkeep/restore.h"

namespace guantong {
namespace {

constexpr int kLookMs = 50;
constexpr absl::Duration kUpWithin = absl::Seconds(60);
constexpr char kNobody[] =
    "127.0.0.1:9";  // the discard port: a parent that is not part of the copy

std::string ReadText(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string LastLine(const std::string& file) {
  const std::vector<std::string> lines = absl::StrSplit(ReadText(file), '\n', absl::SkipEmpty());
  return lines.empty() ? "" : lines.back();
}

}  // namespace

void CopiedNetwork::Wait() { ::poll(nullptr, 0, kLookMs); }

absl::Status CopiedNetwork::Stuck(const char* what) const {
  return Error(absl::StatusCode::kDeadlineExceeded, "drill_stuck",
               absl::StrCat(Text("等不到：", "waited in vain until "), what), scratch_,
               Text("查看该目录下各节点的 log", "see the logs of the nodes in that folder"));
}

absl::Status CopiedNetwork::Add(const std::string& backups) {
  auto node = std::make_unique<CopiedNode>();
  node->backups = backups;
  node->dir = absl::StrCat(scratch_, "/node-", nodes_.size());
  GT_ASSIGN_OR_RETURN(const Restored restored,
                      RestoreNode({.dir = node->dir, .from = backups, .unmarked = true}, nullptr));
  node->path = restored.backup.path();
  node->name = restored.backup.name();
  GT_ASSIGN_OR_RETURN(node->port, FreeLoopbackPort());
  const std::string address = absl::StrCat("127.0.0.1:", node->port);
  GT_ASSIGN_OR_RETURN(Profile profile, LoadProfile(node->dir + "/admin.yaml"));
  profile.node = address;
  // Beside the folder, which a restore replaces.
  node->profile = node->dir + "-operator.yaml";
  GT_RETURN_IF_ERROR(SaveProfile(node->profile, profile));
  node->environment = {{"GUANTONG_LISTEN", address},
                       {"GUANTONG_ADVERTISE", address},
                       {"GUANTONG_APPROVALS", "0"},
                       {"GUANTONG_DATA_DIR", "store"}};
  if (!node->path.empty()) node->environment["GUANTONG_PARENT"] = kNobody;
  nodes_.push_back(std::move(node));
  return absl::OkStatus();
}

absl::Status CopiedNetwork::StartOne(CopiedNode* node) {
  GT_RETURN_IF_ERROR(node->daemon.Start({ProgramFolder() + "/guantongd", "--dir", node->dir},
                                        node->environment, node->dir + ".out", node->dir + ".log"));
  GT_RETURN_IF_ERROR(Until("a node answers", kUpWithin, [&] {
    return node->daemon.Ended() || Do(node->profile, {"status"}).ok();
  }));
  if (!node->daemon.Ended()) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "drill_node_ended",
               absl::StrCat(node->name, Text(" 的副本已退出：", ", its copy, has ended: "),
                            LastLine(node->dir + ".log")),
               node->dir, Text("查看该目录旁的 log", "see the log beside that folder"));
}

absl::Status CopiedNetwork::Start() {
  std::sort(nodes_.begin(), nodes_.end(),
            [](const auto& a, const auto& b) { return a->path.size() < b->path.size(); });
  for (const auto& node : nodes_) {
    const size_t slash = node->path.rfind('/');
    const std::string above = slash == std::string::npos ? "" : node->path.substr(0, slash);
    for (const auto& other : nodes_) {
      if (node->path.empty() || other->path != above) continue;
      node->parent = other.get();
      GT_ASSIGN_OR_RETURN(const uint16_t port, FreeLoopbackPort());
      GT_ASSIGN_OR_RETURN(node->uplink, SeveredLink::Make(port, other->port));
      node->environment["GUANTONG_PARENT"] = absl::StrCat("127.0.0.1:", port);
    }
    GT_RETURN_IF_ERROR(StartOne(node.get()));
  }
  for (const auto& node : nodes_) {
    if (node->parent == nullptr) continue;
    GT_RETURN_IF_ERROR(Until("a copied node sees its parent", kUpWithin, [&] {
      const auto status = Do(node->profile, {"status"});
      return status.ok() && status->contains("parent") && status->at("parent").at("state") == "up";
    }));
  }
  return absl::OkStatus();
}

absl::StatusOr<nlohmann::json> CopiedNetwork::Do(const std::string& profile,
                                                 const std::vector<std::string>& arguments,
                                                 const std::string& thread) {
  std::vector<std::string> all = {ProgramFolder() + "/guantong", "--profile", profile, "-o",
                                  "json"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const std::string out = absl::StrCat(scratch_, "/out", thread);
  const std::string log = absl::StrCat(scratch_, "/log", thread);
  ChildProcess child;
  GT_RETURN_IF_ERROR(child.Start(all, {}, out, log));
  const int exit = child.Wait();
  nlohmann::json document =
      nlohmann::json::parse(ReadText(out), nullptr, /*allow_exceptions=*/false);
  if (exit == 0 && !document.is_discarded()) return document;
  return Error(absl::StatusCode::kInternal, "drill_step_failed",
               absl::StrCat("guantong ", arguments[0], ": ", LastLine(log)), scratch_);
}

CopiedNode* CopiedNetwork::provider() const {
  CopiedNode* lowest = nullptr;
  for (const auto& node : nodes_) {
    if (lowest == nullptr || node->path.size() > lowest->path.size()) lowest = node.get();
  }
  return lowest;
}

absl::StatusOr<CopiedNetwork::Editor> CopiedNetwork::MakeEditor(const CopiedNode& node) {
  GT_ASSIGN_OR_RETURN(const nlohmann::json status, Do(node.profile, {"status"}));
  if (status.at("departments").empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "drill_no_department",
                 absl::StrCat(node.name, Text(" 没有部门，无法演练推送",
                                              " has no department, so nothing can be pushed")),
                 node.path, Text("先在该节点 department add", "add a department there first"));
  }
  Editor editor{.profile = node.dir + "-editor.yaml",
                .name = status.at("departments")[0].at("name"),
                .uscc = status.at("departments")[0].at("uscc")};
  // The copy has the node's own key, so it can speak for its departments; only to itself.
  GT_ASSIGN_OR_RETURN(const Identity identity, LoadIdentity(node.dir));
  GT_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate());
  GT_ASSIGN_OR_RETURN(
      const v1::CertificateChain chain,
      IssueProfile(identity, CertificateRole::kEditor, editor.uscc, editor.name, key.public_key()));
  GT_RETURN_IF_ERROR(SaveProfile(editor.profile, {.node = absl::StrCat("127.0.0.1:", node.port),
                                                  .network = identity.self.network,
                                                  .node_id = identity.self.node_id,
                                                  .role = "editor",
                                                  .uscc = editor.uscc,
                                                  .certificate_pem = ChainToPem(chain),
                                                  .key_pem = key.ToPem()}));
  return editor;
}

}  // namespace guantong
