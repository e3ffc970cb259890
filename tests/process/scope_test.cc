// The catalogue between nodes: who holds what, what is asked of above, a branch that joins, and
// that whoever reads meanwhile sees whole versions.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

using Json = nlohmann::json;

Json Search(const Client& client, const std::string& scope) {
  return client.Do({"catalog", "search", "街道名录", "--scope", scope});
}

// Entries in the node's own index.
std::string Held(const Client& client) { return client.Do({"catalog", "browse"}).at("entries"); }

TEST_CASE("a node holds the catalogue of its scope, and asks above for what is wider") {
  Network network(NineNodes());
  const std::string& folder = network.folder().path();
  const auto restart = [&](Node& node, const std::string& scope) {
    node.SetEnvironment({{"GUANTONG_CATALOG_SCOPE", scope}});
    node.Stop();
    node.Start();
    network.UntilLinked(node);
  };
  restart(network["140213"], "province");
  restart(network["441900"], "country");
  const Client branch = network["630102"].Editor();
  const Client province = network["140213"].Editor();
  const Client country = network["441900"].Editor();
  branch.Publish(CodeAndName("城东区街道名录"), folder);
  network["630100"].Editor().Publish(CodeAndName("西宁市街道名录"), folder);
  network["140200"].Editor().Publish(CodeAndName("大同市街道名录"), folder);
  country.Publish(CodeAndName("东莞市街道名录"), folder);

  network.Until("平城区 holds its province", [&] { return Held(province) == "1"; });
  network.Until("东莞市 holds the country", [&] { return Held(country) == "4"; });
  network.Until("国家 holds all", [&] { return Held(network["000000"].Operator()) == "4"; });
  CHECK(Held(branch) == "1");
  const auto totals = [](const Client& client) {
    std::string all;
    for (const char* scope : {"branch", "province", "country"}) {
      const Json found = Search(client, scope);
      CHECK(found.at("complete") == true);
      absl::StrAppend(&all, found.at("total").get<std::string>(), " ");
    }
    return all;
  };
  CHECK(totals(branch) == "1 2 4 ");
  CHECK(totals(province) == "0 1 4 ");
  CHECK(totals(country) == "1 1 4 ");
  // What is held is not asked for; what is not says over which nodes it came.
  CHECK(Search(country, "country").at("hops").empty());
  CHECK(Search(province, "province").at("hops").empty());
  CHECK(Search(province, "country").at("hops").size() == 4);
  CHECK(Search(branch, "province").at("hops").size() == 3);

  // Alone, those who hold it find it; the others say that it is not all.
  for (const char* parent : {"440000", "140000", "630100"}) network[parent].Kill();
  CHECK(totals(country) == "1 1 4 ");
  CHECK(Search(province, "province").at("total") == "1");
  network.Until("城东区 says what is missing", [&] {
    const Json found = Search(branch, "country");
    return found.at("complete") == false && found.at("total") == "1" && found.at("note") != "";
  });
  for (const char* parent : {"440000", "140000", "630100"}) network[parent].Start();

  // Narrowed, it asks, whatever is left of the copy; widened, it holds all again.
  restart(network["441900"], "branch");
  network.Until("东莞市 asks", [&] {
    const Json found = Search(country, "country");
    return found.at("total") == "4" && found.at("hops").size() == 3;
  });
  CHECK(Search(country, "branch").at("total") == "1");
  network["630102"].Editor().Publish(CodeAndName("城东区新街道名录"), folder);
  network.Until("and finds what is new", [&] {
    return country.Do({"catalog", "search", "新街道", "--scope", "country"}).at("total") == "1";
  });
  restart(network["441900"], "country");
  network.Until("东莞市 holds the country again", [&] { return Held(country) == "5"; });
}

// Two shapes of one entry, told apart by every part of it.
Entry Shape(const std::string& name, bool second) {
  Entry entry = CodeAndName(name);
  entry.abstract = second ? "乙" : "甲";
  entry.items.push_back({.field = second ? "grid" : "street", .name = second ? "网格" : "街道"});
  if (second) entry.items.push_back({.field = "since", .name = "起始"});
  return entry;
}

// Whole: all of the first shape, or all of the second. `items` is false where they are withheld.
bool IsWhole(const Json& entry, bool items = true) {
  const bool second = entry.at("abstract") == "乙";
  if (!items && entry.at("items").empty()) return true;
  return entry.at("items").size() == (second ? 4U : 3U) &&
         entry.at("items")[2].at("field") == (second ? "grid" : "street");
}

TEST_CASE("whoever reads while versions follow each other sees each of them whole") {
  Network network(FourLevels());
  const Client editor = network["630102"].Editor();
  const Client top = network["000000"].Operator();
  const std::string& folder = network.folder().path();
  Entry open = Shape("城东区街道名录", false), kept = Shape("城东区内部台账", false);
  kept.sharing = "not_shared";
  kept.basis = "某法第一条";
  const std::string codes[] = {editor.Publish(open, folder), editor.Publish(kept, folder)};
  network.Until("国家 has both", [&] {
    return top.Try({"catalog", "show", codes[0]}).ok() &&
           top.Try({"catalog", "show", codes[1]}).ok();
  });
  int read = 0, versions = 0;
  std::string last[2];
  const auto look = [&] {
    for (const int which : {0, 1}) {
      const Json shown = top.Do({"catalog", "show", codes[which]});
      CHECK(IsWhole(shown, which == 0));
      // One version after the other, never back.
      const std::string version = shown.at("version");
      CHECK(std::make_pair(last[which].size(), last[which]) <=
            std::make_pair(version.size(), version));
      versions += version != last[which] ? 1 : 0;
      last[which] = version;
      ++read;
    }
    for (const Json& hit : top.Do({"catalog", "search", "城东区"}).at("entries"))
      CHECK(IsWhole(hit, hit.at("code") == codes[0]));
  };
  for (int round = 1; round <= 12; ++round) {
    for (const int which : {0, 1}) {
      Entry next = Shape(which == 0 ? open.name : kept.name, round % 2 == 1);
      next.sharing = which == 0 ? open.sharing : kept.sharing;
      next.basis = kept.basis;
      editor.Do(
          {"catalog", "edit",
           network.folder().File("next.yaml", EntryYaml(next, editor.department(), editor.uscc()) +
                                                  "code: " + codes[which] + "\n")});
      const auto publish = editor.Start({"catalog", "publish", codes[which]});
      look();
      REQUIRE(publish->Wait(absl::Seconds(60)).ok());
    }
  }
  network.Until("the last version is there", [&] {
    look();
    return last[0] == "13" && last[1] == "13";
  });
  CHECK(IsWhole(top.Do({"catalog", "show", codes[1]})));
  std::cout << read << " reads of " << versions << " versions" << std::endl;
}

TEST_CASE("a branch that joins brings its catalogue, and each entry of it comes whole") {
  constexpr int kEntries = 200;
  Network network(NineNodes());
  Network alone({{"630200", "海东市", "city", ""}, {"630202", "乐都区", "county", "630200"}});
  Node& city = alone["630200"];
  const Client editor = alone["630202"].Editor();
  std::string rows =
      "信息资源分类,信息资源名称,信息资源摘要,信息资源格式,共享类型,更新周期,信息项名称,"
      "数据类型,数据长度\n";
  for (int i = 0; i < kEntries; ++i) {
    absl::StrAppend(&rows, "307,乐都名录", i, "号,摘要,0105 pdf,无条件,每年,名称甲,C,20\n",
                    ",,,,,,名称乙,C,20\n,,,,,,名称丙,C,20\n");
  }
  const Json imported =
      editor.Do({"catalog", "import", network.folder().File("catalogue.csv", rows)});
  for (const Json& one : imported.at("entries"))
    editor.Do({"catalog", "publish", one.at("code").get<std::string>()});
  alone.Until("the city holds all",
              [&] { return Held(city.Operator()) == absl::StrCat(kEntries); });

  const Json invited = network["630000"].Operator().Do(
      {"invite", "--division", city.place().division, "--name", city.place().name});
  const absl::Time began = absl::Now();
  REQUIRE(Guantong({"-o", "json", "move", "--dir", city.dir(), "--join",
                    network["630000"].address(), "--token", invited.at("token").get<std::string>()})
              .ok());
  const Client far = network["441900"].Operator();
  network.Until(
      "all are found at the other end of the country",
      [&] {
        const Json found =
            far.Do({"catalog", "search", "乐都名录", "--scope", "country", "--limit", "20"});
        for (const Json& hit : found.at("entries")) CHECK(hit.at("items").size() == 3);
        return found.at("total") == absl::StrCat(kEntries);
      },
      absl::Minutes(2));
  std::cout << kEntries << " entries of a branch that joins are found in another province after "
            << absl::FormatDuration(absl::Now() - began) << " (promised: minutes)" << std::endl;
}

}  // namespace
}  // namespace guantong::test
