// An entry of a county on its way under two approvals, on real nodes: the policy and the class tree
// come from the root, the people use their profiles, the far end sees what is in force and nothing
// else.
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kApprovals = 2;

bool Finds(const Client& client, const std::string& words, const std::string& code) {
  const auto found = client.Do({"catalog", "search", words, "--scope", "country"});
  for (const auto& entry : found.at("entries")) {
    if (entry.at("code") == code) return true;
  }
  return false;
}

std::string StateOf(const nlohmann::json& entry) { return entry.at("state"); }

// Two provinces, each with a city, one with a county.
std::vector<Place> TwoBranches() {
  return {{"000000", "国家", "national", ""},
          {"630000", "青海省", "province", "000000"},
          {"440000", "广东省", "province", "000000"},
          {"630100", "西宁市", "city", "630000"},
          {"441900", "东莞市", "city", "440000"}};
}

TEST_CASE("an entry on its way: approved twice at its node, found at the far end") {
  Network network(TwoBranches(), nullptr, kApprovals);
  Node& city = network["630100"];

  // The tree of classes comes down to all, whatever their scope.
  network["000000"].Operator().Do(
      {"catalog", "classes", "import",
       network.folder().File("classes.csv",
                             "分类代码,分类名称,上级代码\n3,部门,root\n307,省,3\n"
                             "307012,青海省,307\n30701203,民政,307012\n3070120399,1,30701203\n")});
  network.Until("the class tree is known in 西宁市", [&] {
    return city.Operator().Do({"catalog", "classes"}).at("known") == "5";
  });
  CHECK(network["441900"]
            .Operator()
            .Do({"catalog", "classes", "3070120399"})
            .at("class")
            .at("suspicious") == true);

  const Client editor = city.AddDepartment("630100", "西宁市民政局");
  const Client approver = editor.Approver();
  const Client supervisor = city.AddSupervisor("630100", "西宁市数据局").Approver();
  Entry entry = CodeAndName("西宁市社区名录");
  entry.class_code = "30701299";
  std::string yaml = EntryYaml(entry, "西宁市民政局", editor.uscc());
  const Outcome unknown =
      editor.Try({"catalog", "register", network.folder().File("unknown.yaml", yaml)});
  CHECK(unknown.exit_status == 1);
  CHECK(ErrorOf(unknown).at("subject") == "class");
  entry.class_code = "30701203";
  yaml = EntryYaml(entry, "西宁市民政局", editor.uscc());
  const std::string file = network.folder().File("entry.yaml", yaml);
  const std::string code = editor.Do({"catalog", "register", file}).at("code");

  // The policy of the root holds here, and roles are kept apart.
  CHECK(ReasonOf(editor.Try({"catalog", "publish", code})) == "approval_needed");
  CHECK(StateOf(editor.Do({"catalog", "submit", code})) == "department_review");
  CHECK(ReasonOf(editor.Try({"catalog", "approve", code})) == "role_not_allowed");
  CHECK(ReasonOf(city.Operator().Try({"catalog", "approve", code})) == "role_not_allowed");
  CHECK(city.Operator().Try({"catalog", "approve", code}).exit_status == 4);
  CHECK(ReasonOf(supervisor.Try({"catalog", "approve", code})) == "not_yours_to_approve");
  auto todo = approver.Do({"todo"});
  REQUIRE(todo.at("items").size() == 1);
  CHECK(todo.at("items")[0].at("has_term") == true);
  CHECK(todo.at("items")[0].at("days_left") == 5);
  CHECK(StateOf(approver.Do({"catalog", "approve", code})) == "supervisor_review");
  CHECK(editor.Do({"why", code}).at("with") == "西宁市数据局");
  CHECK(supervisor.Do({"catalog", "show", code}).at("name") == "西宁市社区名录");
  CHECK(StateOf(supervisor.Do({"catalog", "publish", code})) == "published");

  const Client far = network["441900"].Editor();
  network.Until("the entry is found in 东莞市", [&] { return Finds(far, "西宁市社区名录", code); });
  editor.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 3, "社区"))});
  CHECK(far.Do({"query", code}).at("rows").size() == 3);

  // A change under approval shows nobody else anything.
  const std::string changed =
      network.folder().File("changed.yaml", yaml + "code: " + code + "\nkey_areas: [养老]\n");
  editor.Do({"catalog", "edit", changed});
  editor.Do({"catalog", "submit", code});
  CHECK(far.Do({"catalog", "show", code}).at("key_areas").empty());
  CHECK(ReasonOf(approver.Try({"catalog", "return", code})) == "reason_missing");
  CHECK(StateOf(approver.Do({"catalog", "return", code, "--reason", "不是重点领域"})) == "draft");
  CHECK(editor.Do({"todo"}).at("items")[0].at("reason") == "不是重点领域");

  // Suspended: found no more as published, asked in vain; published again, it answers.
  CHECK(ReasonOf(editor.Try({"catalog", "suspend", code})) == "approver_needed");
  approver.Do({"catalog", "suspend", code, "--reason", "核对"});
  network.Until("东莞市 is told that it is suspended", [&] {
    return ReasonOf(far.Try({"query", code})) == "entry_suspended";
  });
  supervisor.Do({"catalog", "publish", code});
  network.Until("it answers again", [&] { return far.Try({"query", code}).ok(); });

  const auto history = editor.Do({"catalog", "history", code});
  CHECK(history.at("acts").size() == 9);
  CHECK(history.at("acts")[3].at("by").at("department") == "西宁市数据局");
  CHECK(history.at("versions").size() == 3);

  // All of it is on disk.
  city.Kill();
  city.Start();
  network.UntilLinked(city);
  CHECK(editor.Do({"catalog", "history", code}).at("acts").size() == 9);
  CHECK(editor.Do({"catalog", "diff", code}).at("changes").size() == 1);
}

TEST_CASE("classes below a delegated one are the node's own, and their codes run from one") {
  Network network(FourLevels());
  Node& national = network["000000"];
  Node& province = network["630000"];
  national.Operator().Do({"catalog", "classes", "import",
                          network.folder().File("classes.csv",
                                                "classify_code,classify_name,parent_code\n"
                                                "3,部门,root\n307,省,3\n307012,青海省,307\n")});
  const std::string own = network.folder().File(
      "own.csv", "classify_code,classify_name,parent_code\n30701277,省自设,307012\n");
  network.Until("the tree is known in 青海省", [&] {
    return province.Operator().Do({"catalog", "classes"}).at("known") == "3";
  });
  const Outcome refused = province.Operator().Try({"catalog", "classes", "import", own});
  CHECK(refused.exit_status == 4);
  CHECK(ReasonOf(refused) == "class_not_delegated");
  national.Operator().Do({"catalog", "classes", "delegate", "307012", "--to", "630000"});
  network.Until("青海省 may say what is below", [&] {
    return province.Operator().Try({"catalog", "classes", "import", own}).ok();
  });
  // Below the province it is known, above it is not said twice.
  network.Until("the county knows it", [&] {
    return network["630102"].Operator().Do({"catalog", "classes"}).at("known") == "4";
  });
  Entry entry = CodeAndName("省自设名录");
  entry.class_code = "30701277";
  CHECK(province.Editor().Publish(entry, network.folder().path()) == "30701277/000001");
  CHECK(province.Editor().Publish(entry, network.folder().path()) == "30701277/000002");
  // Elsewhere below the same class many register: the division says whose it is.
  CHECK(network["630102"].Editor().Publish(entry, network.folder().path()) ==
        "30701277/630102000001");
  CHECK(ReasonOf(province.Operator().Try({"catalog", "classes", "close", "307"})) ==
        "class_not_delegated");
}

TEST_CASE("a code another node of the country has used is not given to a second entry") {
  Network network(TwoBranches());
  const std::string& folder = network.folder().path();
  Node& city = network["630100"];
  const Client editor = city.Editor();
  const std::string taken =
      network["441900"].Editor().Publish(CodeAndName("东莞市社区名录"), folder);
  network.Until("国家 has it", [&] {
    return network["000000"].Operator().Try({"catalog", "show", taken}).ok();
  });
  // Also one that has ended: codes are never used again.
  const auto brought = [&](const std::string& code) {
    const std::string yaml =
        EntryYaml(CodeAndName("西宁市社区名录"), editor.department(), editor.uscc());
    return editor.Do({"catalog", "register",
                      network.folder().File("brought.yaml", yaml + "code: " + code + "\n")});
  };
  for (const bool ended : {false, true}) {
    if (ended) {
      network["441900"].Editor().Do({"catalog", "withdraw", taken});
      network.Until("国家 knows that it has ended", [&] {
        return network["000000"].Operator().Do({"catalog", "show", taken}).at("state") ==
               "withdrawn";
      });
    }
    const auto other = brought(taken);
    CHECK(other.at("code") != taken);
    REQUIRE(other.at("warnings").size() == 1);
    CHECK(other.at("warnings")[0].at("element") == "code");
  }
  CHECK(brought("3070120101/000321").at("warnings").empty());
  const std::string sheet = network.folder().File(
      "brought.csv",
      "信息资源分类,信息资源代码,信息资源名称,信息资源摘要,信息资源格式,共享类型,更新周期,"
      "信息项名称,数据类型,数据长度\n3070120101," +
          taken + ",西宁市村名录,摘要,0105 pdf,无条件,每年,名称,C,20\n");
  CHECK(editor.Do({"catalog", "import", sheet}).at("entries")[0].at("code") != taken);
  // Alone a level goes on, and says what it could not ask.
  network["630000"].Kill();
  network.Until("the cut is seen",
                [&] { return brought("3070120101/000654").at("warnings").size() == 1; });
}

TEST_CASE("a day at an editor's desk: bound, listed, counted, unbound, withdrawn for all") {
  Network network(TwoBranches(), nullptr, 1);
  Node& city = network["630100"];
  const Client editor = city.Editor();
  const Client approver = editor.Approver();
  const Client national = network["000000"].Operator();
  std::string yaml = EntryYaml(CodeAndName("西宁市社区名录"), editor.department(), editor.uscc());
  yaml = yaml.substr(0, yaml.find("resources:")) + "format: \"0310\"\n" +
         yaml.substr(yaml.find("open:"));
  const std::string code =
      editor.Do({"catalog", "register", network.folder().File("entry.yaml", yaml)}).at("code");
  const auto listed = [&](const std::vector<std::string>& how) {
    std::vector<std::string> arguments = {"catalog", "list", "--mine"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    return editor.Do(arguments).at("entries").size();
  };
  CHECK(listed({"--state", "draft"}) == 1);
  CHECK(listed({"--state", "published"}) == 0);
  editor.Do({"catalog", "submit", code});
  CHECK(listed({"--state", "department_review"}) == 1);
  // With one approval the department's own approver puts it in force.
  CHECK(StateOf(approver.Do({"catalog", "approve", code})) == "published");
  CHECK(listed({"--unbound"}) == 1);
  CHECK(editor.Do({"mine"}).at("unbound") == "1");
  CHECK(ReasonOf(editor.Try({"catalog", "bind", code, "--mode", "file", "--format", "07"})) ==
        "entry_invalid");
  editor.Do({"catalog", "bind", code, "--mode", "table", "--format", "0310"});
  editor.Do({"catalog", "bind", code, "--mode", "table", "--format", "0308", "--id", "copy"});
  CHECK(listed({"--unbound"}) == 0);
  CHECK(editor.Do({"mine"}).at("unbound") == "0");
  const std::string rows = network.folder().File("rows.csv", "code,name\n1,东关\n");
  CHECK(ReasonOf(editor.Try({"push", code, rows})) == "resource_ambiguous");
  editor.Do({"push", code + ":copy", rows});
  CHECK(editor.Do({"query", code + ":copy", "--count"}).at("total") == "1");
  CHECK(editor.Do({"query", code + ":1", "--count"}).at("total") == "0");
  editor.Do({"catalog", "unbind", code + ":copy", "--reason", "停用"});
  CHECK(ReasonOf(editor.Try({"query", code + ":copy"})) == "resource_unknown");
  editor.Do({"push", code, rows});
  // Ended, it is a tombstone at every node that knew it, and in nobody's hits.
  const Client far = network["441900"].Editor();
  network.Until("东莞市 finds it", [&] { return Finds(far, "西宁市社区名录", code); });
  approver.Do({"catalog", "withdraw", code, "--reason", "机构改革"});
  network.Until("国家 has the tombstone", [&] {
    return StateOf(national.Do({"catalog", "show", code})) == "withdrawn";
  });
  CHECK(national.Do({"catalog", "show", code}).at("state_reason") == "机构改革");
  network.Until("东莞市 finds it no more", [&] { return !Finds(far, "西宁市社区名录", code); });
  CHECK(listed({"--state", "withdrawn"}) == 1);
  CHECK(editor.Do({"catalog", "history", code}).at("acts").size() == 7);
}

}  // namespace
}  // namespace guantong::test
