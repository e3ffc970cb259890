// The main job on nine real nodes: an entry is found across the country, its rows are asked for
// over five links, a subscription gets a snapshot and then deltas, and what must not travel does
// not.
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

const std::vector<std::string> kFromPingchengToDongguan = {
    "140000/140200/140213", "140000/140200", "140000", "", "440000", "440000/441900"};

std::vector<std::string> PathsOf(const nlohmann::json& hops) {
  std::vector<std::string> paths;
  for (const auto& hop : hops) paths.push_back(hop.at("path"));
  return paths;
}

bool Finds(const Client& client, const std::string& words, const std::string& code) {
  const auto found = client.Do({"catalog", "search", words, "--scope", "country"});
  for (const auto& entry : found.at("entries")) {
    if (entry.at("code") == code) return true;
  }
  return false;
}

nlohmann::json LinkTo(Node& node, const std::string& path) {
  for (const nlohmann::json links = node.Operator().Do({"links"}).at("links");
       const auto& link : links) {
    if (link.at("path") == path) return link;
  }
  throw std::runtime_error("no link to " + path + " of " + node.Operator().Do({"links"}).dump(1));
}

int64_t BatchCount(Node& node, const std::string& path, const std::string& which) {
  return std::stoll(LinkTo(node, path).at(which).get<std::string>());
}

TEST_CASE("nine nodes: search, query over the country, snapshot and delta") {
  const absl::Time started = absl::Now();
  Network network(NineNodes());
  std::cout << "nine nodes up in " << absl::FormatDuration(absl::Now() - started) << std::endl;
  Node& national = network["000000"];
  const std::string& files = network.folder().path();

  // Search: registered at a county, found under another province.
  const Client chengdong = network["630102"].Editor();
  const Client dongguan = network["441900"].Editor();
  const std::string streets = chengdong.Publish(CodeAndName("城东区街道名录"), files);
  const absl::Duration found = network.Until("the entry of 城东区 is found in 东莞市", [&] {
    return Finds(dongguan, "城东区街道名录", streets);
  });
  std::cout << "found after " << absl::FormatDuration(found) << std::endl;

  // Query: asked in 平城区, answered by 东莞市, over every node between and no other.
  const std::string towns = dongguan.Publish(CodeAndName("东莞市镇街名录"), files);
  dongguan.Do({"push", towns, network.folder().File("towns.csv", CodeAndNameRows(0, 32, "镇街"))});
  const Client pingcheng = network["140213"].Editor();
  network.Until("the entry of 东莞市 is known",
                [&] { return Finds(pingcheng, "东莞市镇街名录", towns); });
  const auto answer = pingcheng.Do(
      {"query", towns, "--where", "code ^= '00000001'", "--fields", "name", "--purpose", "核对"});
  CHECK(answer.at("rows").size() == 10);
  CHECK(answer.at("rows")[0] == nlohmann::json{{"name", "镇街第10行"}});
  CHECK(PathsOf(answer.at("hops")) == kFromPingchengToDongguan);
  CHECK(answer.at("hops")[5].at("name") == "东莞市");

  // Paging: every row once, whatever the size of a page.
  std::vector<std::string> seen;
  for (std::string token; seen.size() <= 32;) {
    std::vector<std::string> page = {"query", towns, "--limit", "7"};
    if (!token.empty()) page.insert(page.end(), {"--page-token", token});
    const auto rows = pingcheng.Do(page);
    for (const auto& row : rows.at("rows")) seen.push_back(row.at("code"));
    token = rows.at("next_page_token");
    if (token.empty()) break;
  }
  CHECK(seen.size() == 32);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 32);

  // Subscription: a snapshot of what there is, then the delta alone.
  const std::string first = network.folder().File("first.csv", CodeAndNameRows(0, 1000, "初版"));
  chengdong.Do({"push", streets, first});
  const std::vector<Node*> subscribers = {&network["140000"], &network["140200"],
                                          &network["140213"], &network["441900"]};
  for (Node* node : subscribers) node->Editor().Do({"subscribe", streets});
  network.UntilEqual(streets, DigestOfCsv(first), subscribers);

  const int64_t received = BatchCount(national, "630000", "batches_received");
  const int64_t to_shanxi = BatchCount(national, "140000", "batches_sent");
  const int64_t to_guangdong = BatchCount(national, "440000", "batches_sent");
  const std::string delta = network.folder().File("delta.csv", CodeAndNameRows(990, 1010, "新版"));
  const absl::Time pushed = absl::Now();
  const auto push = chengdong.Do({"push", streets, delta});
  CHECK(push.at("inserts") == "10");
  CHECK(push.at("updates") == "10");
  network.Until("the delta is in 山西省",
                [&] { return network["140000"].Operator().LocalRows(streets) == 1010; });
  const absl::Duration travelled = absl::Now() - pushed;
  std::cout << "delta from 城东区 to 山西省, push and look included: "
            << absl::FormatDuration(travelled) << " (promised 1 s)" << std::endl;
  CHECK(travelled < absl::Seconds(5));
  const std::string second = network.folder().File(
      "second.csv",
      absl::StrCat(CodeAndNameRows(0, 990, "初版"),
                   CodeAndNameRows(990, 1010, "新版").substr(std::string("code,name\n").size())));
  network.UntilEqual(streets, DigestOfCsv(second), subscribers);

  // Four subscribers behind two links: each link carried the one batch once.
  CHECK(BatchCount(national, "630000", "batches_received") - received == 1);
  CHECK(BatchCount(national, "140000", "batches_sent") - to_shanxi == 1);
  CHECK(BatchCount(national, "440000", "batches_sent") - to_guangdong == 1);
  for (Node* node : subscribers) {
    const auto subscription = node->Operator().Do({"subscriptions"}).at("subscriptions")[0];
    CHECK(subscription.at("state") == "live");
    CHECK(subscription.at("rows") == "1010");
    CHECK(subscription.at("rows_received") == "1020");
  }
}

TEST_CASE("sharing types: 2 needs a grant, 3 is an entry and nothing more") {
  Network network(FourLevels());
  const std::string& files = network.folder().path();
  const Client county = network["630102"].Editor();
  const Client national = network["000000"].Editor();

  Entry conditional = CodeAndName("有条件共享的名录");
  conditional.sharing = "conditional";
  conditional.condition = "经提供方同意";
  Entry closed = CodeAndName("不予共享的名录");
  closed.sharing = "not_shared";
  closed.basis = "某法第一条";
  const std::string type2 = county.Publish(conditional, files);
  const std::string type3 = county.Publish(closed, files);
  const std::string rows = network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"));
  for (const std::string& code : {type2, type3}) {
    county.Do({"push", code, rows});
    CHECK(county.LocalRows(code) == 10);
    network.Until("the entry is known at the top", [&] {
      return national.Try({"catalog", "show", code}).ok();
    });
  }

  for (const auto& [code, reason] :
       {std::pair(type2, "needs_grant"), std::pair(type3, "not_shared")}) {
    for (const char* command : {"query", "subscribe"}) {
      INFO(code << " " << command);
      const Outcome refused = national.Try({command, code});
      CHECK(refused.exit_status == 4);
      CHECK(ReasonOf(refused) == reason);
    }
    // Not even the nodes on the way hold a row of it.
    for (const char* division : {"630100", "630000", "000000"}) {
      for (const nlohmann::json feeds = network[division].Operator().Do({"feeds"}).at("feeds");
           const auto& feed : feeds) {
        CHECK(feed.at("feed").at("resource") != absl::StrCat(code, ":1"));
      }
    }
  }
  const auto shown = national.Do({"catalog", "show", type3});
  CHECK(shown.at("name") == "不予共享的名录");
  CHECK(shown.at("sharing").at("type") == "not_shared");
}

}  // namespace
}  // namespace guantong::test
