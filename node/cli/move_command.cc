// move: a node takes another place, with all that is below it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/signature.h"
#include "catalog/base/status.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/config.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

struct MoveOptions {
  std::string dir;
  std::string join;
  std::string token;
};

// The operator's profile names the network: that of the new place.
absl::Status RenewAdmin(const std::string& dir) {
  const std::string file = absl::StrCat(dir, "/admin.yaml");
  absl::StatusOr<Profile> admin = LoadProfile(file);
  if (!admin.ok()) return absl::OkStatus();  // kept elsewhere; the old one is good at its own node
  GT_ASSIGN_OR_RETURN(const Identity identity, LoadIdentity(dir));
  GT_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::FromPem(admin->key_pem));
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain chain,
                      IssueProfile(identity, CertificateRole::kOperator, "",
                                   DisplayPath(identity.self.path), key.public_key()));
  admin->network = identity.self.network;
  admin->certificate_pem = ChainToPem(chain);
  return SaveProfile(file, *admin);
}

absl::Status RunMove(const Invocation& invocation, const MoveOptions& options) {
  GT_ASSIGN_OR_RETURN(const NodeConfig config, LoadConfig(options.dir));
  GT_RETURN_IF_ERROR(ParseHostPort(options.join).status());
  GT_ASSIGN_OR_RETURN(const std::string path,
                      MoveIdentity(options.dir, options.join, options.token, config.division,
                                   config.name, config.level));
  GT_RETURN_IF_ERROR(RenewAdmin(options.dir));
  const nlohmann::ordered_json document = {
      {"dir", options.dir}, {"path", path}, {"parent", options.join}};
  Table table = Facts();
  table.Add({Text("新位置", "stands now at"), absl::StrCat("/", path)});
  table.Add({Text("上级", "parent"), options.join});
  Emit(invocation, document, table);
  Say(Text("运行中的节点会自行换到新位置，停着的节点启动即可；下级自动换发证书",
           "a running node takes its new place by itself, a stopped one when it is started; those "
           "below are renewed by themselves"));
  return absl::OkStatus();
}

}  // namespace

void AddMove(CLI::App* app, Invocation* invocation) {
  auto* move = app->add_subcommand(
      "move", Text("连同全部下级迁到另一上级，或带整个分支加入网络",
                   "take another place below a parent, or join a network, with all that is below"));
  const auto options = std::make_shared<MoveOptions>();
  move->add_option("--dir", options->dir, Text("节点目录", "the node's folder"))->required();
  move->add_option("--join", options->join, Text("新上级的地址", "address of the new parent"))
      ->required();
  move->add_option("--token", options->token, Text("新上级给的令牌", "the new parent's token"))
      ->required();
  move->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunMove(*invocation, *options); };
  });
}

}  // namespace guantong
