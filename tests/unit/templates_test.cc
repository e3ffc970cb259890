// A template is claimed: its items are the claimer's, locked, and local ones come after them.
#include <algorithm>

#include "absl/strings/match.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

v1::CatalogEntry Claim(const std::string& code) {
  v1::CatalogEntry entry = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
  entry.clear_items();
  entry.set_template_(code);
  v1::DataItem* local = entry.add_items();
  local->set_name("本地备注");
  local->set_field("remark");
  local->set_type(v1::ITEM_TYPE_C);
  local->set_length(20);
  return entry;
}

TEST_CASE("templates: claimed items come first, locked, local ones stay") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = office.Draft([](auto* entry) {
    entry->set_is_template(true);
    entry->clear_resources();
    entry->set_format("0310");
  });
  CHECK(ReasonOf(node.Register(Claim(code)).status()) == "template_unknown");
  REQUIRE(node.Publish(code).ok());
  const auto claimed = node.Register(Claim(code));
  REQUIRE(claimed.ok());
  REQUIRE(claimed->items_size() == 4);
  for (int i = 0; i < 3; ++i) CHECK(claimed->items(i).inherited());
  CHECK(claimed->items(0).field() == "code");
  CHECK_FALSE(claimed->items(3).inherited());
  CHECK(claimed->template_version() == 1);

  v1::CatalogEntry changed = *claimed;
  changed.mutable_items(1)->set_length(7);
  const absl::Status locked = node.Edit(changed).status();
  CHECK(ReasonOf(locked) == "item_locked");
  // Left out it comes back.
  changed = *claimed;
  changed.mutable_items()->DeleteSubrange(1, 1);
  const auto whole = node.Edit(changed);
  REQUIRE(whole.ok());
  CHECK(whole->items_size() == 4);
  CHECK(whole->items(1).field() == "name");
  // What nobody claims is nobody's to lock.
  changed.clear_template_();
  changed.mutable_items(0)->set_length(9);
  const auto free = node.Edit(changed);
  REQUIRE(free.ok());
  CHECK_FALSE(free->items(0).inherited());

  v1::CatalogEntry other = Claim("3070120337/000099");
  CHECK(ReasonOf(node.Register(other).status()) == "template_unknown");
}

std::string PublishTemplate(Office* office) {
  const std::string code = office->Draft([](auto* entry) {
    entry->set_is_template(true);
    entry->clear_resources();
    entry->set_format("0310");
  });
  REQUIRE(office->node.Publish(code).ok());
  return code;
}

TEST_CASE("templates: a locked item may leave things out, and says nothing else, in imports too") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = PublishTemplate(&office);
  const auto with = [&](const std::function<void(v1::DataItem*)>& change) {
    v1::CatalogEntry entry = Claim(code);
    v1::DataItem* item = entry.add_items();
    item->set_name("name");
    change(item);
    return entry;
  };
  const auto refused = [&](const v1::CatalogEntry& entry) {
    return ReasonOf(node.Register(entry).status());
  };
  CHECK(refused(with([](auto*) {})).empty());
  CHECK(refused(with([](auto* item) { item->set_length(20); })).empty());
  CHECK(refused(with([](auto* item) { item->set_length(21); })) == "item_locked");
  CHECK(refused(with([](auto* item) { item->set_field("other"); })) == "item_locked");
  CHECK(refused(with([](auto* item) { item->set_unit("人"); })) == "item_locked");
  CHECK(refused(with([](auto* item) {
          item->mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
        })) == "item_locked");
  CHECK(refused(with([](auto* item) {
          item->set_name("另名");
          item->set_field("name");
        })) == "item_locked");

  v1::ImportRequest request;
  *request.add_entries() = with([](auto*) {});
  *request.add_entries() = with([](auto* item) { item->set_type(v1::ITEM_TYPE_N); });
  request.mutable_entries(1)->set_name("社区名录");
  const auto imported = node.drafts().Import(office.editor(), request);
  REQUIRE(imported.ok());
  CHECK_FALSE(imported->stored());
  CHECK(imported->entries(0).problems().empty());
  const auto& problems = imported->entries(1).problems();
  CHECK(std::any_of(problems.begin(), problems.end(), [](const v1::Problem& problem) {
    return problem.element() == "items[name]" && !problem.warning() &&
           absl::StrContains(problem.text(), "不能修改");
  }));
}

TEST_CASE("templates: what was inherited holds when the template is out of force") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = PublishTemplate(&office);
  const auto claimed = node.Register(Claim(code));
  REQUIRE(claimed.ok());
  REQUIRE(node.Withdraw(code).ok());
  CHECK(ReasonOf(node.Register(Claim(code)).status()) == "template_unknown");
  v1::CatalogEntry changed = *claimed;
  changed.set_abstract("新摘要");
  changed.mutable_items()->DeleteSubrange(0, 3);
  const auto edited = node.Edit(changed);
  REQUIRE(edited.ok());
  REQUIRE(edited->items_size() == 4);
  CHECK(edited->items(0).inherited());
  CHECK(edited->template_version() == 1);
  changed.mutable_items(0)->set_name("name");
  CHECK(ReasonOf(node.Edit(changed).status()) == "item_locked");
}

TEST_CASE("templates: whoever claims one is told of a new version, with what it changes") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = PublishTemplate(&office);
  const auto claimed = node.Register(Claim(code));
  REQUIRE(claimed.ok());
  REQUIRE(node.Publish(claimed->code()).ok());
  const auto todo = [&](const CallerIdentity& caller) { return *node.worklist().Todo(caller); };
  CHECK(todo(office.editor()).items().empty());
  const auto change = [&](const std::function<void(v1::CatalogEntry*)>& what) {
    REQUIRE(office.Edit(code, what).ok());
    REQUIRE(node.Publish(code).ok());
  };
  // Of what is not inherited nobody need hear.
  change([](auto* entry) { entry->set_abstract("另一个摘要"); });
  CHECK(todo(office.editor()).items().empty());
  change([](auto* entry) {
    entry->mutable_items(1)->set_length(50);
    v1::DataItem* item = entry->add_items();
    item->set_name("备案日期");
    item->set_field("filed_on");
    item->set_type(v1::ITEM_TYPE_D);
  });
  const v1::TodoResponse told = todo(office.editor());
  REQUIRE(told.items_size() == 1);
  CHECK(told.items(0).code() == claimed->code());
  CHECK(absl::StrContains(told.items(0).what(), "第 3 版"));
  CHECK(absl::StrContains(told.items(0).next(), claimed->code()));
  REQUIRE(told.items(0).changes_size() == 2);
  CHECK(told.items(0).changes(0).element() == "items[name].length");
  CHECK(told.items(0).changes(0).after() == "50");
  CHECK(told.items(0).changes(1).element() == "items[filed_on]");
  CHECK(todo(office.approver()).items().empty());
  CHECK(todo(office.As(CertificateRole::kEditor, kOtherUscc, "o")).items().empty());
  const v1::WhyResponse why = office.Why(claimed->code());
  CHECK(absl::StrContains(why.text(), "第 3 版"));
  CHECK(why.changes_size() == 2);

  // Nobody is told of what is out of force.
  REQUIRE(node.publication().Suspend(office.editor(), LoneNode::OfCode(code)).ok());
  CHECK(todo(office.editor()).items().empty());
  REQUIRE(node.Publish(code).ok());

  // What nobody has touched becomes what the template says now; the local item stays.
  REQUIRE(office.Edit(claimed->code(), [](auto*) {}).ok());
  v1::TodoResponse after = todo(office.editor());
  REQUIRE(after.items_size() == 1);
  CHECK(after.items(0).changes().empty());  // the draft is to be published
  const auto published = node.Publish(claimed->code());
  REQUIRE(published.ok());
  REQUIRE(published->items_size() == 5);
  CHECK(published->items(1).length() == 50);
  CHECK(published->items(3).field() == "filed_on");
  CHECK(published->items(4).field() == "remark");
  CHECK(todo(office.editor()).items().empty());
  CHECK(office.Why(claimed->code()).changes().empty());
}

}  // namespace
}  // namespace guantong
