// A template is claimed: its items are the claimer's, locked, and local ones come after them.
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

}  // namespace
}  // namespace guantong
