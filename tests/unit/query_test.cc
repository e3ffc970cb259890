// Questions about rows, and the catalogue around them, on one real node.
#include "node/query.h"

#include "catalog/facts.h"
#include "catalog/table.h"
#include "node/finder.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

class Asked {
 public:
  explicit Asked(v1::SharingType sharing = v1::SHARING_TYPE_UNCONDITIONAL)
      : code(node.Publish(sharing)) {
    LoneNode::Rows rows;
    for (int i = 0; i < 25; ++i)
      rows.push_back({std::to_string(100 + i), i % 2 == 0 ? "东" : "西", std::to_string(i)});
    rows.push_back({"200", "", ""});
    const auto pushed = node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), rows);
    GT_CHECK(pushed.ok());
  }
  v1::QueryRequest Ask(const std::string& where = "") const {
    v1::QueryRequest request;
    request.set_code(code);
    request.set_where(where);
    return request;
  }

  LoneNode node;
  const std::string code;
};

TEST_CASE("Items of a not-shared entry are neither in an answer to another node nor found by it") {
  LoneNode node;
  const std::string code = node.Publish(v1::SHARING_TYPE_NOT_SHARED);
  CHECK(node.catalogue()
            .Show(node.Editor(), code, absl::Now() + absl::Seconds(20))
            ->entry()
            .items_size() == 3);

  const auto shown = node.AskFromAfar<v1::ShowResponse>("lookup", code);
  REQUIRE(shown.ok());
  CHECK(shown->entry().name() == "街道名录");
  CHECK(shown->entry().items().empty());
  CHECK(shown->entry().items_withheld());

  node.searches();
  v1::FindRequest request;
  request.set_words("街道");
  auto list = node.AskFromAfar<v1::FindResponse>("find", request.SerializeAsString());
  REQUIRE(list.ok());
  REQUIRE(list->hits_size() == 1);
  CHECK(list->hits(0).shown().entry().items().empty());
  // "count" is the name of an item.
  request.set_words("count");
  list = node.AskFromAfar<v1::FindResponse>("find", request.SerializeAsString());
  REQUIRE(list.ok());
  CHECK(list->hits().empty());
}

TEST_CASE("A copy is not read on when its entry is withdrawn or shared no more") {
  LoneNode node;
  v1::FeedId catalog;
  catalog.set_origin(Sha256("provider"));
  catalog.set_kind(v1::FEED_KIND_CATALOG_OPEN);
  v1::CatalogEntry entry = node.Entry(v1::SHARING_TYPE_UNCONDITIONAL);
  entry.set_code("3070120337/440000000001");
  entry.set_node(catalog.origin());
  storage::v1::StoredInterest interest;
  interest.set_code(entry.code() + ":1");
  interest.mutable_feed()->set_origin(catalog.origin());
  interest.mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
  interest.mutable_feed()->set_resource(interest.code());
  const auto local = [&](v1::EntryState state, v1::SharingType sharing) {
    entry.set_state(state);
    entry.mutable_sharing()->set_type(sharing);
    v1::Records records;
    records.add_records()->set_entry(entry.SerializeAsString());
    WriteSet writes;
    CHECK(ApplyRecords(catalog, NodePath(), records, &writes).refused == 0);
    writes.Put(SubscriptionKey(interest.code()), interest.SerializeAsString());
    TableWriter table(FeedKey::Of(interest.feed()), {});
    table.BeginStaging(&writes);
    table.Switch({}, &writes);
    REQUIRE(node.driver().WriteOwn(std::move(writes)).ok());
    v1::QueryRequest request;
    request.set_code(entry.code());
    request.set_local(true);
    return ReasonOf(node.Query(request).status());
  };
  CHECK(local(v1::ENTRY_STATE_PUBLISHED, v1::SHARING_TYPE_UNCONDITIONAL).empty());
  CHECK(local(v1::ENTRY_STATE_PUBLISHED, v1::SHARING_TYPE_CONDITIONAL) == "needs_grant");
  CHECK(local(v1::ENTRY_STATE_WITHDRAWN, v1::SHARING_TYPE_UNCONDITIONAL) == "entry_withdrawn");
}

TEST_CASE("A count older than what was published gives no code twice") {
  LoneNode node;
  const std::string code = node.Publish();
  WriteSet backup;
  backup.Delete(SerialKey("630102"));
  REQUIRE(node.driver().WriteOwn(std::move(backup)).ok());
  const auto next = node.Register(node.Entry(v1::SHARING_TYPE_UNCONDITIONAL));
  REQUIRE(next.ok());
  CHECK(next->code() != code);
}

TEST_CASE("Conditions, fields and counts") {
  Asked asked;
  auto response = asked.node.Query(asked.Ask("count >= 20 and name = '东'"));
  REQUIRE(response.ok());
  CHECK(response->rows_size() == 3);
  CHECK(response->hops_size() == 1);
  CHECK(response->commit() == 1);

  v1::QueryRequest request = asked.Ask("code ^= '10'");
  request.add_fields("count");
  request.add_fields("code");
  response = asked.node.Query(request);
  REQUIRE(response.ok());
  REQUIRE(response->rows_size() == 10);
  CHECK(response->schema().columns(0).field() == "count");
  CHECK(response->rows(3).values(0) == "3");
  CHECK(response->rows(3).values(1) == "103");

  request = asked.Ask();
  request.set_count(true);
  CHECK(asked.node.Query(request)->total() == 26);
  request.set_where("count < 5");
  CHECK(asked.node.Query(request)->total() == 5);

  response = asked.node.Query(asked.Ask("code = '200'"));
  REQUIRE(response.ok());
  REQUIRE(response->rows_size() == 1);
  CHECK(response->rows(0).nulls_size() >= 1);
}

TEST_CASE("Pages are whole and in order, and a token belongs to its question") {
  Asked asked;
  v1::QueryRequest request = asked.Ask("count >= 0");
  request.set_limit(7);
  std::vector<std::string> codes;
  std::string first_token;
  while (true) {
    const auto response = asked.node.Query(request);
    REQUIRE(response.ok());
    for (const v1::Row& row : response->rows()) codes.push_back(row.values(0));
    if (first_token.empty()) first_token = response->next_page_token();
    if (response->next_page_token().empty()) break;
    request.set_page_token(response->next_page_token());
  }
  REQUIRE(codes.size() == 25);
  CHECK(std::is_sorted(codes.begin(), codes.end()));
  request.set_page_token(first_token);
  request.set_where("count >= 1");
  CHECK(ReasonOf(asked.node.Query(request).status()) == "page_token_invalid");
  request.set_page_token("no token");
  CHECK(ReasonOf(asked.node.Query(request).status()) == "page_token_invalid");
}

TEST_CASE("Bad questions say what is wrong") {
  Asked asked;
  CHECK(ReasonOf(asked.node.Query(asked.Ask("colour = 'red'")).status()) == "field_unknown");
  CHECK(ReasonOf(asked.node.Query(asked.Ask("code ~ 'x'")).status()) == "where_invalid");
  v1::QueryRequest request = asked.Ask();
  request.add_fields("colour");
  CHECK(ReasonOf(asked.node.Query(request).status()) == "field_unknown");
  request = asked.Ask();
  request.set_limit(1000000);
  CHECK(ReasonOf(asked.node.Query(request).status()) == "limit_too_large");
  request = asked.Ask();
  request.set_code("3070120337/000000000009");
  CHECK(absl::IsNotFound(asked.node.Query(request).status()));
  request.set_code("nonsense");
  CHECK(ReasonOf(asked.node.Query(request).status()) == "code_malformed");
  request.set_code("3070120337/000000000009");
  request.set_local(true);
  CHECK(ReasonOf(asked.node.Query(request).status()) == "no_local_copy");
}

TEST_CASE(
    "Sharing types: others are served, need a grant, or are refused; the provider may always "
    "read") {
  const auto ask_as_other = [](Asked& asked) {
    return ReasonOf(asked.node.Query(asked.Ask(), kOtherUscc).status());
  };
  Asked open(v1::SHARING_TYPE_UNCONDITIONAL);
  CHECK(ask_as_other(open).empty());
  Asked conditional(v1::SHARING_TYPE_CONDITIONAL);
  CHECK(ask_as_other(conditional) == "needs_grant");
  CHECK(conditional.node.Query(conditional.Ask()).ok());
  Asked not_shared(v1::SHARING_TYPE_NOT_SHARED);
  CHECK(ask_as_other(not_shared) == "not_shared");
  CHECK(not_shared.node.Query(not_shared.Ask()).ok());
  v1::QueryRequest local = not_shared.Ask();
  local.set_local(true);
  CHECK(ReasonOf(not_shared.node.Query(local, kOtherUscc).status()) == "not_shared");
}

TEST_CASE("An edit waits for its publication, keeps the rows, and may not break them") {
  Asked asked;
  const CallerIdentity editor = asked.node.Editor();
  v1::CatalogEntry entry =
      asked.node.catalogue().Show(editor, asked.code, absl::InfiniteFuture())->entry();
  entry.set_abstract("改");
  v1::DataItem* added = entry.add_items();
  added->set_name("备注");
  added->set_field("note");
  added->set_type(v1::ITEM_TYPE_C);
  added->set_length(10);
  REQUIRE(asked.node.Edit(entry).ok());
  auto shown = asked.node.catalogue().Show(editor, asked.code, absl::InfiniteFuture());
  CHECK(shown->entry().abstract() == "街道");
  CHECK(shown->draft().abstract() == "改");
  const auto published = asked.node.Publish(asked.code);
  REQUIRE(published.ok());
  CHECK(published->version() == 2);
  CHECK(published->schema_version() == 2);
  CHECK(asked.node.Query(asked.Ask("code = '103'"))->schema().columns_size() == 4);

  v1::CatalogEntry broken = *published;
  broken.mutable_items(1)->set_type(v1::ITEM_TYPE_D);
  CHECK(ReasonOf(asked.node.Edit(broken).status()) == "items_incompatible");
  broken = *published;
  broken.mutable_items()->erase(broken.mutable_items()->begin() + 1);
  CHECK(ReasonOf(asked.node.Edit(broken).status()) == "items_incompatible");
  CHECK(ReasonOf(asked.node.Edit(*published, kOtherUscc).status()) == "not_your_entry");
}

TEST_CASE("A withdrawn entry ends its data") {
  Asked asked;
  REQUIRE(asked.node.Withdraw(asked.code).ok());
  CHECK(asked.node.Withdraw(asked.code).ok());
  CHECK(ReasonOf(asked.node.Query(asked.Ask()).status()) == "entry_withdrawn");
  CHECK(ReasonOf(asked.node.Publish(asked.code).status()) == "entry_withdrawn");
}

TEST_CASE("Codes are given in order per division, also after a restart") {
  LoneNode node;
  const auto first = node.Register(node.Entry(v1::SHARING_TYPE_UNCONDITIONAL));
  REQUIRE(first.ok());
  CHECK(first->code() == "3070120337/630102500001");
  node.Restart();
  const auto second = node.Register(node.Entry(v1::SHARING_TYPE_UNCONDITIONAL));
  CHECK(second->code() == "3070120337/630102500002");
  // A code brought that is taken gives way to a new one, and that is said.
  const auto third = node.Register(*second);
  REQUIRE(third.ok());
  CHECK(third->code() == "3070120337/630102500003");
  CHECK(third->warnings_size() == 1);
  const auto list = node.catalogue().List(node.Editor(), {});
  CHECK(list->entries_size() == 3);
  CHECK(node.catalogue().List(node.Editor(kOtherUscc), {})->entries_size() == 0);
}

}  // namespace
}  // namespace guantong
