// Backups of a running node, and folders made from them.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

namespace fs = std::filesystem;

int64_t NumberAt(const nlohmann::json& document, const char* key) {
  return std::stoll(document.at(key).get<std::string>());
}

class BackedUp {
 public:
  BackedUp()
      : network(OneNode()),
        node(network["000000"]),
        editor(node.Editor()),
        code(editor.Publish(CodeAndName("名录"), network.folder().path())),
        to(network.folder().path() + "/backups") {}

  nlohmann::json BackUp() const { return node.Operator().Do({"backup", "--to", to}); }
  Outcome Restore(const std::string& dir, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"-o", "json", "restore", "--dir", dir, "--from", to};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Guantong(arguments);
  }
  std::string Rows(int from, int to_row, const std::string& version) const {
    return network.folder().File(version + ".csv", CodeAndNameRows(from, to_row, version));
  }

  Network network;
  Node& node;
  Client editor;
  std::string code;
  std::string to;
};

TEST_CASE("a backup of a running node under a push, the next one copies what changed") {
  BackedUp data;
  data.editor.Do({"push", data.code, data.Rows(0, 50'000, "first")}, absl::Seconds(60));
  const auto push = data.editor.Start({"push", data.code, data.Rows(0, 100'000, "second")});
  const auto first = data.BackUp();
  INFO(first.dump(1));
  CHECK(first.at("number") == 1);
  CHECK(first.at("bytes") == first.at("bytes_copied"));
  CHECK(push->Wait(absl::Seconds(60)).ok());

  const auto all = data.BackUp();
  data.editor.Do({"push", data.code, data.Rows(0, 10, "third")});
  const auto small = data.BackUp();
  INFO(all.dump(1) << small.dump(1));
  CHECK(NumberAt(small, "bytes") > 1'000'000);
  CHECK(NumberAt(small, "bytes_copied") * 5 < NumberAt(small, "bytes"));
  for (const auto& file : small.at("files")) {
    if (file.at("node_file") == false) continue;
    const std::string path = absl::StrCat(data.to, "/", file.at("name").get<std::string>());
    CHECK(Shell(absl::StrCat("stat -c %a '", path, "'")) == "600");
  }
  CHECK(Shell(absl::StrCat("stat -c %a '", data.to, "'")) == "700");
  CHECK(data.node.Status().at("last_backup").at("number") == 3);

  const Outcome list = Guantong({"-o", "json", "backup", "--list", "--to", data.to});
  REQUIRE(list.ok());
  CHECK(list.json().at("backups").size() == 3);
  CHECK(list.json().at("backups")[0].at("number") == 3);

  // Each holds one push or the other, never a part of one.
  data.node.Kill();
  for (const auto& [number, rows, allowed] :
       {std::tuple{"1", std::string("50000"), std::string("100000")},
        std::tuple{"3", std::string("100000"), std::string("100000")}}) {
    INFO("backup " << number);
    const std::string dir = absl::StrCat(data.network.folder().path(), "/copy-", number);
    const Outcome restored = data.Restore(dir, {"--backup", number, "--alone"});
    INFO(restored.Text());
    REQUIRE(restored.ok());
    const Outcome verified = Guantong({"-o", "json", "verify", "--dir", dir});
    INFO(verified.Text());
    CHECK(verified.ok());
    Process daemon({.arguments = {absl::StrCat(ProgramFolder(), "/guantongd"), "--dir", dir},
                    .log = dir + ".log"});
    std::string total;
    data.network.Until("it answers", [&] {
      const Outcome counted = data.node.Operator().Try({"query", data.code, "--local", "--count"});
      if (counted.ok()) total = counted.json().at("total");
      return counted.ok();
    });
    CHECK((total == rows || total == allowed));
    daemon.Kill();
  }
}

TEST_CASE("restore refuses what would lose something, and keeps what it replaces") {
  BackedUp data;
  data.editor.Do({"push", data.code, data.Rows(0, 2000, "first")});
  data.BackUp();
  const std::string dir = data.node.dir();
  CHECK(ReasonOf(data.Restore(dir)) == "folder_not_empty");
  CHECK(ReasonOf(data.Restore(dir, {"--replace"})) == "store_locked");
  CHECK(ReasonOf(data.Restore(dir + "-new", {"--backup", "7"})) == "backup_absent");
  CHECK(data.node.Operator().Try({"status"}).ok());
  CHECK(data.node.Operator().Try({"backup", "--to", dir + "/inside"}).exit_status == 1);

  data.node.Stop();
  const Outcome replaced = data.Restore(dir, {"--replace", "--alone"});
  INFO(replaced.Text());
  REQUIRE(replaced.ok());
  const std::string aside = replaced.json().at("aside");
  CHECK(fs::exists(aside + "/store/CURRENT"));
  CHECK(fs::exists(aside + "/identity/signing.key"));
  data.node.Start();
  CHECK(data.node.Operator().LocalRows(data.code) == 2000);
  data.editor.Do({"push", data.code, data.Rows(2000, 2010, "after")});
  data.network.Until("the restore is over",
                     [&] { return !data.node.Status().contains("restored_at"); });
}

TEST_CASE("a backup that was damaged is not restored") {
  BackedUp data;
  data.editor.Do({"push", data.code, data.Rows(0, 2000, "first")});
  const auto backup = data.BackUp();
  for (const auto& file : backup.at("files")) {
    const std::string name = file.at("name");
    if (NumberAt(file, "bytes") == 0) continue;
    const std::string path = absl::StrCat(data.to, "/", name);
    const std::string content = ReadFile(path);
    const auto at = static_cast<std::streamoff>(content.size() / 2);
    const auto put = [&](char byte) {
      std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(at);
      out.put(byte);
    };
    put(static_cast<char>(content[static_cast<size_t>(at)] ^ 1));
    const std::string dir = data.network.folder().path() + "/none";
    const Outcome refused = data.Restore(dir);
    INFO(refused.Text());
    CHECK(ReasonOf(refused) == "backup_damaged");
    CHECK_FALSE(fs::exists(dir));
    put(content[static_cast<size_t>(at)]);
  }
}

}  // namespace
}  // namespace guantong::test
