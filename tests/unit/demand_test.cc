// Demands: whom they ask, which answers count, what follows from them, and what one node does with
// them.
#include "catalog/demand.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/demand_view.h"
#include "catalog/facts.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/limits.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

absl::Time Day(int day) {
  return absl::FromCivil(absl::CivilDay(2026, 6, day), absl::FixedTimeZone(8 * 3600)) +
         absl::Hours(10);
}

v1::HeldAnswer Answer(v1::DemandAnswerKind kind, const std::string& uscc, const std::string& path,
                      bool supervising, int day, const std::string& to = "") {
  v1::HeldAnswer held;
  held.mutable_answer()->set_kind(kind);
  held.mutable_answer()->set_uscc(uscc);
  held.mutable_answer()->set_department(absl::StrCat("部门", uscc));
  held.mutable_answer()->set_division("140213");
  held.mutable_answer()->set_supervising(supervising);
  held.mutable_answer()->set_to(to);
  *held.mutable_answer()->mutable_at() = TimestampOf(Day(day));
  held.set_path(path);
  return held;
}

v1::Demand Asking(const std::string& from, const std::string& division = "") {
  v1::Demand demand;
  demand.set_id("D1");
  demand.set_key("D1");
  demand.set_from(from);
  demand.set_from_division(division);
  *demand.mutable_at() = TimestampOf(Day(1));  // a Monday
  return demand;
}

RuleBook TenDays() {
  v1::RulePack pack;
  pack.set_id("x");
  pack.set_effective_from("2020-01-01");
  v1::Term* term = pack.add_terms();
  term->set_name("demand_answer");
  term->set_working_days(10);
  RuleBook book;
  book.Add(pack);
  return book;
}

std::vector<v1::TreeNode> Nodes() {
  std::vector<v1::TreeNode> nodes;
  for (const auto& [path, division] :
       std::vector<std::pair<std::string, std::string>>{{"", "000000"},
                                                        {"63", "630000"},
                                                        {"63/6301", "630100"},
                                                        {"63/6301/c", "630102"},
                                                        {"14", "140000"}}) {
    v1::TreeNode& node = nodes.emplace_back();
    node.set_path(path);
    node.set_division(division);
  }
  return nodes;
}

const NodePath kCounty = *NodePath::Parse("63/6301/c");

TEST_CASE("demands: whom a name means") {
  v1::Department department;
  department.set_uscc(kOurUscc);
  department.set_name("城东区民政局");
  department.set_division("630102");
  CHECK(Names({.whom = kOurUscc}, department));
  CHECK(Names({.whom = absl::AsciiStrToLower(kOurUscc)}, department));
  CHECK(Names({.whom = "城东区 民政局"}, department));
  CHECK(Names({.whom = "城东区民政局", .division = "630102"}, department));
  CHECK_FALSE(Names({.whom = "城东区民政局", .division = "630103"}, department));
  CHECK_FALSE(Names({.whom = ""}, department));
  CHECK_FALSE(Names({.whom = kOtherUscc}, department));
}

TEST_CASE("demands: who may answer, and what follows") {
  const v1::Demand demand = Asking("部门A");
  const auto standing = [&](std::vector<v1::HeldAnswer> answers) {
    return StandingOf(demand, AnswersThatCount(demand, kCounty, answers));
  };
  using K = v1::DemandAnswerKind;
  const auto kReply = K::DEMAND_ANSWER_KIND_REPLY;
  CHECK(standing({}).state == v1::DEMAND_STATE_UNANSWERED);
  CHECK(standing({Answer(kReply, "B", "14", false, 2)}).state == v1::DEMAND_STATE_UNANSWERED);
  CHECK(standing({Answer(kReply, "A", "14", false, 2)}).state == v1::DEMAND_STATE_ANSWERED);
  // The newest counts, whatever order they come in.
  CHECK(standing({Answer(v1::DEMAND_ANSWER_KIND_MATCH, "A", "14", false, 3),
                  Answer(kReply, "B", "63", true, 2)})
            .state == v1::DEMAND_STATE_MATCHED);
  // An authority is one that stands above the demand, not beside it.
  CHECK(standing({Answer(v1::DEMAND_ANSWER_KIND_REFUSE, "B", "14", true, 2)}).state ==
        v1::DEMAND_STATE_UNANSWERED);
  CHECK(standing({Answer(v1::DEMAND_ANSWER_KIND_REFUSE, "B", "", true, 2)}).state ==
        v1::DEMAND_STATE_REFUSED);
  // Assigned: whose it is then may answer, and the term begins anew.
  const auto assigned = Answer(v1::DEMAND_ANSWER_KIND_ASSIGN, "B", "63", true, 5, "部门C");
  CHECK(standing({assigned}).state == v1::DEMAND_STATE_UNANSWERED);
  CHECK(standing({assigned}).asked.whom == "部门C");
  CHECK(standing({assigned}).since == Day(5));
  CHECK(standing({assigned, Answer(kReply, "C", "14", false, 6)}).state ==
        v1::DEMAND_STATE_ANSWERED);
  // Nobody but an authority assigns.
  CHECK(
      standing({Answer(v1::DEMAND_ANSWER_KIND_ASSIGN, "A", "14", false, 5, "部门C")}).asked.whom ==
      "部门A");
  v1::Demand closed = demand;
  closed.set_closed(true);
  CHECK(StandingOf(closed, {}).state == v1::DEMAND_STATE_CLOSED);
}

TEST_CASE("demands: an overdue one is the business of the node above both") {
  const RuleBook book = TenDays();
  const auto authority = [&](const v1::Demand& demand, absl::CivilDay today) {
    const auto path = AuthorityOf(StandingOf(demand, {}), kCounty, Nodes(), book, today);
    return path.has_value() ? DisplayPath(*path) : "none";
  };
  const absl::CivilDay due(2026, 6, 15), after(2026, 6, 16), second(2026, 6, 30);
  CHECK(DueDay(StandingOf(Asking("甲"), {}), book) == due);
  CHECK(authority(Asking("甲", "140213"), due) == "none");
  CHECK(authority(Asking("甲", "140213"), after) == "/");
  CHECK(authority(Asking("甲", "630121"), after) == "/63/6301");  // hosted by its city
  CHECK(authority(Asking("甲", "632800"), after) == "/63");
  CHECK(authority(Asking("甲", "630102"), after) == "/63/6301/c");
  CHECK(authority(Asking("11441900MB0000002D"), after) == "/");
  // A name alone: the own level after a term, then one more each.
  CHECK(authority(Asking("甲"), due) == "none");
  CHECK(authority(Asking("甲"), after) == "/63/6301/c");
  CHECK(authority(Asking("甲"), second) == "/63/6301");
  // Nobody to ask: the own level at once.
  CHECK(authority(Asking(""), due) == "/63/6301/c");
  CHECK(authority(Asking(""), after) == "/63/6301");
  CHECK(authority(Asking(""), absl::CivilDay(2027, 6, 1)) == "/");
  // No term, no clock.
  CHECK_FALSE(DueDay(StandingOf(Asking("甲"), {}), RuleBook()).has_value());
  CHECK_FALSE(AuthorityOf(StandingOf(Asking("甲", "140213"), {}), kCounty, Nodes(), RuleBook(),
                          absl::CivilDay(2027, 6, 1))
                  .has_value());
}

TEST_CASE("demands: what has to be said, and under which name a record stands") {
  v1::Demand demand = Asking("甲");
  demand.set_what("名单");
  demand.set_basis("办法");
  demand.set_scenario("核对");
  demand.set_frequency("每月");
  CHECK(CheckDemand(demand).empty());
  for (const char* element : {"what", "basis", "scenario", "frequency"}) {
    v1::Demand lacks = demand;
    lacks.GetReflection()->ClearField(&lacks, lacks.GetDescriptor()->FindFieldByName(element));
    REQUIRE(CheckDemand(lacks).size() == 1);
    CHECK(CheckDemand(lacks)[0].element() == element);
  }
  demand.set_from("91350100M000100Y4Z");
  CHECK(CheckDemand(demand)[0].element() == "from");
  demand.set_from_division("63");
  CHECK(CheckDemand(demand).size() == 2);

  CHECK(NameOfDemand(Asking("甲")) == "D1");
  v1::Demand other = Asking("甲");
  other.set_key("D2");
  CHECK(NameOfDemand(other).empty());
  other.set_id("D/2");
  other.set_key("D/2");
  CHECK(NameOfDemand(other).empty());
  other.set_id(std::string("D\0002", 3));
  other.set_key(other.id());
  CHECK(NameOfDemand(other).empty());
}

struct Board : Office {
  Board() : Office(0) { AddDepartment(kOtherUscc, "教育局", false, "441900"); }

  CallerIdentity asked() const { return As(CertificateRole::kEditor, kOtherUscc, "o"); }
  absl::StatusOr<v1::DemandView> Say(const std::string& from, const std::string& division = "") {
    v1::RegisterDemandRequest request;
    request.mutable_demand()->set_from_division(division);
    request.mutable_demand()->set_what("学籍");
    request.mutable_demand()->set_from(from);
    request.mutable_demand()->set_basis("办法");
    request.mutable_demand()->set_scenario("核对");
    request.mutable_demand()->set_frequency("每月");
    return node.demands().Say(editor(), request);
  }
  absl::StatusOr<v1::DemandView> Reply(const CallerIdentity& caller, const std::string& id,
                                       v1::DemandAnswerKind kind, const std::string& text,
                                       const std::string& code = "") {
    v1::AnswerDemandRequest request;
    request.set_id(id);
    request.mutable_answer()->set_kind(kind);
    request.mutable_answer()->set_text(text);
    request.mutable_answer()->set_code(code);
    request.mutable_answer()->set_to(text);
    return node.demands().Answer(caller, request, absl::InfiniteFuture());
  }
  size_t Todo(const CallerIdentity& caller) {
    return static_cast<size_t>(node.worklist().Todo(caller)->items_size());
  }
  v1::DemandState StateOf(const std::string& id) {
    return node.demands().Show(editor(), id, absl::InfiniteFuture())->state();
  }
  size_t Listed(const CallerIdentity& caller, v1::DemandBox box) {
    v1::ListDemandsRequest request;
    request.set_box(box);
    request.set_limit(1);
    size_t count = 0;
    do {
      const auto page = node.demands().List(caller, request, absl::InfiniteFuture());
      REQUIRE(page.ok());
      count += static_cast<size_t>(page->demands_size());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return count;
  }
};

TEST_CASE("demands: said, found, answered, matched, closed at one node") {
  Board board;
  LoneNode& node = board.node;
  CHECK(ReasonOf(board.Say(kOurUscc).status()) == "demand_invalid");
  const auto said = board.Say("教育局");
  REQUIRE(said.ok());
  const std::string id = said->demand().id();
  const std::string second = board.Say(kOtherUscc)->demand().id();
  CHECK(id != second);
  CHECK(board.Todo(board.asked()) == 2);
  CHECK(board.Todo(board.editor()) == 0);
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_MINE) == 2);
  CHECK(board.Listed(board.asked(), v1::DEMAND_BOX_ASKED) == 2);
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_ASKED) == 0);
  // A department of the same name in another division is another one.
  REQUIRE(board.Say("教育局", "140213").ok());
  CHECK(board.Listed(board.asked(), v1::DEMAND_BOX_ASKED) == 2);
  CHECK(board.Todo(board.asked()) == 2);

  const auto kReply = v1::DEMAND_ANSWER_KIND_REPLY;
  CHECK(ReasonOf(board.Reply(board.editor(), id, kReply, "有").status()) == "not_asked");
  CHECK(ReasonOf(board.Reply(board.asked(), id, kReply, "").status()) == "demand_invalid");
  CHECK(ReasonOf(board.Reply(board.asked(), "D9", kReply, "有").status()) == "demand_unknown");
  REQUIRE(board.Reply(board.asked(), id, kReply, "按月提供").ok());
  CHECK(board.StateOf(id) == v1::DEMAND_STATE_ANSWERED);
  CHECK(board.Todo(board.asked()) == 1);
  CHECK(board.Todo(board.editor()) == 1);

  node.Restart();
  const std::string code = node.Publish();
  CHECK(
      ReasonOf(board.Reply(board.asked(), id, v1::DEMAND_ANSWER_KIND_MATCH, "", "9/1").status()) ==
      "entry_unknown");
  const auto matched = board.Reply(board.asked(), id, v1::DEMAND_ANSWER_KIND_MATCH, "", code);
  REQUIRE(matched.ok());
  CHECK(board.StateOf(id) == v1::DEMAND_STATE_MATCHED);
  // The later answer of a department takes the place of its earlier one.
  CHECK(matched->answers_size() == 1);
  const auto shown = node.demands().Show(board.editor(), id, absl::InfiniteFuture());
  REQUIRE(shown->answers_size() == 1);
  CHECK(shown->answers(0).answer().code() == code);
  v1::CloseDemandRequest close;
  close.set_id(id);
  CHECK(ReasonOf(node.demands().Close(board.asked(), close, absl::InfiniteFuture()).status()) ==
        "not_your_demand");
  REQUIRE(node.demands().Close(board.editor(), close, absl::InfiniteFuture()).ok());
  CHECK(ReasonOf(board.Reply(board.asked(), id, kReply, "有").status()) == "demand_closed");
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_MINE) == 2);
  const auto counts = node.demands().Count(board.editor(), absl::InfiniteFuture());
  CHECK(counts->total().closed() == 1);
  CHECK(counts->total().unanswered() == 2);
  CHECK(counts->total().overdue() == 0);
}

TEST_CASE("demands: the authority answers, assigns, and nobody else does") {
  Board board;
  LoneNode& node = board.node;
  board.AddDepartment("11000000MB0000004D", "国家数据局", true, "000000");
  board.AddDepartment(kSupervisorUscc, "数据局", false);  // the hosted division has no authority
  const CallerIdentity authority = board.As(CertificateRole::kApprover, "11000000MB0000004D", "n");
  const std::string id = board.Say("")->demand().id();
  CHECK(board.Todo(authority) == 1);
  CHECK(board.Listed(authority, v1::DEMAND_BOX_SUPERVISED) == 1);
  CHECK(board.Todo(board.asked()) == 0);
  const auto kAssign = v1::DEMAND_ANSWER_KIND_ASSIGN;
  CHECK(ReasonOf(board.Reply(board.asked(), id, kAssign, "教育局").status()) == "not_asked");
  CHECK(ReasonOf(board.Reply(authority, id, kAssign, "").status()) == "demand_invalid");
  REQUIRE(board.Reply(authority, id, kAssign, "教育局").ok());
  CHECK(board.Todo(authority) == 0);
  CHECK(board.Todo(board.asked()) == 1);
  REQUIRE(board.Reply(board.asked(), id, v1::DEMAND_ANSWER_KIND_REFUSE, "无此数据").ok());
  CHECK(board.StateOf(id) == v1::DEMAND_STATE_REFUSED);
  CHECK(board.Todo(board.asked()) == 0);

  // An old one that nobody has answered.
  v1::Demand old = Asking("教育局", "441900");
  old.set_node(node.site().node_id());
  old.set_uscc(kOurUscc);
  *old.mutable_at() = TimestampOf(absl::Now() - absl::Hours(24 * 30));
  AppendRecords append = {.kind = v1::FEED_KIND_DEMANDS};
  append.records.emplace_back().set_demand(old.SerializeAsString());
  REQUIRE(node.driver().Write(std::move(append)).ok());
  CHECK(board.Todo(authority) == 1);
  CHECK(node.worklist().Todo(authority)->items(0).days_left() < 0);
  CHECK(node.demands().Count(authority, absl::InfiniteFuture())->total().overdue() == 1);
}

TEST_CASE("demands: what a node says of another's demand counts for nothing, but an answer") {
  LoneNode node;
  const std::string beside(32, 'b');
  v1::FeedId feed;
  feed.set_origin(beside);
  feed.set_kind(v1::FEED_KIND_DEMANDS);
  v1::Demand foreign = Asking("甲");
  foreign.set_node(node.site().node_id());
  WriteSet writes;
  v1::Records records;
  records.add_records()->set_demand(foreign.SerializeAsString());
  CHECK(ApplyRecords(feed, NodePath(), records, &writes).refused == 0);
  v1::Demand unnamed = Asking("甲");
  unnamed.set_key("D2");
  records.Clear();
  records.add_records()->set_demand(unnamed.SerializeAsString());
  CHECK(ApplyRecords(feed, NodePath(), records, &writes).refused == 1);
  REQUIRE(node.store().Commit({&writes, 1}).ok());
  CHECK(FindDemands(*node.store().Snapshot(), "D1").empty());
  CHECK(DemandIds(*node.store().Snapshot(), "", 10) == std::vector<std::string>{"D1"});
  // Gone with its feed, and its indices with it.
  WriteSet drop;
  REQUIRE(DropRecords(*node.store().Snapshot(), feed, &drop).ok());
  REQUIRE(node.store().Commit({&drop, 1}).ok());
  CHECK(DemandIds(*node.store().Snapshot(), "", 10).empty());
  CHECK(DemandsAsking(*node.store().Snapshot(), AddresseeKey("甲"), 10).empty());
}

TEST_CASE("demands: many of one file, all or none, none twice") {
  Board board;
  LoneNode& node = board.node;
  v1::ImportDemandsRequest request;
  const auto add = [&](const std::string& what, const std::string& from) {
    v1::Demand* demand = request.add_demands();
    demand->set_what(what);
    demand->set_from(from);
    demand->set_basis("依据");
    demand->set_scenario("场景");
    demand->set_frequency("每月");
  };
  const auto import = [&] { return *node.demands().Import(board.editor(), request); };
  add("户籍信息", "教育局");
  add("学籍信息", "教育局");
  add("", "教育局");
  add("住房信息", "民政局");  // the caller's own
  add("户籍信息", "教育 局");
  const auto refused = import();
  CHECK_FALSE(refused.stored());
  CHECK(refused.refused() == 3);
  CHECK(refused.demands(0).problems().empty());
  CHECK(refused.demands(0).id().empty());
  CHECK(refused.demands(2).problems(0).element() == "what");
  CHECK(refused.demands(3).problems(0).element() == "from");
  CHECK(refused.demands(4).problems_size() == 1);
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_MINE) == 0);

  request.mutable_demands()->DeleteSubrange(2, 3);
  request.set_dry_run(true);
  CHECK(import().added() == 2);
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_MINE) == 0);
  request.set_dry_run(false);
  const auto stored = import();
  CHECK(stored.stored());
  CHECK(stored.demands(0).id() != stored.demands(1).id());
  CHECK(board.Todo(board.asked()) == 2);
  node.Restart();
  const auto again = import();
  CHECK_FALSE(again.stored());
  CHECK(again.same() == 2);
  CHECK(again.demands(1).id() == stored.demands(1).id());
  CHECK(board.Listed(board.editor(), v1::DEMAND_BOX_MINE) == 2);
  // What is closed may be said again; an id is never given again.
  v1::CloseDemandRequest close;
  close.set_id(stored.demands(0).id());
  REQUIRE(node.demands().Close(board.editor(), close, absl::InfiniteFuture()).ok());
  const auto anew = import();
  CHECK(anew.added() == 1);
  CHECK(anew.demands(0).id() != stored.demands(0).id());
  // Another department says the same for itself.
  CHECK(node.demands()
            .Import(board.As(CertificateRole::kEditor, kSupervisorUscc, "x"), request)
            ->added() == 2);
  for (size_t i = 0; i <= kDemandsImportedMax; ++i) request.add_demands();
  CHECK(ReasonOf(node.demands().Import(board.editor(), request).status()) == "import_too_large");
}

TEST_CASE("demands: a store of a build without indices has them after one start") {
  LoneNode node;
  v1::FeedId feed;
  feed.set_origin(std::string(32, 'b'));
  feed.set_kind(v1::FEED_KIND_DEMANDS);
  const FeedKey key = FeedKey::Of(feed);
  v1::Demand demand = Asking("甲");
  demand.set_node(feed.origin());
  storage::v1::FeedRecord record;
  *record.mutable_feed() = feed;
  v1::Demand closed = Asking("乙");
  closed.set_id("D2");
  closed.set_node(feed.origin());
  closed.set_closed(true);
  WriteSet writes;
  writes.Put(FeedRecordKey(key), record.SerializeAsString());
  writes.Put(EntryKey(key, "D1"), demand.SerializeAsString());
  writes.Put(EntryKey(key, "D2"), closed.SerializeAsString());
  REQUIRE(node.store().Commit({&writes, 1}).ok());
  CHECK(DemandIds(node.store(), "", 10).empty());
  REQUIRE(EnsureDemandIndices(&node.store()).ok());
  CHECK(DemandIds(node.store(), "", 10) == std::vector<std::string>{"D1", "D2"});
  CHECK(DemandsAsking(node.store(), AddresseeKey("甲"), 10) == std::vector<std::string>{"D1"});
  CHECK(DemandsAsking(node.store(), AddresseeKey("乙"), 10).empty());
  // Once: what comes later keeps its own indices.
  WriteSet more;
  demand.set_id("D3");
  more.Put(EntryKey(key, "D3"), demand.SerializeAsString());
  REQUIRE(node.store().Commit({&more, 1}).ok());
  REQUIRE(EnsureDemandIndices(&node.store()).ok());
  CHECK(DemandIds(node.store(), "", 10).size() == 2);
}

TEST_CASE("demands: within a hosted division its own authority stands above both") {
  Board board;  // of 630102, hosted at a node of 000000; its authority is kSupervisorUscc
  LoneNode& node = board.node;
  constexpr char kLevel[] = "11000000MB0000004D";
  board.AddDepartment(kLevel, "国家数据局", true, "000000");
  board.AddDepartment("11630103MB00000045", "城中区数据局", true, "630103");
  const CallerIdentity level = board.As(CertificateRole::kApprover, kLevel, "n");
  const CallerIdentity other = board.As(CertificateRole::kApprover, "11630103MB00000045", "c");
  const std::string nobody = board.Say("")->demand().id();
  CHECK(board.Todo(board.supervisor()) == 1);
  CHECK(board.Todo(level) == 0);
  CHECK(board.Todo(other) == 0);
  const auto overdue = [&](const std::string& id, const std::string& division) {
    v1::Demand old = Asking("教育局", division);
    old.set_id(id);
    old.set_key(id);
    old.set_node(node.site().node_id());
    old.set_uscc(kOurUscc);
    old.set_division("630102");
    *old.mutable_at() = TimestampOf(absl::Now() - absl::Hours(24 * 30));
    AppendRecords append = {.kind = v1::FEED_KIND_DEMANDS};
    append.records.emplace_back().set_demand(old.SerializeAsString());
    REQUIRE(node.driver().Write(std::move(append)).ok());
  };
  overdue("D7", "630102");
  CHECK(board.Todo(board.supervisor()) == 2);
  CHECK(board.Todo(level) == 0);
  // Of two divisions it is the business of the level above both.
  overdue("D8", "630103");
  CHECK(board.Todo(board.supervisor()) == 2);
  CHECK(board.Todo(level) == 1);
  const auto kAssign = v1::DEMAND_ANSWER_KIND_ASSIGN;
  CHECK(ReasonOf(board.Reply(other, nobody, kAssign, "教育局").status()) == "not_asked");
  REQUIRE(board.Reply(board.supervisor(), nobody, kAssign, "教育局").ok());
  CHECK(board.Todo(board.supervisor()) == 1);
  CHECK(board.Todo(board.asked()) >= 1);
}

}  // namespace
}  // namespace guantong
