// What a level rules on an entry: who may, what it changes for whom, and that the entry itself
// stays its department's.
#include "catalog/rulings.h"

#include "catalog/facts.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

constexpr char kLevelUscc[] = "11630102MB00000058";

// The node's own division is 000000, its department another's: the level above in one process.
class Level : public Office {
 public:
  Level() { AddDepartment(kLevelUscc, "国家数据局", true, "000000"); }
  CallerIdentity level() const { return As(CertificateRole::kApprover, kLevelUscc, "l"); }
  static v1::RuleRequest On(const std::string& code) {
    v1::RuleRequest request;
    request.set_code(code);
    return request;
  }
  v1::HeldRuling Held(const std::string& code) {
    v1::RulingsRequest request;
    request.set_code(code);
    const auto rulings = node.rulings().List(request);
    REQUIRE(rulings.ok());
    REQUIRE(rulings->rulings_size() == 1);
    return rulings->rulings(0);
  }
};

TEST_CASE("rulings: returned with a deadline, until a later version is in force") {
  Level level;
  LoneNode& node = level.node;
  const std::string code = level.Draft();
  v1::RuleRequest rule = Level::On(code);
  rule.mutable_rework()->set_deadline("2999-01-04");
  CHECK(ReasonOf(node.rulings().Rule(level.approver(), rule).status()) == "not_yours_to_rule");
  CHECK(ReasonOf(node.rulings().Rule(level.level(), rule).status()) == "entry_unknown");
  level.Publish(code);
  CHECK(ReasonOf(node.rulings().Rule(level.level(), rule).status()) == "reason_missing");
  rule.mutable_rework()->set_reason("缺少主键");
  rule.mutable_rework()->set_deadline("2020-01-04");
  CHECK(ReasonOf(node.rulings().Rule(level.level(), rule).status()) == "ruling_invalid");
  rule.mutable_rework()->set_deadline("2999-01-04");
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());

  const auto todo = node.worklist().Todo(level.editor());
  REQUIRE(todo.ok());
  REQUIRE(todo->items_size() == 1);
  CHECK(todo->items(0).reason() == "缺少主键");
  CHECK(todo->items(0).due() == "2999-01-04");
  CHECK(todo->items(0).days_left() > 200000);
  CHECK(node.worklist().Todo(level.approver())->items_size() == 0);
  CHECK(level.Why(code).reason() == "缺少主键");
  CHECK(level.Held(code).rework_open());
  // The entry stays as it was.
  CHECK(node.catalogue().Show(level.editor(), code, absl::InfiniteFuture())->entry().version() ==
        1);

  // What comes in force and says nothing new is no answer.
  REQUIRE(node.publication().Suspend(level.approver(), LoneNode::OfCode(code)).ok());
  REQUIRE(node.publication().Publish(level.approver(), LoneNode::OfCode(code)).ok());
  CHECK(node.catalogue().Show(level.editor(), code, absl::InfiniteFuture())->entry().version() ==
        3);
  CHECK(level.Held(code).rework_open());

  REQUIRE(level.Edit(code, [](auto* entry) { entry->set_abstract("新摘要"); }).ok());
  CHECK(node.worklist().Todo(level.editor())->items_size() == 2);
  level.Publish(code);
  CHECK(node.worklist().Todo(level.editor())->items_size() == 0);
  CHECK_FALSE(level.Held(code).rework_open());
  CHECK(level.Why(code).reason().empty());
}

TEST_CASE("rulings: hidden from all but its department and whoever rules, and shown again") {
  Level level;
  LoneNode& node = level.node;
  const std::string code = level.Draft();
  level.Publish(code);
  const auto show = [&](const CallerIdentity& caller) {
    return ReasonOf(node.catalogue().Show(caller, code, absl::InfiniteFuture()).status());
  };
  v1::RuleRequest rule = Level::On(code);
  rule.set_hide("");
  CHECK(ReasonOf(node.rulings().Rule(level.level(), rule).status()) == "reason_missing");
  rule.set_hide("与他部门重复");
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());
  CHECK(show(level.As(CertificateRole::kEditor, kOtherUscc, "o")) == "entry_hidden");
  CHECK(show(level.editor()).empty());
  CHECK(show(level.level()).empty());
  const auto listed = [&](const CallerIdentity& caller) {
    return node.catalogue().List(caller, {})->entries_size();
  };
  CHECK(listed(level.As(CertificateRole::kEditor, kOtherUscc, "o")) == 0);
  CHECK(listed(level.editor()) == 1);
  CHECK(listed(level.level()) == 1);
  v1::FindRequest find;
  find.set_words("街道");
  const auto found = [&] {
    return node.searches().Find(find, level.editor(), absl::InfiniteFuture())->hits_size();
  };
  CHECK(found() == 0);
  CHECK(level.Why(code).reason() == "与他部门重复");
  const std::vector<Ruler> rulers = {{.node_id = node.site().node_id(), .path = NodePath()}};
  CHECK(HiddenEntries(node.store(), rulers).Hides(code, *NodePath::Parse("630000/630100")));
  // Its data go on being answered.
  v1::QueryRequest query;
  query.set_code(code);
  CHECK(node.Query(query, kOtherUscc).ok());

  rule.Clear();
  rule.set_code(code);
  rule.set_unhide(true);
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());
  CHECK(show(level.As(CertificateRole::kEditor, kOtherUscc, "o")).empty());
  CHECK(listed(level.As(CertificateRole::kEditor, kOtherUscc, "o")) == 1);
  CHECK(found() == 1);
}

TEST_CASE("rulings: tags and the authority stand beside each other, over a restart") {
  Level level;
  LoneNode& node = level.node;
  const std::string code = level.Draft();
  level.Publish(code);
  const auto rule = [&](const std::function<void(v1::RuleRequest*)>& what) {
    v1::RuleRequest request = Level::On(code);
    what(&request);
    return node.rulings().Rule(level.level(), request).status();
  };
  REQUIRE(rule([](auto* r) { r->set_tag("一数一源"); }).ok());
  REQUIRE(rule([](auto* r) { r->set_tag("重点"); }).ok());
  REQUIRE(rule([](auto* r) { r->set_tag("重点"); }).ok());
  CHECK(ReasonOf(rule([](auto* r) { r->set_authority("1234"); })) == "ruling_invalid");
  REQUIRE(rule([](auto* r) { r->set_authority("11100000000013338W"); }).ok());
  REQUIRE(rule([](auto* r) { r->set_untag("一数一源"); }).ok());
  CHECK(ReasonOf(rule([](auto*) {})) == "ruling_invalid");
  node.Restart();
  const v1::Ruling held = level.Held(code).ruling();
  REQUIRE(held.tags_size() == 1);
  CHECK(held.tags(0) == "重点");
  CHECK(held.authority() == "11100000000013338W");
  CHECK(held.by() == "国家数据局");
}

TEST_CASE("rulings: what a level says about an entry of another branch counts for nothing") {
  MemoryStore store;
  const std::string province(32, 'p');
  v1::Ruling ruling;
  ruling.set_code("3/1");
  ruling.set_hidden_because("不是我的");
  v1::Records records;
  records.add_records()->set_ruling(ruling.SerializeAsString());
  WriteSet writes;
  REQUIRE(ApplyRecords(RulingsFeed(province), NodePath(), records, &writes).refused == 0);
  REQUIRE(store.Commit({&writes, 1}).ok());
  const std::vector<Ruler> rulers = {{.node_id = province, .path = *NodePath::Parse("630000")}};
  CHECK(RulingsOn(store, rulers, "3/1", *NodePath::Parse("630000/630100")).size() == 1);
  CHECK(RulingsOn(store, rulers, "3/1", *NodePath::Parse("440000/441900")).empty());
  CHECK(HiddenEntries(store, rulers).Hides("3/1", *NodePath::Parse("630000/630100")));
  CHECK_FALSE(HiddenEntries(store, rulers).Hides("3/1", *NodePath::Parse("440000/441900")));
}

TEST_CASE("rulings: the authority of a hosted division rules on its entries, beside the level") {
  Level level;
  LoneNode& node = level.node;
  constexpr char kCounty[] = "11630103MB00000045";
  level.AddDepartment(kCounty, "城中区数据局", true, "630103");
  level.AddDepartment("11630102MB00000066", "城东区教育局", false);
  const CallerIdentity neighbour = level.As(CertificateRole::kEditor, "11630102MB00000066", "n");
  const CallerIdentity stranger = level.As(CertificateRole::kEditor, kOtherUscc, "o");
  const CallerIdentity other_county = level.As(CertificateRole::kApprover, kCounty, "c");
  const std::string code = level.Draft();
  level.Publish(code);
  v1::RuleRequest rule = Level::On(code);
  rule.set_hide("核对中");
  CHECK(ReasonOf(node.rulings().Rule(other_county, rule).status()) == "not_your_branch");
  CHECK(ReasonOf(node.rulings().Rule(level.approver(), rule).status()) == "not_yours_to_rule");
  const auto ruled = node.rulings().Rule(level.supervisor(), rule);
  REQUIRE(ruled.ok());
  CHECK(ruled->division() == "630102");
  const auto show = [&](const CallerIdentity& caller) {
    return ReasonOf(node.catalogue().Show(caller, code, absl::InfiniteFuture()).status());
  };
  const auto listed = [&](const CallerIdentity& caller) {
    return node.catalogue().List(caller, {})->entries_size();
  };
  // Its own division sees it no more; all others at the node do.
  CHECK(show(neighbour) == "entry_hidden");
  CHECK(listed(neighbour) == 0);
  CHECK(show(stranger).empty());
  CHECK(listed(stranger) == 1);
  CHECK(show(level.editor()).empty());
  CHECK(listed(level.editor()) == 1);
  CHECK(show(level.supervisor()).empty());
  CHECK(show(other_county).empty());
  // In no hit and no count either.
  const auto hits = [&](const CallerIdentity& caller) {
    v1::FindRequest find;
    find.set_words("街道");
    find.set_facets(true);
    const HiddenEntries hidden = node.rulings().HiddenInDivision(caller);
    const auto found = node.searches().Find(find, caller, absl::InfiniteFuture(), hidden);
    REQUIRE(found.ok());
    CHECK(found->total() == static_cast<uint64_t>(found->hits_size()));
    for (const v1::Facet& facet : found->facets()) {
      if (facet.name() == "sharing") CHECK(facet.counts_size() == found->hits_size());
    }
    CHECK(node.searches().Browse({}, hidden).entries() == found->total());
    return found->hits_size();
  };
  CHECK(hits(neighbour) == 0);
  CHECK(hits(stranger) == 1);
  CHECK(hits(level.editor()) == 1);
  CHECK(hits(level.supervisor()) == 1);

  // What the level says stands beside it; neither takes the other's away.
  rule.Clear();
  rule.set_code(code);
  rule.set_tag("重点");
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());
  rule.mutable_rework()->set_reason("缺少主键");
  rule.mutable_rework()->set_deadline("2999-01-04");
  REQUIRE(node.rulings().Rule(level.supervisor(), rule).ok());
  node.Restart();
  v1::RulingsRequest of_entry;
  of_entry.set_code(code);
  const auto rulings = node.rulings().List(of_entry);
  REQUIRE(rulings->rulings_size() == 2);
  CHECK(rulings->rulings(0).ruling().hidden_because() == "核对中");
  CHECK(rulings->rulings(0).rework_open());
  CHECK(rulings->rulings(0).ruling().by() == "数据局");
  CHECK(rulings->rulings(0).ruling().tags().empty());
  CHECK(rulings->rulings(1).ruling().tags(0) == "重点");
  CHECK(rulings->rulings(1).ruling().division().empty());
  CHECK(node.rulings().List({})->rulings_size() == 2);
  const auto todo = node.worklist().Todo(level.editor());
  REQUIRE(todo->items_size() == 1);
  CHECK(todo->items(0).reason() == "缺少主键");
  CHECK(level.Why(code).reason() == "缺少主键");
  rule.Clear();
  rule.set_code(code);
  rule.set_unhide(true);
  REQUIRE(node.rulings().Rule(level.supervisor(), rule).ok());
  CHECK(listed(neighbour) == 1);
}

TEST_CASE("rulings: what is ruled is told with the entry, alone and in lists") {
  Level level;
  LoneNode& node = level.node;
  const std::string code = level.Draft();
  level.Publish(code);
  const auto shown = [&] {
    return *node.catalogue().Show(level.editor(), code, absl::InfiniteFuture());
  };
  CHECK(shown().rulings().empty());
  v1::RuleRequest rule = Level::On(code);
  rule.set_tag("一数一源");
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());
  rule.set_authority("11100000000013338W");
  REQUIRE(node.rulings().Rule(level.level(), rule).ok());
  const v1::ShowResponse one = shown();
  REQUIRE(one.rulings_size() == 1);
  CHECK(one.rulings(0).ruling().tags(0) == "一数一源");
  CHECK(one.rulings(0).ruling().authority() == "11100000000013338W");
  CHECK(one.rulings(0).level_name() == "国家");
  const auto list = node.catalogue().List(level.editor(), {});
  REQUIRE(list->entries_size() == 1);
  REQUIRE(list->entries(0).rulings_size() == 1);
  CHECK(list->entries(0).rulings(0).ruling().tags(0) == "一数一源");
  v1::FindResponse found;
  *found.add_hits()->mutable_shown()->mutable_entry() = one.entry();
  node.rulings().Describe(&found);
  CHECK(found.hits(0).shown().rulings(0).ruling().tags(0) == "一数一源");
}

}  // namespace
}  // namespace guantong
