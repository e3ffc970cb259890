// A change of items: one that fits keeps those who read the dataset reading; one that does not is
// stopped where it is made, with the names of those it would break.
#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

TEST_CASE("an incompatible change is stopped with the names of its readers, others go on") {
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"440000", "广东省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"},
                   {"630200", "海东市", "city", "630000"},
                   {"441900", "东莞市", "city", "440000"}});
  const Client editor = network["630100"].Editor();
  const Client reader = network["441900"].Editor();
  Entry entry = CodeAndName("西宁市社区名录");
  const std::string folder = network.folder().path();
  const std::string code = editor.Publish(entry, folder);
  editor.Do({"push", code, network.folder().File("rows.csv", "code,name\n1,东关\n2,城北\n")});
  const auto change = [&](const Entry& wanted) {
    return editor.Try({"catalog", "edit",
                       network.folder().File("changed.yaml",
                                             EntryYaml(wanted, editor.department(), editor.uscc()) +
                                                 "code: " + code + "\n")});
  };
  Entry shorter = entry;
  shorter.items[1].length = 3;
  const Outcome alone = change(shorter);
  CHECK(ReasonOf(alone) == "items_incompatible");
  CHECK_FALSE(absl::StrContains(alone.err, "将影响"));

  for (const char* division : {"441900", "630200"}) {
    const Client client = network[division].Editor();
    network.Until("the entry is known", [&] { return client.Try({"subscribe", code}).ok(); });
    network.Until("the rows are there", [&] {
      return client.Do({"query", code, "--count"}).at("total") == "2";
    });
  }
  const Outcome refused = change(shorter);
  CHECK(ReasonOf(refused) == "items_incompatible");
  // Those who have subscribed, not those who pass it on.
  CHECK(absl::StrContains(refused.err, "东莞市"));
  CHECK(absl::StrContains(refused.err, "海东市"));
  CHECK_FALSE(absl::StrContains(refused.err, "广东省"));
  CHECK_FALSE(absl::StrContains(refused.err, "国家"));
  // A reader that cannot be asked is not left out in silence.
  network["441900"].Kill();
  const Outcome partly = change(shorter);
  INFO(partly.err);
  CHECK(absl::StrContains(partly.err, "海东市"));
  CHECK(absl::StrContains(partly.err, "联系不上"));
  CHECK(absl::StrContains(partly.err, "440000"));
  network["441900"].Start();
  network.UntilLinked(network["441900"]);

  entry.items.push_back({.field = "street", .name = "街道"});
  REQUIRE(change(entry).ok());
  editor.Do({"catalog", "publish", code});
  editor.Do({"push", code, network.folder().File("more.csv", "code,name,street\n3,城西,西街\n")});
  network.Until("the reader has the new row with its new item", [&] {
    const auto rows = reader.Do({"query", code, "--where", "street = '西街'", "--count"});
    return rows.at("total") == "1";
  });
  CHECK(reader.Do({"query", code, "--count"}).at("total") == "3");
}

}  // namespace
}  // namespace guantong::test
