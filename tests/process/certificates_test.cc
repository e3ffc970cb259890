// Who may say what: certificates that expired, belong to another network, another branch or another
// department. The side that refuses names certificate, check and remedy; the side refused hears the
// same from its own status and doctor.
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "guantong/v1/node.grpc.pb.h"
#include "node/identity/identity.h"
#include "relay/grpc/wire_status.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

struct Claim {
  CertificateRole role = CertificateRole::kTls;
  std::string path;
  std::string node_id;
  std::string uscc;
  absl::Time not_after = absl::Now() + absl::Hours(1);
};

// A certificate for a new key, signed by a node that is free to sign anything.
Credentials Forge(const Identity& issuer, const Claim& claim) {
  const SigningKey key = *SigningKey::Generate();
  const auto der = IssueCertificate({.role = claim.role,
                                     .path = *NodePath::Parse(claim.path),
                                     .node_id = claim.node_id,
                                     .uscc = claim.uscc,
                                     .common_name = "forged",
                                     .public_key = key.public_key(),
                                     .not_before = absl::Now() - absl::Hours(2),
                                     .not_after = claim.not_after},
                                    issuer.signing_key, issuer.chain.certificates(0));
  v1::CertificateChain chain;
  chain.add_certificates(*der);
  chain.MergeFrom(issuer.chain);
  return {key.ToPem(), ChainToPem(chain)};
}

std::string ProfileWith(const Folder& folder, const Node& node, const Identity& identity,
                        const Credentials& credentials) {
  const std::string file = folder.path() + "/forged.yaml";
  const absl::Status saved = SaveProfile(file, {.node = node.address(),
                                                .network = identity.self.network,
                                                .node_id = identity.self.node_id,
                                                .role = "editor",
                                                .certificate_pem = credentials.chain_pem,
                                                .key_pem = credentials.key_pem});
  if (!saved.ok()) throw std::runtime_error(saved.ToString());
  return file;
}

// By the newest refusal of its status, and by its log.
void CheckTold(Node& node, const std::string& check) {
  const auto refusal = node.Status().at("refusals").at(0);
  INFO(refusal.dump());
  CHECK(refusal.at("check") == check);
  CHECK(refusal.at("by_us") == true);
  CHECK(absl::StrContains(refusal.at("certificate").get<std::string>(), "sha256"));
  CHECK(!refusal.at("text").get<std::string>().empty());
  CHECK(!refusal.at("remedy").get<std::string>().empty());
  const std::string log = node.LogText();
  CHECK(absl::StrContains(log, check));
}

absl::Status AskStatus(const Node& node, const Credentials& credentials) {
  const auto stub = v1::NodeService::NewStub(ChannelTo(node, credentials));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::StatusResponse response;
  return FromGrpc(stub->Status(&context, v1::StatusRequest(), &response));
}

TEST_CASE("profiles: expired, of another network, of another node, of another role") {
  Network network(OneNode());
  Network other(OneNode());
  Node& node = network["000000"];
  Node& child = network.AddNode({"630000", "青海省", "province", "000000"});
  const Client editor = node.Editor();
  const Identity identity = *LoadIdentity(node.dir());

  const Credentials expired = Forge(identity, {.role = CertificateRole::kEditor,
                                               .node_id = identity.self.node_id,
                                               .uscc = editor.uscc(),
                                               .not_after = absl::Now() - absl::Hours(1)});
  const Client late(ProfileWith(network.folder(), node, identity, expired), editor.department(),
                    editor.uscc());
  const Outcome refused = late.Try({"status"});
  INFO(refused.Text());
  CHECK(refused.exit_status == 4);
  CHECK(ReasonOf(refused) == "certificate_expired");
  CHECK(!ErrorOf(refused).value("remedy", "").empty());
  CheckTold(node, "certificate_expired");

  const Credentials foreign = CredentialsOfProfile(other["000000"].Operator().profile());
  CHECK(DetailOf(AskStatus(node, foreign)).reason == "foreign_network");
  CheckTold(node, "foreign_network");
  // The command line does not even ask a node its profile does not name.
  const Client misled(ProfileWith(network.folder(), other["000000"], identity,
                                  CredentialsOfProfile(editor.profile())),
                      "", "");
  const Outcome lost = misled.Try({"status"});
  CHECK(lost.exit_status == 4);
  CHECK(ReasonOf(lost) == "foreign_network");

  CHECK(DetailOf(AskStatus(node, CredentialsOfProfile(child.Operator().profile()))).reason ==
        "other_node");
  CheckTold(node, "other_node");

  const Outcome invite = editor.Try({"invite", "--division", "140000", "--name", "山西省"});
  CHECK(invite.exit_status == 4);
  CHECK(ReasonOf(invite) == "role_not_allowed");
  CheckTold(node, "role_not_allowed");
}

TEST_CASE("a department pushes and publishes for itself alone") {
  Network network(OneNode());
  Node& node = network["000000"];
  const Client owner = node.Editor();
  const Client other = node.AddDepartment("000000", "另一部门");
  const std::string code = owner.Publish(CodeAndName("名录"), network.folder().path());
  const std::string rows = network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"));
  for (const Client& stranger : {other, node.Operator()}) {
    const Outcome refused = stranger.Try({"push", code, rows});
    INFO(refused.Text());
    CHECK(refused.exit_status == 4);
    CHECK(!ErrorOf(refused).value("remedy", "").empty());
  }
  CHECK(ReasonOf(other.Try({"push", code, rows})) == "not_your_entry");
  CHECK(ReasonOf(other.Try({"catalog", "withdraw", code})) == "not_your_entry");
  const std::string theirs = network.folder().File(
      "theirs.yaml", EntryYaml(CodeAndName("冒名"), owner.department(), owner.uscc()));
  const Outcome forged = other.Try({"catalog", "register", theirs});
  CHECK(forged.exit_status != 0);
  CHECK(owner.LocalRows(code) == 0);
  CHECK(owner.Do({"catalog", "list", "--mine"}).at("entries").size() == 1);
}

TEST_CASE("nodes: another branch, a stranger's id, an expired or foreign chain open no link") {
  Network network(FourLevels());
  Network other(FourLevels());
  Node& province = network["630000"];
  const Identity city = *LoadIdentity(network["630100"].dir());
  const Identity root = *LoadIdentity(network["000000"].dir());
  const std::tuple<std::string, Credentials, std::string> strangers[] = {
      {"another branch", Forge(city, {.path = "140000/140200", .node_id = city.self.node_id}),
       "branch_violation"},
      {"a stranger's id",
       Forge(city, {.path = city.self.path.text(), .node_id = root.self.node_id}),
       "node_id_mismatch"},
      {"expired",
       Forge(city, {.path = city.self.path.text(),
                    .node_id = city.self.node_id,
                    .not_after = absl::Now() - absl::Hours(1)}),
       "certificate_expired"},
      {"another network", CredentialsOfNode(other["630100"].dir()), "foreign_network"},
  };
  for (const auto& [who, credentials, reason] : strangers) {
    INFO(who);
    RawLink link(province, credentials);
    CHECK_FALSE(link.Open());
    const absl::Status why = FromGrpc(link.End(v1::LANE_CONTROL));
    INFO(why.ToString());
    CHECK(DetailOf(why).reason == reason);
    CHECK(!DetailOf(why).remedy.empty());
    CheckTold(province, reason);
  }
  CHECK(network["630100"].Status().at("parent").at("state") == "up");
}

bool DoctorFinds(const Node& node, const std::string& check, const std::string& reason) {
  const Outcome doctor = node.Operator().Try({"doctor"});
  if (doctor.ok()) return false;
  for (const nlohmann::json findings = doctor.json().at("findings");
       const auto& finding : findings) {
    if (finding.at("check") == check && finding.at("ok") == false) {
      return absl::StrContains(finding.dump(), reason) &&
             !finding.at("remedy").get<std::string>().empty();
    }
  }
  return false;
}

TEST_CASE("a node sent to another parent refuses it, and says so itself") {
  Network network(FourLevels());
  Node& county = network["630102"];
  county.Stop();
  county.SetEnvironment({{"GUANTONG_PARENT", network["630000"].address()}});
  county.Start();
  network.Until("the county refuses a parent that is not its own",
                [&] { return county.Status().at("parent").at("state") == "refused"; });
  const auto refusal = county.Status().at("refusals").at(0);
  INFO(refusal.dump());
  CHECK(refusal.at("by_us") == true);
  CHECK(!refusal.at("remedy").get<std::string>().empty());
  CHECK(DoctorFinds(county, "parent", refusal.at("check")));
}

TEST_CASE("a node its parent refuses hears the reason, and doctor repeats it") {
  Network network(OneNode());
  Node& root = network["000000"];
  Node& child = network.AddNode({"630000", "青海省", "province", "000000"});
  network.UntilLinked(child);
  // A parent that has lost what it knew, its admissions among it.
  root.Stop();
  std::filesystem::remove_all(root.dir() + "/store");
  root.Start();
  nlohmann::json status;
  network.Until("the child is refused", [&] {
    status = child.Status();
    return status.at("parent").at("state") == "refused" && !status.at("refusals").empty();
  });
  const nlohmann::json refused = status.at("refusals").at(0);
  INFO(refused.dump());
  CHECK(refused.at("by_us") == false);
  CHECK(refused.at("check") == "not_admitted");
  CHECK(absl::StrContains(status.at("parent").at("text").get<std::string>(), "not_admitted"));
  CHECK(DoctorFinds(child, "parent", "not_admitted"));
  CheckTold(root, "not_admitted");
}

}  // namespace
}  // namespace guantong::test
