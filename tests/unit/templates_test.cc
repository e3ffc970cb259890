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

}  // namespace
}  // namespace guantong
