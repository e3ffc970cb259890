// A line of 50 kbit/s with 300 ms each way and 5 % loss: all arrives, and the link is never taken
// for dead, however long the bulk holds it.
#include <algorithm>
#include <iostream>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr Line kSlow{.bits_per_second = 50'000, .delay = absl::Milliseconds(300), .loss = 0.05};
constexpr int kBulkRows = 2'000;

// Rows that cannot be made smaller.
std::string RandomRows(int count) {
  std::mt19937 random(20261121);
  std::string rows = "code,name\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&rows, absl::StrFormat("%09d,", i));
    for (int word = 0; word < 7; ++word)
      absl::StrAppend(&rows, absl::Hex(random(), absl::kZeroPad8));
    rows += '\n';
  }
  return rows;
}

// Published below and copied at the root, with one row.
std::string Share(Network& network, const Client& editor, const std::string& name) {
  Node& parent = network["000000"];
  const std::string code = editor.Publish(CodeAndName(name), network.folder().path());
  editor.Do({"push", code, network.folder().File("first.csv", CodeAndNameRows(0, 1, "初"))});
  network.Until("the entry is known", [&] {
    return parent.Editor().Try({"subscribe", code}).ok();
  });
  network.Until("the copy is there", [&] { return parent.Operator().LocalRows(code) == 1; });
  return code;
}

TEST_CASE("over 50 kbit/s with 300 ms and 5 % loss all arrives and the link stays up") {
  if (const std::string why = Wires::WhyNot(); !why.empty()) GUANTONG_SKIP(why);
  Wires wires;
  Network network({{"000000", "国家", "national", ""}, {"630000", "青海省", "province", "000000"}},
                  &wires);
  Node& parent = network["000000"];
  Node& child = network["630000"];
  const Folder& folder = network.folder();
  const Client editor = child.Editor();
  const std::string bulky = Share(network, editor, "大名录");
  const std::string urgent = Share(network, editor, "小名录");
  const auto up_since = [&] {
    const nlohmann::json links = parent.Operator().Do({"links"});
    return links.at("links").at(0).at("state") == "up"
               ? links.at("links").at(0).at("since").get<std::string>()
               : "";
  };

  const std::string since = up_since();
  wires.SetBothWays(parent.host(), child.host(), kSlow);
  const Traffic before = wires.TrafficOf(child.host(), parent.host());
  const absl::Time started = absl::Now();

  std::vector<absl::Duration> deltas;
  for (int i = 1; i <= 3; ++i) {
    editor.Do({"push", urgent, folder.File("delta.csv", CodeAndNameRows(i, i + 1, "急"))});
    deltas.push_back(network.Until(
        "the delta is there", [&] { return parent.Operator().LocalRows(urgent) == i + 1; },
        absl::Seconds(60)));
    std::cout << "a delta arrived after " << deltas.back() << std::endl;
  }

  const auto entry = editor.Publish(CodeAndName("后来的目录"), folder.path());
  const absl::Duration listed = network.Until(
      "the entry is there",
      [&] {
        return parent.Editor().Try({"catalog", "show", entry}).ok();
      },
      absl::Seconds(60));
  std::cout << "a catalogue entry arrived after " << listed << std::endl;

  const std::string rows = folder.File("bulk.csv", RandomRows(kBulkRows));
  editor.Do({"push", bulky, rows});
  network.Until(
      "the bulk is there",
      [&] { return parent.Operator().LocalDigest(bulky) == DigestOfCsv(rows); },
      absl::Seconds(240));
  const absl::Duration took = absl::Now() - started;
  const Traffic after = wires.TrafficOf(child.host(), parent.host());
  const double bits = static_cast<double>(after.bytes - before.bytes) * 8;
  std::cout << kBulkRows << " rows in " << took << ", " << (after.bytes - before.bytes)
            << " bytes at " << bits / absl::ToDoubleSeconds(took) / 1000 << " kbit/s, "
            << after.dropped - before.dropped << " packets of "
            << after.packets + after.dropped - before.packets - before.dropped << " lost"
            << std::endl;
  // The line was what it says it is.
  CHECK(bits / absl::ToDoubleSeconds(took) < 50'000 * 1.05);
  CHECK(after.dropped > before.dropped);
  // One and the same session all the time.
  CHECK(up_since() == since);
  std::sort(deltas.begin(), deltas.end());
  CHECK(deltas[1] < absl::Seconds(25));
}

TEST_CASE("over 50 kbit/s a row of one dataset passes a large batch of another under way") {
  if (const std::string why = Wires::WhyNot(); !why.empty()) GUANTONG_SKIP(why);
  Wires wires;
  Network network({{"000000", "国家", "national", ""}, {"630000", "青海省", "province", "000000"}},
                  &wires);
  Node& parent = network["000000"];
  Node& child = network["630000"];
  const Folder& folder = network.folder();
  const Client editor = child.Editor();
  const std::string bulky = Share(network, editor, "大名录");
  const std::string urgent = Share(network, editor, "小名录");
  wires.SetBothWays(parent.host(), child.host(), kSlow);

  // More than the line carries in a minute, all of it on its way before the small ones.
  const std::string rows = folder.File("bulk.csv", RandomRows(5 * kBulkRows));
  editor.Do({"push", bulky, rows});
  std::vector<absl::Duration> took;
  for (int i = 1; i <= 5; ++i) {
    editor.Do({"push", urgent, folder.File("delta.csv", CodeAndNameRows(i, i + 1, "急"))});
    took.push_back(network.Until(
        "the delta is there", [&] { return parent.Operator().LocalRows(urgent) == i + 1; },
        absl::Seconds(120)));
    std::cout << "a delta passed the bulk within " << took.back() << std::endl;
  }
  CHECK(parent.Operator().LocalRows(bulky) == 1);
  std::sort(took.begin(), took.end());
  CHECK(took[2] < absl::Seconds(15));
  wires.SetBothWays(parent.host(), child.host(), {});
  network.Until(
      "the bulk is there",
      [&] { return parent.Operator().LocalDigest(bulky) == DigestOfCsv(rows); },
      absl::Seconds(120));
}

}  // namespace
}  // namespace guantong::test
