// 供需级联: what one county needs is found, answered and matched in another province; what nobody
// answers goes up to the authority above both.
#include <map>
#include <memory>

#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/set_clock.h"

namespace guantong::test {
namespace {

using Json = nlohmann::json;

// The item of somebody's daily work with this code; null: it is not there.
Json TodoOf(const Client& client, const std::string& code) {
  const Json todo = client.Do({"todo"});
  for (const Json& item : todo.at("items")) {
    if (item.at("code") == code) return item;
  }
  return nullptr;
}

Json Say(const Client& client, const std::vector<std::string>& whom) {
  std::vector<std::string> arguments = {
      "demand",           "register",   "--what",   "低保人员名单", "--basis",
      "社会救助暂行办法", "--scenario", "跨省核对", "--frequency",  "每月"};
  arguments.insert(arguments.end(), whom.begin(), whom.end());
  return client.Do(arguments);
}

std::string IdOf(const Json& view) { return view.at("demand").at("id"); }

std::string StateOf(const Client& client, const std::string& id) {
  return client.Do({"demand", "show", id}).at("state");
}

TEST_CASE("a demand of one county is found, answered and matched in another province") {
  Network network(NineNodes());
  Node& asking = network["630102"];
  Node& holding = network["140213"];
  const Client needs = asking.Editor();
  const Client has = holding.AddDepartment("140213", "平城区民政局");
  const Client other = network["441900"].Editor();
  const std::string code = has.Publish(CodeAndName("低保人员名单"), network.folder().path());

  const Json said = Say(needs, {"--from", has.uscc()});
  const std::string id = IdOf(said);
  CHECK(said.at("state") == "unanswered");
  CHECK(said.at("days_left") == 10);
  network.Until("the department in 平城区 finds it", [&] { return !TodoOf(has, id).is_null(); });
  CHECK(TodoOf(has, id).at("provider") == needs.department());
  CHECK(TodoOf(other, id).is_null());
  CHECK(other.Do({"demand", "show", id}).at("demand").at("what") == "低保人员名单");
  const Outcome refused = other.Try({"demand", "answer", id, "--text", "有"});
  CHECK(refused.exit_status == 4);
  CHECK(ReasonOf(refused) == "not_asked");
  CHECK(has.Try({"demand", "match", id, "999/000001"}).exit_status == 3);

  // By name, of a department of a division.
  const std::string by_name = IdOf(Say(needs, {"--from", "平城区 民政局", "--division", "140213"}));
  network.Until("it is found by its name", [&] { return !TodoOf(has, by_name).is_null(); });

  // What was acknowledged is there after a kill -9 of either node, and goes up.
  CHECK(has.Do({"demand", "answer", by_name, "--text", "按月提供"}).at("state") == "answered");
  CHECK(has.Do({"demand", "match", id, code}).at("state") == "matched");
  holding.Kill();
  asking.Kill();
  holding.Start();
  asking.Start();
  network.Until("城东区 sees what was matched", [&] { return StateOf(needs, id) == "matched"; });
  network.Until("and what was answered", [&] { return StateOf(needs, by_name) == "answered"; });
  const Json seen = needs.Do({"demand", "show", id});
  CHECK(seen.at("complete") == true);
  CHECK(seen.at("answers")[0].at("answer").at("code") == code);
  CHECK(seen.at("answers")[0].at("node_name") == "平城区");
  CHECK(TodoOf(has, id).is_null());
  CHECK_FALSE(TodoOf(needs, id).is_null());
  CHECK(needs.Do({"demand", "list", "--mine", "--state", "matched"}).at("demands").size() == 1);
  CHECK(has.Do({"demand", "list", "--asked"}).at("demands").size() == 2);

  // Cut off from above, what is held here is shown, and that it may not be all.
  network["630100"].Kill();
  network.Until("the cut is seen", [&] {
    return needs.Do({"demand", "show", id}).at("complete") == false;
  });
  CHECK(needs.Do({"demand", "show", id}).at("demand").at("what") == "低保人员名单");
  CHECK(needs.Try({"demand", "show", "D140213-20200101-0001"}).exit_status == 5);
  CHECK(ReasonOf(has.Try({"demand", "close", id})) == "not_your_demand");
  CHECK(needs.Do({"demand", "close", id, "--reason", "已开通"}).at("state") == "closed");
  network["630100"].Start();
  network.Until("平城区 is told that it is closed", [&] { return StateOf(has, id) == "closed"; });
  CHECK(ReasonOf(has.Try({"demand", "answer", id, "--text", "有"})) == "demand_closed");
  const Json counts = network["000000"].Operator().Do({"demand", "count"});
  CHECK(counts.at("total").at("closed") == "1");
  CHECK(counts.at("total").at("answered") == "1");
  CHECK(counts.at("counts")[0].at("node_name") == "青海省");

  // What is held here and what the levels above hold of it is told once.
  const Client beside = holding.AddDepartment("140213", "平城区教育局");
  const std::string own = IdOf(Say(beside, {"--from", "平城区 民政局", "--division", "140213"}));
  has.Do({"demand", "answer", own, "--text", "在本级平台"});
  const Client top = network["000000"].Operator();
  network.Until("国家 has the answer", [&] {
    const auto shown = top.Try({"demand", "show", own});
    return shown.ok() && StateOf(top, own) == "answered";
  });
  CHECK(has.Do({"demand", "show", own}).at("answers").size() == 1);
}

TEST_CASE("a demand nobody answers goes up to the authority above both, which assigns it") {
  constexpr int64_t kTwentyDays = 20 * 86'400;  // more than ten working days
  Network network({{"000000", "国家", "national", ""},
                   {"630000", "青海省", "province", "000000"},
                   {"140000", "山西省", "province", "000000"},
                   {"630100", "西宁市", "city", "630000"},
                   {"630102", "城东区", "county", "630100"}});
  Node& city = network["630100"];
  const Client needs = network["630102"].Editor();
  const Client shanxi = network["140000"].Editor();
  const Client hosted = city.AddDepartment("630103", "城中区教育局");
  const Client national = network["000000"].AddSupervisor("000000", "国家数据局");
  const Client of_city = city.AddSupervisor("630100", "西宁市数据局");
  const std::string far = IdOf(Say(needs, {"--from", shanxi.uscc()}));
  const std::string near = IdOf(Say(needs, {"--from", "城中区教育局", "--division", "630103"}));
  const std::string nobody = IdOf(Say(needs, {}));
  // Where nobody knows whom to ask it is at once the business of the own level.
  CHECK(needs.Do({"demand", "show", nobody}).at("escalated") == true);
  network.Until("both are found",
                [&] { return !TodoOf(shanxi, far).is_null() && !TodoOf(hosted, near).is_null(); });
  CHECK(national.Do({"todo"}).at("items").empty());
  CHECK(of_city.Do({"todo"}).at("items").empty());

  std::vector<std::unique_ptr<SetClock>> clocks;
  for (Node* node : network.nodes())
    clocks.push_back(std::make_unique<SetClock>(node, network.folder(), kTwentyDays));
  network.Until("国家 has what crosses provinces",
                [&] { return !TodoOf(national, far).is_null(); });
  network.Until("西宁市 has what it stands above",
                [&] { return !TodoOf(of_city, near).is_null(); });
  CHECK(TodoOf(national, far).at("days_left") < 0);
  CHECK(TodoOf(national, near).is_null());
  CHECK(TodoOf(of_city, far).is_null());
  // A term later it is that of the level above.
  CHECK_FALSE(TodoOf(of_city, nobody).is_null());
  network.Until("城东区 is told where it went", [&] {
    const Json view = needs.Do({"demand", "show", far});
    return view.at("escalated") == true && view.at("authority") == "" &&
           needs.Do({"demand", "show", near}).at("authority") == city.path();
  });
  const Json counts = network["000000"].Operator().Do({"demand", "count"});
  CHECK(counts.at("total").at("overdue") == "3");

  CHECK(ReasonOf(shanxi.Try({"demand", "assign", far, "--to", hosted.uscc()})) == "not_asked");
  national.Do({"demand", "assign", far, "--to", hosted.uscc(), "--text", "由城中区提供"});
  network.Until("it is found by whom it was assigned to", [&] {
    const Json item = TodoOf(hosted, far);
    return !item.is_null() && item.at("days_left") == 10;
  });
  CHECK(TodoOf(national, far).is_null());
  hosted.Do({"demand", "answer", far, "--text", "可以提供"});
  of_city.Do({"demand", "refuse", near, "--reason", "法律不允许"});
  network.Until("城东区 sees both", [&] {
    return StateOf(needs, far) == "answered" && StateOf(needs, near) == "refused";
  });
  const Json answers = needs.Do({"demand", "show", far}).at("answers");
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].at("answer").at("supervising") == true);
  CHECK(answers[1].at("answer").at("department") == "城中区教育局");
}

TEST_CASE("a list of demands is imported from a sheet, answered, and exported as one") {
  Network network({{"630000", "青海省", "province", ""}});
  Node& node = network["630000"];
  const Client needs = node.AddDepartment("630000", "省教育厅");
  const Client has = node.AddDepartment("630000", "省民政厅");
  const std::string& folder = network.folder().path();
  const std::string head =
      "青海省共享需求清单（2026 年）,,,,,\n序号,需求内容,数据提供部门,需求依据,使用场景,更新频率\n";
  const std::string file = network.folder().File(
      "demands.csv", head + "1,低保人员名单,省民政厅,社会救助暂行办法,学生资助,每月\n" +
                         "2,孤儿名单,,未成年人保护法,学生资助,每季度\n");
  const Outcome refused = needs.Try(
      {"demand", "import",
       network.folder().File("bad.csv", head + "1,低保人员名单,省民政厅,,学生资助,每月\n")});
  CHECK(ReasonOf(refused) == "import_refused");
  CHECK(refused.err.find("第 3 行") != std::string::npos);
  CHECK(refused.err.find("依据") != std::string::npos);
  CHECK(needs.Do({"demand", "list", "--mine"}).at("demands").empty());
  CHECK(needs.Do({"demand", "import", file, "--dry-run"}).at("added") == 2);
  const Json stored = needs.Do({"demand", "import", file});
  CHECK(stored.at("stored") == true);
  const std::string id = stored.at("demands")[0].at("id");
  CHECK_FALSE(TodoOf(has, id).is_null());
  has.Do({"demand", "answer", id, "--text", "按月提供"});
  node.Kill();
  node.Start();
  CHECK(needs.Do({"demand", "import", file}).at("same") == 2);
  const std::string out = folder + "/demands.xlsx";
  CHECK(needs.Do({"demand", "export", "--mine", "--out", out}).at("demands") == 2);
  const Json again = needs.Do({"demand", "import", out});
  CHECK(again.at("same") == 2);
  CHECK(again.at("added") == 0);
}

}  // namespace
}  // namespace guantong::test
