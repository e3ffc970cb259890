// Joining: a token admits one key, once, in time, at the parent it names. Whoever stands between
// learns nothing.
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "node/identity/identity.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

Outcome Join(const Network& network, const std::string& folder, const std::string& parent,
             const std::string& token) {
  return Guantong({"-o", "json", "init", "--dir",
                   absl::StrCat(network.folder().path(), "/", folder), "--division", "630000",
                   "--name", "青海省", "--level", "province", "--listen",
                   absl::StrCat("127.0.0.1:", FreePort()), "--join", parent, "--token", token});
}

void CheckRefused(const Outcome& outcome, const std::string& reason) {
  INFO(outcome.Text());
  CHECK(outcome.exit_status == 4);
  CHECK(ReasonOf(outcome) == reason);
  CHECK(!ErrorOf(outcome).value("remedy", "").empty());
}

std::string Invite(Node& node) {
  return node.Operator().Do({"invite", "--division", "630000", "--name", "青海省"}).at("token");
}

bool ListsRefusal(Node& node, const std::string& check) {
  for (const nlohmann::json refusals = node.Status().at("refusals");
       const auto& refusal : refusals) {
    if (refusal.at("check") == check) return true;
  }
  return false;
}

TEST_CASE("a token admits one key: another is refused, the same may ask again") {
  Network network(OneNode());
  Node& root = network["000000"];
  const std::string token = Invite(root);
  const Outcome first = Join(network, "first", root.address(), token);
  REQUIRE(first.ok());
  CheckRefused(Join(network, "second", root.address(), token), "token_bound");
  CHECK(ListsRefusal(root, "token_bound"));

  // The answer was lost: the folder has the key and no certificate.
  const std::string dir = network.folder().path() + "/first";
  std::filesystem::remove(dir + "/identity/chain.pem");
  std::filesystem::remove(dir + "/node.yaml");
  std::filesystem::remove(dir + "/admin.yaml");
  const Outcome again = Join(network, "first", root.address(), token);
  INFO(again.Text());
  REQUIRE(again.ok());
  CHECK(again.json().at("path") == first.json().at("path"));
  CHECK(again.json().at("node_id") == first.json().at("node_id"));
  CHECK(root.Operator().Do({"tree"}).at("nodes").size() == 2);
}

TEST_CASE("a token that has expired") {
  Network network(OneNode());
  Node& root = network["000000"];
  const auto invited =
      root.Operator().Do({"invite", "--division", "630000", "--name", "青海省", "--expires", "1s"});
  absl::Time ends;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, invited.at("expires_at").get<std::string>(), &ends,
                          nullptr));
  network.Until("the token has expired", [&] { return absl::Now() > ends; });
  CheckRefused(Join(network, "late", root.address(), invited.at("token")), "token_expired");
  CHECK(ListsRefusal(root, "token_expired"));
  CHECK(root.Operator().Do({"tree"}).at("nodes").size() == 1);
}

TEST_CASE("a man in the middle, and tokens that were tampered with: nothing is sent") {
  Network network(OneNode());
  Network other(OneNode());
  Node& root = network["000000"];
  Node& stranger = other["000000"];
  const std::string token = Invite(root);

  // Another node answers at the address: with a chain of its own, in perfect order.
  CheckRefused(Join(network, "middle", stranger.address(), token), "pin_mismatch");
  CHECK(stranger.Status().at("refusals").empty());  // it never heard of the token
  CHECK(stranger.Operator().Do({"tree"}).at("nodes").size() == 1);

  const v1::JoinToken genuine = *DecodeToken(token);
  v1::JoinToken forged = genuine;
  forged.mutable_parent()->at(5) ^= 1;
  CheckRefused(Join(network, "pin", root.address(), EncodeToken(forged)), "pin_mismatch");
  forged = genuine;
  forged.mutable_network()->at(31) ^= 1;
  CheckRefused(Join(network, "network", root.address(), EncodeToken(forged)), "pin_mismatch");
  forged = genuine;
  forged.mutable_secret()->at(0) ^= 1;
  CheckRefused(Join(network, "secret", root.address(), EncodeToken(forged)), "token_unknown");
  CHECK(ListsRefusal(root, "token_unknown"));
  const Outcome cut = Join(network, "cut", root.address(), token.substr(0, token.size() / 2));
  CHECK(cut.exit_status != 0);
  CHECK(ReasonOf(cut) == "token_malformed");

  // The pins were wrong in what was forged, not used up: the token still admits.
  CHECK(Join(network, "genuine", root.address(), token).ok());
}

TEST_CASE("a parent that is not there: unavailable, and the same folder may try again") {
  Network network(OneNode());
  Node& root = network["000000"];
  const std::string token = Invite(root);
  root.Kill();
  const Outcome away = Join(network, "patient", root.address(), token);
  INFO(away.Text());
  CHECK(away.exit_status == 5);
  root.Start();
  CHECK(Join(network, "patient", root.address(), token).ok());
}

}  // namespace
}  // namespace guantong::test
