// Pushes that meet others: the same batch again, two at once, too many at once. One effect or a
// clear refusal, never half.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

constexpr int kPushesOpenAtOnce = 16;  // node/limits.h

class OneDataset {
 public:
  OneDataset() : network(OneNode()), node(network["000000"]), editor(node.Editor()) {
    code = editor.Publish(CodeAndName("名录"), network.folder().path());
  }
  std::string File(const std::string& name, const std::string& content) const {
    return network.folder().File(name, content);
  }

  Network network;
  Node& node;
  Client editor;
  std::string code;
};

TEST_CASE("a batch id: the same content has one effect, other content is refused") {
  OneDataset data;
  const std::string rows = data.File("a.csv", CodeAndNameRows(0, 10, "甲"));
  const auto first = data.editor.Do({"push", data.code, rows, "--batch", "2026-11"});
  CHECK(first.at("inserts") == "10");
  CHECK(first.at("repeated_batch") == false);
  const auto other =
      data.editor.Do({"push", data.code, data.File("b.csv", "code,name\n000000003,乙\n")});
  CHECK(other.at("updates") == "1");

  // Repeated after a later push it must not bring the old value back.
  const auto again = data.editor.Do({"push", data.code, rows, "--batch", "2026-11"});
  CHECK(again.at("repeated_batch") == true);
  CHECK(again.at("inserts") == "10");
  CHECK(again.at("commit") == first.at("commit"));
  const auto row = data.editor.Do({"query", data.code, "--local", "--where", "code = '000000003'"});
  CHECK(row.at("rows").at(0).at("name") == "乙");

  const Outcome refused = data.editor.Try(
      {"push", data.code, data.File("c.csv", CodeAndNameRows(0, 11, "甲")), "--batch", "2026-11"});
  CHECK(refused.exit_status == 4);
  CHECK(ReasonOf(refused) == "batch_id_reused");
  CHECK(data.editor.LocalRows(data.code) == 10);
}

TEST_CASE("a dry run tells all and changes nothing; no difference sends nothing") {
  OneDataset data;
  data.editor.Do({"push", data.code, data.File("a.csv", CodeAndNameRows(0, 10, "甲"))});
  const std::string digest = data.editor.LocalDigest(data.code);
  const auto dry =
      data.editor.Do({"push", data.code, data.File("b.csv", CodeAndNameRows(1, 12, "乙")), "--mode",
                      "replace", "--dry-run"});
  CHECK(dry.at("dry_run") == true);
  CHECK(dry.at("inserts") == "2");
  CHECK(dry.at("updates") == "9");
  CHECK(dry.at("deletes") == "1");
  CHECK(data.editor.LocalDigest(data.code) == digest);

  const auto same =
      data.editor.Do({"push", data.code, data.File("c.csv", CodeAndNameRows(0, 10, "甲"))});
  CHECK(same.at("unchanged") == "10");
  CHECK(same.at("commit") == "0");

  // Said aloud, a replace may delete; and a delete needs the key alone.
  const auto replaced =
      data.editor.Do({"push", data.code, data.File("d.csv", CodeAndNameRows(0, 3, "甲")), "--mode",
                      "replace", "--expect-deletes", "7"});
  CHECK(replaced.at("deletes") == "7");
  const auto deleted = data.editor.Do(
      {"push", data.code, data.File("e.csv", "code\n000000000\n"), "--mode", "delete"});
  CHECK(deleted.at("deletes") == "1");
  CHECK(data.editor.LocalRows(data.code) == 2);
}

TEST_CASE("two pushes of one dataset at once: the second is refused, the first is whole") {
  OneDataset data;
  OpenPush first(data.node, data.editor, data.code);
  REQUIRE(first.Add("1", "甲"));
  const std::string rows = data.File("a.csv", CodeAndNameRows(5, 10, "乙"));
  // The first message may still be on its way when this one comes.
  data.network.Until("the first push is open", [&] {
    return ReasonOf(data.editor.Try({"--timeout", "5s", "push", data.code, rows})) == "push_open";
  });
  const Outcome refused = data.editor.Try({"--timeout", "5s", "push", data.code, rows});
  CHECK(refused.exit_status == 5);
  CHECK(ReasonOf(refused) == "push_open");
  REQUIRE(first.Add("2", "甲"));
  CHECK(first.Finish().ok());
  const int64_t taken = data.editor.LocalRows(data.code);
  CHECK((taken == 2 || taken == 7));  // with the rows of a push that came before the first was open
  CHECK(data.editor.Try({"push", data.code, rows}).ok());
  CHECK(data.editor.LocalRows(data.code) == 7);
}

TEST_CASE("a pusher that goes away leaves nothing behind") {
  OneDataset data;
  {
    OpenPush push(data.node, data.editor, data.code);
    REQUIRE(push.Add("1", "甲"));
  }
  const std::string rows = data.File("a.csv", CodeAndNameRows(5, 10, "乙"));
  data.network.Until("the dataset is free again", [&] {
    return data.editor.Try({"push", data.code, rows}).ok();
  });
  CHECK(data.editor.LocalRows(data.code) == 5);
}

TEST_CASE("a full queue of pushes says so, and is open again when one has ended") {
  OneDataset data;
  std::vector<std::unique_ptr<OpenPush>> open;
  for (int i = 0; i < kPushesOpenAtOnce; ++i) {
    const std::string code =
        data.editor.Publish(CodeAndName(absl::StrCat("名录", i)), data.network.folder().path());
    open.push_back(std::make_unique<OpenPush>(data.node, data.editor, code));
    REQUIRE(open.back()->Add("1", "甲"));
  }
  const std::string rows = data.File("a.csv", CodeAndNameRows(0, 10, "乙"));
  Outcome refused;
  data.network.Until("all are open", [&] {
    refused = data.editor.Try({"--timeout", "5s", "push", data.code, rows, "--dry-run"});
    return !refused.ok();
  });
  CHECK(refused.exit_status == 5);
  CHECK(ReasonOf(refused) == "node_busy");
  CHECK(absl::StrContains(refused.err, absl::StrCat(kPushesOpenAtOnce)));
  CHECK(data.editor.LocalRows(data.code) == 0);
  CHECK(open.front()->Finish().ok());
  CHECK(data.editor.Try({"push", data.code, rows}).ok());
  CHECK(data.node.Running());
}

}  // namespace
}  // namespace guantong::test
