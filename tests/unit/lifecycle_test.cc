// A draft on its way at one node under two approvals: who may do what, what stays in force
// meanwhile, what is written down.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/entries/codes.h"
#include "node/entries/versions.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

TEST_CASE("lifecycle: two approvals, by those whose they are") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  const auto of = Office::Of(code);
  CHECK(ReasonOf(node.publication().Publish(office.editor(), LoneNode::OfCode(code)).status()) ==
        "approval_needed");
  CHECK(ReasonOf(node.approvals().Approve(office.approver(), of).status()) == "state_other");

  auto entry = node.approvals().Submit(office.editor(), of);
  REQUIRE(entry.ok());
  CHECK(entry->state() == v1::ENTRY_STATE_DEPARTMENT_REVIEW);
  CHECK(ReasonOf(office.Edit(code, [](auto*) {})) == "under_review");
  CHECK(ReasonOf(node.approvals().Submit(office.editor(), of).status()) == "state_other");
  CHECK(ReasonOf(node.approvals().Approve(office.supervisor(), of).status()) ==
        "not_yours_to_approve");
  // The key that submitted approves nothing, whatever its role.
  CHECK(ReasonOf(node.approvals()
                     .Approve(office.As(CertificateRole::kApprover, kOurUscc, "e"), of)
                     .status()) == "own_draft");

  entry = node.approvals().Approve(office.approver(), of);
  REQUIRE(entry.ok());
  CHECK(entry->state() == v1::ENTRY_STATE_SUPERVISOR_REVIEW);
  CHECK(ReasonOf(node.approvals().Approve(office.approver(), of).status()) ==
        "not_yours_to_approve");
  CHECK(office.Why(code).with() == "数据局");
  entry = node.approvals().Approve(office.supervisor(), of);
  REQUIRE(entry.ok());
  CHECK(entry->state() == v1::ENTRY_STATE_PUBLISHED);
  CHECK_FALSE(entry->publication_date().empty());

  const v1::HistoryResponse history = office.History(code);
  REQUIRE(history.acts_size() == 4);
  const v1::ActKind kinds[] = {v1::ACT_KIND_REGISTER, v1::ACT_KIND_SUBMIT, v1::ACT_KIND_APPROVE,
                               v1::ACT_KIND_PUBLISH};
  for (int i = 0; i < 4; ++i) {
    CHECK(history.acts(i).kind() == kinds[i]);
    CHECK(history.acts(i).number() == static_cast<uint64_t>(i) + 1);
  }
  CHECK(history.acts(3).by().department() == "数据局");
  CHECK(history.versions_size() == 1);
}

TEST_CASE("lifecycle: recalled, returned with a reason, refused") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  REQUIRE(node.approvals().Recall(office.editor(), Office::Of(code)).ok());
  CHECK(office.Why(code).state() == v1::ENTRY_STATE_DRAFT);

  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  CHECK(ReasonOf(node.approvals().Return(office.approver(), Office::Of(code)).status()) ==
        "reason_missing");
  REQUIRE(node.approvals().Return(office.approver(), Office::Of(code, "摘要太短")).ok());
  const auto todo = node.worklist().Todo(office.editor());
  REQUIRE(todo.ok());
  REQUIRE(todo->items_size() == 1);
  CHECK(todo->items(0).reason() == "摘要太短");
  CHECK(office.Why(code).reason() == "摘要太短");

  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  REQUIRE(node.approvals().Refuse(office.approver(), Office::Of(code, "重复")).ok());
  CHECK(ReasonOf(node.approvals().Submit(office.editor(), Office::Of(code)).status()) ==
        "entry_unknown");
  CHECK(office.Why(code).reason() == "重复");
  // What was done stays, and the code is not given again.
  CHECK(office.History(code).acts_size() == 7);
  CHECK(office.Draft([&](auto* entry) { entry->set_code(code); }) != code);
}

TEST_CASE("lifecycle: the old version stays in force while a change is under approval") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  office.Publish(code);
  REQUIRE(office.Edit(code, [](auto* entry) { entry->set_abstract("新摘要"); }).ok());
  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  REQUIRE(node.approvals().Approve(office.approver(), Office::Of(code)).ok());
  auto shown = node.catalogue().Show(office.editor(), code, absl::InfiniteFuture());
  CHECK(shown->entry().abstract() == "街道");
  CHECK(shown->draft().abstract() == "新摘要");
  v1::DiffRequest diff;
  diff.set_code(code);
  auto changes = node.versions().Diff(office.supervisor(), diff);
  REQUIRE(changes.ok());
  REQUIRE(changes->changes_size() == 1);
  CHECK(changes->changes(0).label() == "信息资源摘要");
  CHECK(changes->changes(0).before() == "街道");
  CHECK(changes->changes(0).after() == "新摘要");
  REQUIRE(node.approvals().Approve(office.supervisor(), Office::Of(code)).ok());
  shown = node.catalogue().Show(office.editor(), code, absl::InfiniteFuture());
  CHECK(shown->entry().abstract() == "新摘要");
  CHECK_FALSE(shown->has_draft());
  diff.set_from(1);
  diff.set_to(2);
  CHECK(node.versions().Diff(office.editor(), diff)->changes_size() == 1);
}

// Something in every field people write; of each list one.
void Fill(google::protobuf::Message* message) {
  const auto* reflection = message->GetReflection();
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const auto* field = message->GetDescriptor()->field(i);
    using Field = google::protobuf::FieldDescriptor;
    if (field->cpp_type() == Field::CPPTYPE_MESSAGE) {
      Fill(field->is_repeated() ? reflection->AddMessage(message, field)
                                : reflection->MutableMessage(message, field));
    } else if (field->cpp_type() == Field::CPPTYPE_STRING && field->is_repeated()) {
      reflection->AddString(message, field, "甲");
    } else if (field->cpp_type() == Field::CPPTYPE_STRING) {
      reflection->SetString(message, field, "甲");
    } else if (field->cpp_type() == Field::CPPTYPE_ENUM && field->is_repeated()) {
      reflection->AddEnumValue(message, field, 1);
    } else if (field->cpp_type() == Field::CPPTYPE_ENUM) {
      reflection->SetEnumValue(message, field, 1);
    } else if (field->cpp_type() == Field::CPPTYPE_BOOL) {
      reflection->SetBool(message, field, true);
    } else if (field->cpp_type() == Field::CPPTYPE_UINT32) {
      reflection->SetUInt32(message, field, 7);
    } else if (field->cpp_type() == Field::CPPTYPE_UINT64) {
      reflection->SetUInt64(message, field, 7);
    }
  }
}

TEST_CASE("lifecycle: a diff names every element in the standard's words") {
  v1::CatalogEntry before, after;
  Fill(&after);
  before.add_items()->set_field("甲");
  before.add_resources()->set_id("甲");
  const std::vector<v1::Change> changes = DiffEntries(before, after);
  CHECK(changes.size() > 50);
  for (const v1::Change& change : changes) {
    INFO(change.element() << ": " << change.label());
    CHECK(std::none_of(change.label().begin(), change.label().end(),
                       [](unsigned char c) { return absl::ascii_isalpha(c); }));
    CHECK(change.before() != change.after());
  }
}

TEST_CASE("lifecycle: a change of contacts alone skips the second approval") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  office.Publish(code);
  REQUIRE(office.Edit(code, [](auto* entry) { entry->mutable_contact()->set_name("王芳"); }).ok());
  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  const auto entry = node.approvals().Approve(office.approver(), Office::Of(code));
  REQUIRE(entry.ok());
  CHECK(entry->state() == v1::ENTRY_STATE_PUBLISHED);
  CHECK(entry->contact().name() == "王芳");
}

TEST_CASE("lifecycle: suspended is reversible, and by an approver") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  office.Publish(code);
  v1::EntryRequest why = LoneNode::OfCode(code);
  why.set_reason("数据核对");
  // A draft beside it is in nobody's way.
  REQUIRE(office.Edit(code, [](auto* entry) { entry->set_abstract("新摘要"); }).ok());
  CHECK(ReasonOf(node.publication().Suspend(office.editor(), why).status()) == "approver_needed");
  REQUIRE(node.publication().Suspend(office.supervisor(), why).ok());
  v1::QueryRequest query;
  query.set_code(code);
  CHECK(ReasonOf(node.Query(query, kOtherUscc).status()) == "entry_suspended");
  CHECK(office.Why(code).reason() == "数据核对");
  REQUIRE(node.publication().Publish(office.approver(), why).ok());
  CHECK(node.Query(query, kOurUscc).ok());
  CHECK(office.History(code).versions_size() == 3);
  const auto shown = node.catalogue().Show(office.editor(), code, absl::InfiniteFuture());
  CHECK(shown->entry().abstract() == "街道");
  CHECK(shown->draft().version() == 4);
}

TEST_CASE("lifecycle: what waits for whom, with working days left") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  CHECK(node.worklist().Todo(office.editor())->items(0).next() ==
        "guantong catalog submit " + code);
  CHECK(node.worklist().Todo(office.approver())->items_size() == 0);
  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  CHECK(node.worklist().Todo(office.editor())->items_size() == 0);
  CHECK(node.worklist().Todo(office.approver())->items_size() == 1);
  CHECK(node.worklist().Todo(office.supervisor())->items_size() == 0);
  REQUIRE(node.approvals().Approve(office.approver(), Office::Of(code)).ok());
  CHECK(node.worklist().Todo(office.supervisor())->items_size() == 1);
  const auto mine = node.worklist().Mine(office.editor());
  REQUIRE(mine.ok());
  REQUIRE(mine->states_size() == 1);
  CHECK(mine->states(0).state() == v1::ENTRY_STATE_SUPERVISOR_REVIEW);
}

TEST_CASE("lifecycle: published unbound, bound in force at once, unbound again") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft([](auto* entry) {
    entry->clear_resources();
    entry->set_format("0310");
  });
  office.Publish(code);
  CHECK(node.worklist().Mine(office.editor())->unbound() == 1);
  v1::ListRequest unbound;
  unbound.set_unbound(true);
  CHECK(node.catalogue().List(office.editor(), unbound)->entries_size() == 1);

  v1::BindRequest bind;
  bind.set_code(code);
  bind.mutable_resource()->set_mode(v1::SHARING_MODE_TABLE);
  bind.mutable_resource()->set_format("07");
  CHECK(ReasonOf(node.bindings().Bind(office.editor(), bind).status()) == "entry_invalid");
  bind.mutable_resource()->set_format("0310");
  const auto bound = node.bindings().Bind(office.editor(), bind);
  REQUIRE(bound.ok());
  CHECK(bound->resources(0).id() == "1");
  CHECK(node.catalogue().List(office.editor(), unbound)->entries_size() == 0);
  REQUIRE(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"1", "a", "2"}}).ok());

  v1::UnbindRequest unbind;
  unbind.set_code(code + ":2");
  CHECK(ReasonOf(node.bindings().Unbind(office.editor(), unbind).status()) == "resource_unknown");
  unbind.set_code(code + ":1");
  REQUIRE(node.bindings().Unbind(office.editor(), unbind).ok());
  CHECK(
      ReasonOf(node.Push(LoneNode::Open(code, v1::PUSH_MODE_UPSERT), {{"2", "a", "2"}}).status()) ==
      "no_table");
}

TEST_CASE("lifecycle: with one approval the department's own publishes, with none the editor") {
  Office one(1);
  const std::string code = one.Draft();
  REQUIRE(one.node.approvals().Submit(one.editor(), Office::Of(code)).ok());
  CHECK(one.node.approvals().Approve(one.approver(), Office::Of(code))->state() ==
        v1::ENTRY_STATE_PUBLISHED);
  Office none(0);
  const std::string other = none.Draft();
  CHECK(none.node.approvals().Submit(none.editor(), Office::Of(other))->state() ==
        v1::ENTRY_STATE_PUBLISHED);
}

TEST_CASE("codes: one primary code, aliases under the other classes resolve") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft([](auto* entry) { entry->add_other_classes("201"); });
  office.Publish(code);
  const auto entry = node.catalogue().Show(office.editor(), code, absl::InfiniteFuture())->entry();
  REQUIRE(entry.aliases_size() == 1);
  const std::string alias = entry.aliases(0);
  CHECK(alias.substr(0, 4) == "201/");
  const auto shown = node.catalogue().Show(office.editor(), alias, absl::InfiniteFuture());
  REQUIRE(shown.ok());
  CHECK(shown->entry().code() == code);
  CHECK(shown->alias() == alias);
  REQUIRE(node.Push(LoneNode::Open(alias, v1::PUSH_MODE_UPSERT), {{"1", "a", "2"}}).ok());
  CHECK(node.CountRows(code) == 1);
  // A restart changes nothing.
  node.Restart();
  CHECK(node.catalogue().Show(office.editor(), alias, absl::InfiniteFuture())->entry().code() ==
        code);
}

TEST_CASE("codes: a free one is kept, and a class nobody is delegated goes by division") {
  Office office;
  LoneNode& node = office.node;
  CHECK(office.Draft([](auto* e) { e->set_code("3070120337/000777"); }) == "3070120337/000777");
  v1::ImportClassesRequest classes;
  for (const auto& [code, parent] :
       std::vector<std::pair<std::string, std::string>>{{"3", ""}, {"3070120337", "3"}}) {
    v1::ClassNode* added = classes.add_classes();
    added->set_code(code);
    added->set_parent(parent);
    added->set_name("类");
  }
  REQUIRE(node.classes().Import(classes).ok());
  v1::DelegateClassRequest delegate;
  delegate.set_code("3070120337");
  delegate.set_to("");
  REQUIRE(node.classes().Delegate(delegate).ok());
  CHECK(office.Draft() == "3070120337/630102500001");
}

TEST_CASE(
    "codes: one that an entry elsewhere has is not kept, one nobody could ask about is told") {
  Office office;
  const ClassTree tree;
  const auto given = [&](Finder::Taken above) {
    CodeGiver codes(&office.node.site(), &office.node.store(), &tree);
    codes.Beside(std::move(above));
    v1::CatalogEntry entry;
    entry.set_class_("307");
    entry.set_division("630102");
    entry.set_code("307/000777");
    REQUIRE(codes.Give(&entry).ok());
    return entry;
  };
  CHECK(given({}).code() == "307/000777");
  CHECK(given({}).warnings().empty());
  const v1::CatalogEntry other = given({.codes = {"307/000777"}, .missing = {}});
  CHECK(other.code() == "307/630102500001");
  REQUIRE(other.warnings_size() == 1);
  CHECK(other.warnings(0).element() == "code");
  const v1::CatalogEntry kept = given({.codes = {}, .missing = absl::UnavailableError("away")});
  CHECK(kept.code() == "307/000777");
  REQUIRE(kept.warnings_size() == 1);
  CHECK(kept.warnings(0).warning());
}

TEST_CASE("codes: a class delegated to a hosted division counts from one for its departments") {
  Office office;
  const auto with = [&](const std::string& division) {
    v1::ClassNode node;
    node.set_code("307012");
    node.set_name("类");
    node.set_delegate(office.node.site().node_id());
    node.set_delegate_division(division);
    v1::ClassNode below = node;
    below.clear_delegate();
    below.clear_delegate_division();
    below.set_code("30701201");
    below.set_parent("307012");
    return ClassTree({{.node_id = "root", .is_root = true, .classes = {node, below}}});
  };
  const auto given = [&](const ClassTree& tree, const std::string& division) {
    CodeGiver codes(&office.node.site(), &office.node.store(), &tree);
    v1::CatalogEntry entry;
    entry.set_class_("30701201");
    entry.set_division(division);
    REQUIRE(codes.Give(&entry).ok());
    return entry.code();
  };
  const ClassTree whole = with("");
  CHECK(given(whole, "000000") == "30701201/000001");
  CHECK(given(whole, "630102") == "30701201/000001");
  const ClassTree hosted = with("630102");
  CHECK(given(hosted, "630102") == "30701201/000001");
  CHECK(given(hosted, "000000") == "30701201/000000000001");
  CHECK(given(hosted, "630103") == "30701201/630103500001");
}

TEST_CASE("codes: delegates of a class count in parts of their own, so that none is given twice") {
  Office office;
  const auto given = [&](uint32_t turn) {
    v1::ClassNode node;
    node.set_code("307012");
    node.set_delegate(office.node.site().node_id());
    node.set_delegate_turn(turn);
    const ClassTree tree({{.node_id = "root", .is_root = true, .classes = {node}}});
    CodeGiver codes(&office.node.site(), &office.node.store(), &tree);
    v1::CatalogEntry entry;
    entry.set_class_("307012");
    const absl::Status status = codes.Give(&entry);
    return status.ok() ? entry.code() : DetailOf(status).reason;
  };
  CHECK(given(0) == "307012/000001");  // delegated before turns were counted
  CHECK(given(1) == "307012/000001");
  CHECK(given(2) == "307012/100001");
  CHECK(given(9) == "307012/800001");
  WriteSet used;
  used.Put(SerialKey("class/307012"), "100000");
  REQUIRE(office.node.store().Commit({&used, 1}).ok());
  CHECK(given(1) == "class_full");
  CHECK(given(2) == "307012/100001");
}

}  // namespace
}  // namespace guantong
