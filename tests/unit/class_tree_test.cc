// The class tree: who may say what, what is flagged, and that nothing is cut from a code by width.
#include "catalog/class_tree.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/entry.h"
#include "node/sheets/code_files.h"
#include "tests/catch.h"
#include "tests/process/public_data.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

using Sources = std::vector<ClassSource>;

const std::string kRoot(32, 'r'), kProvince(32, 'p'), kCity(32, 'c');

v1::ClassNode Node(const std::string& code, const std::string& parent,
                   const std::string& name = "名称", const std::string& delegate = "") {
  v1::ClassNode node;
  node.set_code(code);
  node.set_parent(parent);
  node.set_name(name);
  node.set_delegate(delegate);
  return node;
}

// Segments of two and three digits, one branch delegated.
std::vector<v1::ClassNode> RootClasses() {
  return {Node("3", ""), Node("307", "3"), Node("307012", "307", "青海省", kProvince),
          Node("30701201", "307012"), Node("3070220", "307")};
}

size_t Errors(const std::vector<v1::Problem>& problems) {
  return static_cast<size_t>(
      std::count_if(problems.begin(), problems.end(),
                    [](const v1::Problem& problem) { return !problem.warning(); }));
}

TEST_CASE("classes: parents are what was said, whatever the widths") {
  const ClassTree tree(Sources{{.node_id = kRoot, .is_root = true, .classes = RootClasses()}});
  CHECK(tree.size() == 5);
  CHECK(tree.Children("307").size() == 2);
  CHECK(tree.Ancestors("30701201").size() == 3);
  CHECK(tree.Ancestors("30701201")[2].code() == "307012");
  CHECK(tree.Ancestors("3070220")[1].code() == "307");
  CHECK(tree.Children("")[0].code() == "3");
}

TEST_CASE("classes: what begins like a class need not stand below it") {
  const ClassTree tree(Sources{{.node_id = kRoot,
                                .is_root = true,
                                .classes = {Node("3", ""), Node("306", "3"), Node("30611", "306"),
                                            Node("306110", "306"), Node("3061101", "306110")}}});
  CHECK(tree.Within("30611", "30611"));
  CHECK_FALSE(tree.Within("306110", "30611"));
  CHECK_FALSE(tree.Within("3061101", "30611"));
  CHECK(tree.Within("3061101", "306"));
  CHECK(tree.Within("3061101", ""));
  CHECK_FALSE(tree.Within("306", "30611"));
  // Not known: where the longest beginning that is known stands, or by the beginning alone.
  CHECK(tree.Within("3061190", "30611"));
  CHECK_FALSE(tree.Within("306110199", "30611"));
  CHECK(tree.Within("306110", "3061"));
}

TEST_CASE("classes: found by name, and by a way of names where there are several") {
  const ClassTree tree(
      Sources{{.node_id = kRoot,
               .is_root = true,
               .classes = {Node("3", "", "部门"), Node("307", "3", "青海省"),
                           Node("30701", "307", "民政"), Node("308", "3", "广东省"),
                           Node("30801", "308", "民政"), Node("3080101", "30801", "社会救助")}}});
  const auto codes = [&](const std::string& name) {
    std::vector<std::string> found;
    for (const v1::ClassNode& node : tree.Named(name)) found.push_back(node.code());
    return found;
  };
  using Codes = std::vector<std::string>;
  CHECK(codes("民政") == Codes{"30701", "30801"});
  CHECK(codes(" 民 政、") == Codes{"30701", "30801"});
  CHECK(codes("广东省/民政") == Codes{"30801"});
  CHECK(codes("部门 ＞ 青海省→民政") == Codes{"30701"});
  CHECK(codes("部门/社会救助") == Codes{"3080101"});
  CHECK(codes("青海省/社会救助").empty());
  CHECK(codes("民政/广东省").empty());
  CHECK(codes("救助").empty());
  CHECK(codes("/").empty());
  CHECK(codes("").empty());
}

TEST_CASE("classes: a level says only what stands below a class delegated to it") {
  std::vector<v1::ClassNode> own = {Node("30701299", "307012", "省自设", kCity),
                                    Node("3070129901", "30701299"), Node("308", "3"),
                                    Node("307022001", "3070220")};
  const ClassTree tree(Sources{{.node_id = kRoot, .is_root = true, .classes = RootClasses()},
                               {.node_id = kProvince, .classes = own},
                               {.node_id = kCity, .classes = {Node("3070129902", "30701299")}}});
  CHECK(tree.Find("30701299") != nullptr);
  // Given on: what was there stays, what comes is the city's to say.
  CHECK(tree.Find("3070129901") != nullptr);
  CHECK(tree.Find("3070129902") != nullptr);
  CHECK(tree.Governor("30701299") == kCity);
  std::vector<v1::ClassNode> more = {Node("3070129903", "30701299")};
  CHECK(Errors(CheckClasses(tree, kProvince, {}, &more)) == 1);
  CHECK(Errors(CheckClasses(tree, kCity, {}, &more)) == 0);
  // What it said itself it may say again.
  std::vector<v1::ClassNode> again = {Node("3070129901", "30701299")};
  CHECK(Errors(CheckClasses(tree, kProvince, {}, &again)) == 0);
  CHECK(tree.Find("308") == nullptr);
  CHECK(tree.Find("307022001") == nullptr);
  CHECK(tree.Governor("3070220") == kRoot);
  CHECK(tree.Governor("307012") == kProvince);
  CHECK(tree.Delegate("3070129902") == kCity);
  CHECK(tree.Delegate("3070220").empty());
}

TEST_CASE("classes: what is wrong with a file is said, row by row") {
  const ClassTree tree(Sources{{.node_id = kRoot, .is_root = true, .classes = RootClasses()}});
  const auto check = [&](const std::string& who, v1::ClassNode node) {
    std::vector<v1::ClassNode> classes = {std::move(node)};
    return CheckClasses(tree, who, {7}, &classes);
  };
  CHECK(check(kRoot, Node("30702201", "307")).empty());
  for (const v1::ClassNode& bad :
       {Node("", "3"), Node("30x", "3"), Node("309", "3", ""), Node("3091", "309"),
        Node("409", "3"), Node("3", "3"), Node("307012", "3"), Node(std::string(25, '3'), "3")}) {
    INFO(bad.ShortDebugString());
    const auto problems = check(kRoot, bad);
    REQUIRE(Errors(problems) > 0);
    CHECK(problems[0].place().row() == 7);
    CHECK_FALSE(problems[0].text().empty());
  }
  CHECK(check(kProvince, Node("30701202", "307012")).empty());
  CHECK(check(kProvince, Node("310", "3"))[0].element() == "not_delegated");
  std::vector<v1::ClassNode> twice = {Node("311", "3"), Node("311", "3")};
  CHECK(Errors(CheckClasses(tree, kRoot, {}, &twice)) == 1);
}

TEST_CASE("classes: a number for a name betrays a shifted sheet, and all below it") {
  std::vector<v1::ClassNode> classes = {Node("4", "", "部门"), Node("401", "4", "7"),
                                        Node("40101", "401", "省"), Node("402", "4", "真分类")};
  const auto problems = CheckClasses(ClassTree(Sources{{.node_id = kRoot, .is_root = true}}), kRoot,
                                     {2, 3, 4, 5}, &classes);
  CHECK(Errors(problems) == 0);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].place().row() == 3);
  CHECK(problems[1].place().row() == 4);
  CHECK(classes[2].suspicious());
  CHECK_FALSE(classes[3].suspicious());
}

TEST_CASE("classes: an entry wants open classes that exist, once there is a tree") {
  std::vector<v1::ClassNode> classes = RootClasses();
  classes[4].set_closed(true);
  classes[4].set_successor("307012");
  const ClassTree tree(Sources{{.node_id = kRoot, .is_root = true, .classes = classes}});
  v1::CatalogEntry entry;
  entry.set_class_("999");
  CHECK(CheckClassesOf(entry, ClassTree()).empty());
  CHECK(Errors(CheckClassesOf(entry, tree)) == 1);
  entry.set_class_("3070220");
  REQUIRE(Errors(CheckClassesOf(entry, tree)) == 1);
  CHECK(CheckClassesOf(entry, tree)[0].text().find("307012") != std::string::npos);
  entry.set_class_("307012");
  entry.add_other_classes("3070220");
  CHECK(CheckClassesOf(entry, tree)[0].element() == "other_classes[0]");
}

// The shape of the national tree: 1 + 17 + many, mixed widths, a shifted part.
v1::ImportClassesRequest Twin() {
  v1::ImportClassesRequest request;
  const auto add = [&](const std::string& code, const std::string& parent,
                       const std::string& name) {
    *request.add_classes() = Node(code, parent, name);
  };
  for (const char* top : {"1", "2", "3"}) add(top, "", absl::StrCat("类", top));
  for (int theme = 10; theme < 99; ++theme) {
    const std::string code = absl::StrCat("2", theme);
    add(code, "2", absl::StrCat("主题", theme));
    for (int part = 10; part < 80; ++part)
      add(absl::StrCat(code, part % 2 == 0 ? "0" : "", part), code, absl::StrCat("细目", part));
  }
  for (int row = 10; row < 48; ++row) {
    std::string code = absl::StrCat("3", row), parent = "3";
    add(code, parent, absl::StrCat("许可", row));
    for (const char* name :
         {"1", "某省", "某局", "1135000000359166X3", "食品", "数据库", "oracle"}) {
      parent = code;
      code += "01";
      add(code, parent, name);
    }
  }
  return request;
}

TEST_CASE("classes: a tree of the national size loads, is walked, closed, and loads again") {
  LoneNode node;
  v1::ImportClassesRequest request = Twin();
  const auto imported = node.classes().Import(request);
  REQUIRE(imported.ok());
  CHECK(static_cast<int>(imported->added()) == request.classes_size());
  CHECK(imported->suspicious() == 38 * 7);
  node.Restart();
  v1::ClassesRequest top;
  CHECK(node.classes().List(top)->children_size() == 3);
  top.set_code("2");
  top.set_limit(50);
  auto page = node.classes().List(top);
  CHECK(page->children_size() == 50);
  top.set_page_token(page->next_page_token());
  CHECK(node.classes().List(top)->children_size() == 39);

  v1::CloseClassRequest close;
  close.set_code("210");
  close.set_successor("211");
  REQUIRE(node.classes().Close(close).ok());
  const auto again = node.classes().Import(request);
  REQUIRE(again.ok());
  CHECK(static_cast<int>(again->same()) == request.classes_size());
  top.Clear();
  top.set_code("210");
  CHECK(node.classes().List(top)->class_().closed());

  v1::CatalogEntry entry = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
  entry.set_class_("210");
  CHECK(ReasonOf(node.Register(entry).status()) == "entry_invalid");
  entry.set_class_("211");
  CHECK(node.Register(entry).ok());
}

TEST_CASE("classes: the real tree loads whole, its shifted sheet is flagged") {
  const std::string file =
      test::PublicData("catalog_classification/national_catalog_classification.csv");
  if (file.empty()) GUANTONG_SKIP("no public data beside the project");
  const auto request = ReadClassFile(file);
  REQUIRE(request.ok());
  CHECK(request->classes_size() == 6505);
  LoneNode node;
  const auto imported = node.classes().Import(*request);
  REQUIRE(imported.ok());
  CHECK(imported->added() == 6505);
  CHECK(imported->suspicious() == 272);
  CHECK(imported->problems_size() == 272);
  v1::ClassesRequest deepest;
  deepest.set_code("307019320101010101010101");
  CHECK(node.classes().List(deepest)->ancestors_size() == 11);
  // Siblings of two and three digits: 37 classes begin like one they do not stand below.
  const auto tree = node.classes().Tree(node.store());
  size_t apart = 0;
  for (const v1::ClassNode& one : request->classes()) {
    for (size_t length = 1; length < one.code().size(); ++length) {
      const std::string beginning = one.code().substr(0, length);
      apart += tree->Find(beginning) != nullptr && !tree->Within(one.code(), beginning) ? 1 : 0;
    }
  }
  CHECK(apart == 37);
}

TEST_CASE("classes: the turn of a delegate counts those around the class and below it") {
  v1::ClassNode above = Node("307", "3", "名称", kCity);
  v1::ClassNode below = Node("30701", "307", "名称", kProvince);
  below.set_delegate_turn(3);
  v1::ClassNode ended = Node("30702", "307");
  ended.set_delegate_turn(4);
  const ClassTree tree({{.node_id = kRoot,
                         .is_root = true,
                         .classes = {Node("3", ""), above, below, ended, Node("30801", "3")}}});
  CHECK(tree.DelegateTurn("307") == 1);  // as said before turns were counted
  CHECK(tree.DelegateTurn("30701") == 3);
  CHECK(tree.DelegateTurn("30702") == 1);
  CHECK(tree.DelegateTurn("30801") == 0);
  CHECK(tree.LastTurn("30701") == 3);
  CHECK(tree.LastTurn("30702") == 4);
  CHECK(tree.LastTurn("307") == 4);
  CHECK(tree.LastTurn("30801") == 0);
}

}  // namespace
}  // namespace guantong
