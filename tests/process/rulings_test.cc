// A province rules on an entry of one of its cities: the city hears of it, its siblings see it no
// more, the rest of the country does. And people of a department who come and go.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

std::vector<Place> TwoCities() {
  return {{"000000", "国家", "national", ""},
          {"630000", "青海省", "province", "000000"},
          {"440000", "广东省", "province", "000000"},
          {"630100", "西宁市", "city", "630000"},
          {"630200", "海东市", "city", "630000"}};
}

// Hits in all, and how the facet of sharing adds them up.
struct Counted {
  int total = 0, in_facet = 0;
};
Counted Count(const Client& client, const std::string& words) {
  const auto found =
      client.Do({"catalog", "search", words, "--scope", "country", "--facets", "--limit", "1"});
  Counted counted{.total = std::stoi(found.at("total").get<std::string>())};
  for (const auto& facet : found.at("facets")) {
    if (facet.at("name") != "sharing") continue;
    for (const auto& count : facet.at("counts"))
      counted.in_facet += std::stoi(count.at("entries").get<std::string>());
  }
  return counted;
}

bool Finds(const Client& client, const std::string& words, const std::string& code) {
  const auto found = client.Do({"catalog", "search", words, "--scope", "country"});
  for (const auto& hit : found.at("entries")) {
    if (hit.at("code") == code) return true;
  }
  return false;
}

TEST_CASE("a province returns an entry with a deadline and hides it in its branch alone") {
  Network network(TwoCities());
  Node& province = network["630000"];
  Node& city = network["630100"];
  const Client editor = city.Editor();
  const Client sibling = network["630200"].Editor();
  const Client far = network["440000"].Editor();
  const Client level = province.AddSupervisor("630000", "青海省数据局").Approver();
  const Entry entry = CodeAndName("西宁市社区名录");
  const std::string code = editor.Publish(entry, network.folder().path());
  network.Until("all know the entry", [&] {
    return Finds(sibling, entry.name, code) && Finds(far, entry.name, code) &&
           level.Try({"catalog", "show", code}).ok();
  });

  const Outcome refused =
      city.AddSupervisor("630100", "西宁市数据局").Try({"ruling", "hide", code, "--reason", "x"});
  CHECK(refused.exit_status == 4);
  CHECK(ReasonOf(refused) == "role_not_allowed");
  level.Do({"ruling", "rework", code, "--reason", "缺少更新日期", "--until", "2999-01-04"});
  network.Until("the city has it among its work", [&] {
    const auto todo = editor.Do({"todo"});
    return todo.at("items").size() == 1 && todo.at("items")[0].at("reason") == "缺少更新日期" &&
           todo.at("items")[0].at("due") == "2999-01-04";
  });
  CHECK(editor.Do({"why", code}).at("reason") == "缺少更新日期");
  CHECK(editor.Do({"ruling", "show", code}).at("rulings")[0].at("level_name") == "青海省");

  level.Do({"ruling", "hide", code, "--reason", "整改期间暂停展示"});
  network.Until("海东市 finds it no more", [&] { return !Finds(sibling, entry.name, code); });
  CHECK(ReasonOf(sibling.Try({"catalog", "show", code})) == "entry_hidden");
  CHECK(Finds(far, entry.name, code));
  // Counts say what hits say, also those that the top adds up.
  network.Until("the top has heard of it, too",
                [&] { return Count(sibling, "西宁市社区").in_facet == 0; });
  CHECK(Count(sibling, "西宁市社区").total == 0);
  CHECK(Count(far, "西宁市社区").in_facet == 1);
  CHECK(Count(far, "西宁市社区").total == 1);
  CHECK(editor.Try({"catalog", "show", code}).ok());
  // The index of the province follows its own word, over a crash as well.
  const Client of_province = province.Editor();
  const auto counted = [&] {
    return of_province.Do({"catalog", "browse", "3070120101"}).at("here");
  };
  network.Until("青海省 finds it no more", [&] { return !Finds(of_province, entry.name, code); });
  CHECK(counted() == "0");
  province.Kill();
  province.Start();
  network.UntilLinked(province);
  CHECK_FALSE(Finds(of_province, entry.name, code));

  // A later version is the answer.
  const std::string yaml = EntryYaml(entry, editor.department(), editor.uscc());
  editor.Do({"catalog", "edit",
             network.folder().File("mended.yaml", yaml + "code: " + code + "\nthemes: [社区]\n")});
  editor.Do({"catalog", "publish", code});
  CHECK(editor.Do({"todo"}).at("items").empty());
  network.Until("the province sees that it was mended", [&] {
    return level.Do({"ruling", "show", code}).at("rulings")[0].at("rework_open") == false;
  });
  level.Do({"ruling", "unhide", code});
  network.Until("海东市 finds it again", [&] { return Finds(sibling, entry.name, code); });
  network.Until("青海省 finds it again", [&] { return Finds(of_province, entry.name, code); });
  CHECK(counted() == "1");
}

TEST_CASE("a person hands over: contacts move, the old profile is turned away") {
  Network network({{"630000", "青海省", "province", ""}});
  Node& node = network["630000"];
  const Client editor = node.Editor();
  const Client approver = editor.Approver();
  const auto folder = [&](const char* name) {
    return absl::StrCat(network.folder().path(), "/", name);
  };
  const std::string old_id = approver
                                 .Do({"person", "add", "--name", "王芳", "--phone", "0971-1",
                                      "--role", "editor", "--out", folder("wang")})
                                 .at("person")
                                 .at("id");
  const std::string new_id =
      approver.Do({"person", "add", "--name", "李强", "--phone", "0971-2"}).at("person").at("id");
  CHECK(ReasonOf(editor.Try({"person", "add", "--name", "某"})) == "not_your_department");

  const Client wang = editor.With(folder("wang") + "/editor.yaml");
  const std::string yaml = EntryYaml(CodeAndName("街道名录"), editor.department(), editor.uscc()) +
                           "contact: {person: " + old_id + "}\n";
  const std::string code =
      wang.Do({"catalog", "register", network.folder().File("entry.yaml", yaml)}).at("code");
  wang.Do({"catalog", "publish", code});
  CHECK(wang.Do({"catalog", "show", code}).at("contact").at("name") == "王芳");
  CHECK(ReasonOf(approver.Try({"person", "disable", old_id})) == "person_has_work");

  CHECK(ReasonOf(approver.Try({"person", "hand-over", old_id, "--to", new_id})) == "keys_missing");
  const auto done = approver.Do({"person", "hand-over", old_id, "--to", new_id, "--role", "editor",
                                 "--out", folder("li"), "--reason", "调离"});
  CHECK(done.at("entries") == 1);
  const Outcome turned_away = wang.Try({"todo"});
  CHECK(turned_away.exit_status == 4);
  CHECK(ReasonOf(turned_away) == "person_disabled");
  const Client li = editor.With(folder("li") + "/editor.yaml");
  CHECK(li.Do({"catalog", "show", code}).at("contact").at("phone") == "0971-2");
  const auto history = li.Do({"catalog", "history", code});
  CHECK(history.at("acts")[0].at("by").at("person_name") == "王芳");
  CHECK(history.at("acts").back().at("kind") == "hand_over");
  node.Kill();
  node.Start();
  CHECK(ReasonOf(wang.Try({"todo"})) == "person_disabled");
  CHECK(li.Try({"todo"}).ok());
}

}  // namespace
}  // namespace guantong::test
