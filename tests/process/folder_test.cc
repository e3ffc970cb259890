// Starts that must fail: a port in use, another node's data, a second process on one folder, a
// folder that is none. One error, an exit status, and whoever runs already is not disturbed.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

Outcome StartOn(const std::string& dir, std::map<std::string, std::string> environment = {}) {
  return Run({.arguments = {absl::StrCat(ProgramFolder(), "/guantongd"), "--dir", dir},
              .environment = std::move(environment)},
             absl::Seconds(20));
}

void CheckRefused(const Outcome& outcome, const std::string& reason, const std::string& told) {
  INFO(outcome.Text());
  CHECK(outcome.exit_status > 0);
  CHECK(outcome.exit_status < 128);
  const std::string text = outcome.out + outcome.err;
  CHECK(absl::StrContains(text, reason));
  CHECK(absl::StrContains(text, told));
}

TEST_CASE("a port in use") {
  Network network(OneNode());
  Node& running = network["000000"];
  Node& other = network.AddFolder({"630000", "青海省", "province", "000000"});
  CheckRefused(StartOn(other.dir(), {{"GUANTONG_LISTEN", running.address()}}), "port_in_use",
               running.address());
  CHECK(running.Operator().Try({"status"}).ok());
  other.Start();
  network.UntilLinked(other);
}

TEST_CASE("a second process on one folder") {
  Network network(OneNode());
  Node& running = network["000000"];
  const std::string free = absl::StrCat("127.0.0.1:", FreePort());
  CheckRefused(StartOn(running.dir(), {{"GUANTONG_LISTEN", free}}), "store_locked", running.dir());
  CHECK(running.Operator().Try({"status"}).ok());
}

TEST_CASE("the data of another node") {
  Network network(OneNode());
  Node& root = network["000000"];
  Node& other = network.AddNode({"630000", "青海省", "province", "000000"});
  network.UntilLinked(other);
  other.Stop();
  const std::string theirs = absl::StrCat(other.dir(), "/store");
  const std::string before = Shell(absl::StrCat("cat '", theirs, "'/*.log '", theirs,
                                                "'/*.sst 2>/dev/null | sha256sum || true"));
  root.Stop();
  CheckRefused(StartOn(root.dir(), {{"GUANTONG_DATA_DIR", theirs}}), "foreign_store", theirs);
  root.Start();
  other.Start();
  network.UntilLinked(other);
}

TEST_CASE("no folder, a folder that is no node, a setting that is wrong") {
  const Folder folder;
  CheckRefused(StartOn(folder.path() + "/absent"), "file_absent", "absent");
  CheckRefused(StartOn(folder.path()), "file_absent", "node.yaml");
  Network network(OneNode());
  Node& node = network["000000"];
  node.Stop();
  CheckRefused(StartOn(node.dir(), {{"GUANTONG_LISTEN", "nowhere"}}), "value_malformed", "nowhere");
  const Outcome again =
      Guantong({"-o", "json", "init", "--dir", node.dir(), "--division", "000000", "--name", "国家",
                "--level", "national", "--listen", node.address(), "--root"});
  CHECK(again.exit_status != 0);
  CHECK(ReasonOf(again) == "node_exists");
}

}  // namespace
}  // namespace guantong::test
