// Facts as they arrive, and the view of them: members and catalogue entries.

#include "catalog/facts.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "catalog/view.h"
#include "guantong/v1/entry.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::FeedId FeedOf(const std::string& origin, v1::FeedKind kind) {
  v1::FeedId feed;
  feed.set_origin(Sha256(origin));
  feed.set_kind(kind);
  return feed;
}

v1::Record MemberRecord(const std::string& node, const std::string& path, int64_t admitted_at) {
  v1::Record record;
  record.mutable_member()->set_node_id(Sha256(node));
  record.mutable_member()->set_path(path);
  record.mutable_member()->mutable_admitted_at()->set_seconds(admitted_at);
  return record;
}

v1::Record RemovalRecord(const std::string& node) {
  v1::Record record = MemberRecord(node, "", 0);
  record.mutable_member()->set_removed(true);
  return record;
}

v1::CatalogEntry EntryOf(const std::string& code, const std::string& name, uint64_t version = 1) {
  v1::CatalogEntry entry;
  entry.set_code(code);
  entry.set_name(name);
  entry.set_state(v1::ENTRY_STATE_PUBLISHED);
  entry.set_version(version);
  v1::DataItem* item = entry.add_items();
  item->set_name("代码");
  item->set_field("code");
  entry.add_resources()->set_id("1");
  return entry;
}

v1::Records RecordsOf(const std::vector<v1::Record>& list) {
  v1::Records records;
  for (const v1::Record& record : list) *records.add_records() = record;
  return records;
}

v1::Records Entries(const std::vector<v1::CatalogEntry>& entries) {
  v1::Records records;
  for (const v1::CatalogEntry& entry : entries) {
    records.add_records()->set_entry(entry.SerializeAsString());
  }
  return records;
}

struct Facts {
  MemoryStore store;

  void Apply(const v1::FeedId& feed, const v1::Records& records) {
    WriteSet writes;
    bool unknown = false;
    REQUIRE(ApplyRecords(feed, records, &writes, &unknown).ok());
    CHECK_FALSE(unknown);
    REQUIRE(store.Commit({writes}).ok());
  }
  void Replace(const v1::FeedId& feed, const v1::Records& records) {
    WriteSet writes;
    REQUIRE(ReplaceRecords(store, feed, records, &writes).ok());
    REQUIRE(store.Commit({writes}).ok());
  }
  void Drop(const v1::FeedId& feed) {
    WriteSet writes;
    REQUIRE(DropRecords(store, feed, &writes).ok());
    REQUIRE(store.Commit({writes}).ok());
  }
  std::string PathOf(const std::string& node) {
    const auto member = FindMember(store, Sha256(node));
    return member.ok() ? member->path() : DetailOf(member.status()).reason;
  }
  std::string NameOf(const std::string& code) {
    const auto entry = FindEntry(store, code);
    return entry.ok() ? entry->name() : DetailOf(entry.status()).reason;
  }
  size_t Keys() {
    size_t keys = 0;
    for (auto cursor = store.Scan("", ""); cursor->Valid(); cursor->Next()) ++keys;
    return keys;
  }
};

const v1::FeedId kParent = FeedOf("parent", v1::FEED_KIND_MEMBERSHIP);
const v1::FeedId kOtherParent = FeedOf("other parent", v1::FEED_KIND_MEMBERSHIP);
const v1::FeedId kCatalog = FeedOf("node", v1::FEED_KIND_CATALOG_OPEN);
const v1::FeedId kUpward = FeedOf("node", v1::FEED_KIND_CATALOG_UPWARD);

TEST_CASE("facts: members come and go, and the directory is in path order") {
  Facts facts;
  facts.Apply(kParent,
              RecordsOf({MemberRecord("b", "63/6302", 1), MemberRecord("a", "63/6301", 1)}));
  CHECK(facts.PathOf("a") == "63/6301");
  const std::vector<v1::Member> members = AllMembers(facts.store);
  REQUIRE(members.size() == 2);
  CHECK(members[0].path() == "63/6301");
  facts.Apply(kParent, RecordsOf({RemovalRecord("a")}));
  CHECK(facts.PathOf("a") == "node_unknown");
  // The last record of a batch counts.
  facts.Apply(kParent, RecordsOf({RemovalRecord("b"), MemberRecord("b", "63/6302-2", 2)}));
  CHECK(facts.PathOf("b") == "63/6302-2");
  facts.Apply(kParent, RecordsOf({MemberRecord("b", "x", 2), RemovalRecord("b")}));
  CHECK(facts.Keys() == 0);
}

// Two feeds have no order between them: every order of arrival must end the same.
TEST_CASE(
    "facts: a node that moved is where it was admitted last, in whatever order one hears of it") {
  const v1::Records old_place = RecordsOf({MemberRecord("n", "63/old", 10)});
  const v1::Records new_place = RecordsOf({MemberRecord("n", "64/new", 20)});
  const v1::Records removal = RecordsOf({RemovalRecord("n")});
  const int order = GENERATE(0, 1, 2);
  Facts facts;
  if (order != 0) facts.Apply(kParent, old_place);
  if (order == 2) facts.Apply(kParent, removal);
  facts.Apply(kOtherParent, new_place);
  if (order == 0) facts.Apply(kParent, old_place);
  CHECK(facts.PathOf("n") == "64/new");
  CHECK(AllMembers(facts.store).size() == 1);
  CHECK(AllMembers(facts.store)[0].path() == "64/new");
  facts.Apply(kParent, removal);
  CHECK(facts.PathOf("n") == "64/new");
  facts.Drop(kOtherParent);
  CHECK(facts.PathOf("n") == "node_unknown");
  CHECK(facts.Keys() == 0);
}

TEST_CASE("facts: an entry's last version counts, and a withdrawn one leaves a tombstone") {
  Facts facts;
  facts.Apply(kCatalog, Entries({EntryOf("1/1", "甲"), EntryOf("1/1", "乙", 2)}));
  CHECK(facts.NameOf("1/1") == "乙");
  CHECK(facts.NameOf("1/2") == "entry_unknown");
  CHECK(facts.NameOf("1/") == "entry_unknown");
  v1::CatalogEntry withdrawn = EntryOf("1/1", "乙", 3);
  withdrawn.set_state(v1::ENTRY_STATE_WITHDRAWN);
  facts.Apply(kCatalog, Entries({withdrawn}));
  const auto tombstone = FindEntry(facts.store, "1/1");
  REQUIRE(tombstone.ok());
  CHECK(tombstone->state() == v1::ENTRY_STATE_WITHDRAWN);
  CHECK(tombstone->items().empty());
  CHECK(tombstone->name() == "乙");
}

TEST_CASE("facts: an entry is stored as it came") {
  Facts facts;
  // A field of a later version.
  const std::string bytes = EntryOf("1/1", "甲").SerializeAsString() + "\xf8\x3f\x01";
  v1::Records records;
  records.add_records()->set_entry(bytes);
  facts.Apply(kCatalog, records);
  std::string value;
  REQUIRE(facts.store.Get(EntryKey(FeedKey::Of(kCatalog), "1/1"), &value).ok());
  CHECK(value == bytes);
}

TEST_CASE("facts: a snapshot replaces what is there, and a dropped feed is gone") {
  Facts facts;
  facts.Apply(kCatalog,
              Entries({EntryOf("1/1", "甲"), EntryOf("1/2", "乙"), EntryOf("1/3", "丙")}));
  facts.Apply(kParent, RecordsOf({MemberRecord("a", "63", 1), MemberRecord("b", "64", 1)}));
  facts.Replace(kCatalog, Entries({EntryOf("1/2", "乙二", 2), EntryOf("1/4", "丁")}));
  facts.Replace(kParent, RecordsOf({MemberRecord("b", "64", 1)}));
  CHECK(facts.NameOf("1/1") == "entry_unknown");
  CHECK(facts.NameOf("1/2") == "乙二");
  CHECK(facts.NameOf("1/4") == "丁");
  CHECK(facts.PathOf("a") == "node_unknown");
  CHECK(facts.PathOf("b") == "64");
  CHECK(facts.Keys() == 2 * 3);
  facts.Drop(kCatalog);
  facts.Drop(kParent);
  CHECK(facts.Keys() == 0);
}

TEST_CASE("facts: a snapshot also replaces what is ordered before it and not yet durable") {
  MemoryStore store;
  std::vector<WriteSet> queue(2);
  bool unknown = false;
  REQUIRE(ApplyRecords(kCatalog, Entries({EntryOf("1/1", "甲")}), &queue[0], &unknown).ok());
  REQUIRE(ReplaceRecords(store, kCatalog, Entries({EntryOf("1/2", "乙")}), &queue[1]).ok());
  REQUIRE(store.Commit(queue).ok());
  CHECK(absl::IsNotFound(FindEntry(store, "1/1").status()));
  CHECK(FindEntry(store, "1/2").ok());
  CHECK(FindEntries(store, {}).entries.size() == 1);
}

TEST_CASE("facts: what is malformed or misplaced adds nothing, what is unknown is said") {
  const auto reason = [](const v1::FeedId& feed, const v1::Records& records) {
    WriteSet writes;
    bool unknown = false;
    const absl::Status status = ApplyRecords(feed, records, &writes, &unknown);
    CHECK(writes.empty());
    return DetailOf(status).reason;
  };
  const std::string refused = "record_inapplicable";
  v1::Records half = Entries({EntryOf("1/1", "甲")});
  half.add_records()->set_entry("no entry");
  CHECK(reason(kCatalog, half) == refused);
  CHECK(reason(kCatalog, Entries({EntryOf("", "甲")})) == refused);
  CHECK(reason(kCatalog, Entries({EntryOf(std::string("1\0001", 3), "甲")})) == refused);
  CHECK(reason(kParent, Entries({EntryOf("1/1", "甲")})) == refused);
  CHECK(reason(kCatalog, RecordsOf({MemberRecord("a", "63", 1)})) == refused);
  v1::Record nobody;
  nobody.mutable_member()->set_node_id("short");
  CHECK(reason(kParent, RecordsOf({nobody})) == refused);

  v1::Records later = RecordsOf({v1::Record(), MemberRecord("a", "63", 1)});
  later.add_records()->mutable_epoch_opened();
  WriteSet writes;
  bool unknown = false;
  REQUIRE(ApplyRecords(kParent, later, &writes, &unknown).ok());
  CHECK(unknown);
  CHECK(writes.ops().size() == 2);
}

TEST_CASE("view: withheld items are there where the upward feed is, in the same version") {
  Facts facts;
  v1::CatalogEntry full = EntryOf("1/1", "甲", 2);
  full.set_node(kCatalog.origin());
  v1::CatalogEntry open = full;
  open.clear_items();
  open.set_items_withheld(true);
  facts.Apply(kCatalog, Entries({open}));
  CHECK(FindEntry(facts.store, "1/1")->items_withheld());
  facts.Apply(kUpward, Entries({full}));
  CHECK(FindEntry(facts.store, "1/1")->items_size() == 1);
  CHECK_FALSE(FindEntry(facts.store, "1/1")->items_withheld());
  open.set_version(3);
  facts.Apply(kCatalog, Entries({open}));
  CHECK(FindEntry(facts.store, "1/1")->items_size() == 0);
  CHECK(FindEntry(facts.store, "1/1")->items_withheld());
  // The upward feed alone makes no entry.
  facts.Apply(kUpward, Entries({EntryOf("1/2", "乙")}));
  CHECK(facts.NameOf("1/2") == "entry_unknown");
}

std::vector<std::string> CodesOf(const EntryPage& page) {
  std::vector<std::string> codes;
  for (const v1::CatalogEntry& entry : page.entries) codes.push_back(entry.code());
  return codes;
}

TEST_CASE("view: entries are found by words in any case and width, by provider and state") {
  Facts facts;
  v1::CatalogEntry streets = EntryOf("1/1", "街道名录");
  streets.set_abstract("全省乡镇街道 Street List");
  streets.set_provider("青海省民政厅");
  streets.set_provider_code("A");
  v1::CatalogEntry firms = EntryOf("1/11", "企业名录");
  firms.set_provider_code("B");
  firms.mutable_items(0)->set_name("统一社会信用代码");
  v1::CatalogEntry suspended = EntryOf("1/2", "停用名录");
  suspended.set_state(v1::ENTRY_STATE_SUSPENDED);
  v1::CatalogEntry withdrawn = EntryOf("1/3", "注销名录");
  withdrawn.set_state(v1::ENTRY_STATE_WITHDRAWN);
  facts.Apply(kCatalog, Entries({streets, firms, suspended, withdrawn}));

  using Codes = std::vector<std::string>;
  CHECK(CodesOf(FindEntries(facts.store, {})) == Codes({"1/1", "1/11"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"名录"}})) == Codes({"1/1", "1/11"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"名录", "民政"}})) == Codes({"1/1"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"sTREET"}})) == Codes({"1/1"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"ｓｔｒｅｅｔ"}})) == Codes({"1/1"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"信用代码"}})) == Codes({"1/11"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"1/11"}})) == Codes({"1/11"}));
  CHECK(CodesOf(FindEntries(facts.store, {.words = {"没有"}})).empty());
  CHECK(CodesOf(FindEntries(facts.store, {.provider_code = "B"})) == Codes({"1/11"}));
  CHECK(CodesOf(FindEntries(facts.store, {.state = v1::ENTRY_STATE_UNSPECIFIED})) ==
        Codes({"1/1", "1/11", "1/2"}));
  CHECK(CodesOf(FindEntries(facts.store, {.state = v1::ENTRY_STATE_SUSPENDED})) == Codes({"1/2"}));
}

TEST_CASE("view: pages follow each other without gap or repetition") {
  Facts facts;
  std::vector<v1::CatalogEntry> entries;
  std::vector<std::string> codes;
  for (int i = 0; i < 10; ++i) {
    codes.push_back(absl::StrCat("1/", 100 + i));
    entries.push_back(EntryOf(codes.back(), "甲"));
  }
  facts.Apply(kCatalog, Entries(entries));
  // One code in two feeds is one entry.
  facts.Apply(FeedOf("successor", v1::FEED_KIND_CATALOG_OPEN),
              Entries({EntryOf("1/104", "新", 2)}));
  CHECK(facts.NameOf("1/104") == "新");
  for (size_t limit = 1; limit <= 11; ++limit) {
    EntryQuery query{.limit = limit};
    std::vector<std::string> seen;
    do {
      const EntryPage page = FindEntries(facts.store, query);
      CHECK(page.entries.size() <= limit);
      for (const std::string& code : CodesOf(page)) seen.push_back(code);
      query.after_code = page.next_after_code;
    } while (!query.after_code.empty());
    CHECK(seen == codes);
  }
  CHECK(FindEntries(facts.store, {.limit = 0}).entries.empty());
}

}  // namespace
}  // namespace guantong
