// Nodes of an older build beside those under test. GUANTONG_LANDED_BIN names the folder of the
// older guantongd and guantong, e.g. of the last landed commit:
//
//   git worktree add /tmp/landed COMMIT && cd /tmp/landed && cmake --preset release &&
//   ninja -C build/release guantongd guantong
#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

std::string LandedPrograms() {
  const char* folder = std::getenv("GUANTONG_LANDED_BIN");
  return folder == nullptr ? "" : folder;
}

// A line of three, some of them of the older build.
void PushFindAskSubscribe(const std::set<std::string>& older) {
  Network network(std::vector<Place>{});
  for (const Place& place :
       {Place{"000000", "国家", "national", ""}, Place{"630000", "青海省", "province", "000000"},
        Place{"630100", "西宁市", "city", "630000"}}) {
    network.AddNode(place, older.count(place.division) != 0 ? LandedPrograms() : "");
  }
  Node& top = network["000000"];
  Node& city = network["630100"];
  for (Node* node : network.nodes()) {
    if (!node->place().parent.empty()) network.UntilLinked(*node);
  }

  // Up and down, each: an entry that is found, a question that is answered, a subscription.
  for (const auto& [owner, reader] : {std::pair<Node*, Node*>{&city, &top}, {&top, &city}}) {
    INFO("from " << owner->place().name << " to " << reader->place().name);
    const Client editor = owner->Editor();
    const std::string code =
        editor.Publish(CodeAndName(owner->place().name + "名录"), network.folder().path());
    const std::string first = network.folder().File("a.csv", CodeAndNameRows(0, 5'000, "甲"));
    editor.Do({"push", code, first});
    network.Until("the question is answered", [&] {
      return reader->Editor().Try({"query", code, "--limit", "1"}).ok();
    });
    network.Until("the subscription is taken", [&] {
      return reader->Editor().Try({"subscribe", code}).ok();
    });
    network.UntilEqual(code, DigestOfCsv(first), {owner, reader});
    const std::string second = network.folder().File("b.csv", CodeAndNameRows(10, 3'000, "乙"));
    editor.Do({"push", code, second, "--mode", "replace", "--expect-deletes", "2010"});
    network.UntilEqual(code, DigestOfCsv(second), {owner, reader});
  }
  // No link fell over the other build's words.
  for (Node* node : network.nodes()) {
    INFO(node->place().name);
    CHECK(node->Status().at("frames_rejected") == "0");
    CHECK(node->Operator().Do({"verify"}).at("faults").empty());
  }

  // What an older build has written is read by this one.
  const std::string code = city.Editor().Publish(CodeAndName("升级"), network.folder().path());
  const std::string rows = network.folder().File("c.csv", CodeAndNameRows(0, 100, "丙"));
  city.Editor().Do({"push", code, rows});
  for (const std::string& division : older) {
    network[division].Stop();
    network[division].SetPrograms("");
    network[division].Start();
  }
  network.Until("the subscription is taken", [&] {
    return top.Editor().Try({"subscribe", code}).ok();
  });
  network.UntilEqual(code, DigestOfCsv(rows), {&city, &top});
}

TEST_CASE("a node of the last landed build between two of this one, and the other way round") {
  if (LandedPrograms().empty()) GUANTONG_SKIP("GUANTONG_LANDED_BIN names no older build");
  PushFindAskSubscribe({"630000"});
  PushFindAskSubscribe({"000000", "630100"});
}

}  // namespace
}  // namespace guantong::test
