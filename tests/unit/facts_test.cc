// Facts as they arrive, and the view of them: members and catalogue entries.

#include "catalog/facts.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"
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

v1::CatalogEntry EntryOf(const std::string& code, const std::string& name, uint64_t version = 1,
                         const std::string& node = "node") {
  v1::CatalogEntry entry;
  entry.set_code(code);
  entry.set_node(Sha256(node));
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

  // All origins but `kRoot` stand at 63.
  static NodePath PathOfOrigin(const v1::FeedId& feed) {
    return NodePath::Parse(feed.origin() == Sha256("root") ? "" : "63").value();
  }
  SkippedFacts TryApply(const v1::FeedId& feed, const v1::Records& records) {
    WriteSet writes;
    const SkippedFacts skipped = ApplyRecords(feed, PathOfOrigin(feed), records, &writes);
    REQUIRE(store.Commit({writes}).ok());
    return skipped;
  }
  void Apply(const v1::FeedId& feed, const v1::Records& records) {
    const SkippedFacts skipped = TryApply(feed, records);
    CHECK(skipped.unknown == 0);
    CHECK(skipped.refused == 0);
    CHECK(skipped.why.empty());
  }
  SkippedFacts Replace(const v1::FeedId& feed, const v1::Records& records) {
    WriteSet writes;
    const auto skipped = ReplaceRecords(store, feed, PathOfOrigin(feed), records, &writes);
    REQUIRE(skipped.ok());
    REQUIRE(store.Commit({writes}).ok());
    return *skipped;
  }
  // A feed held here, at the path that its chain proves.
  void Hold(const v1::FeedId& feed, const std::string& path, bool own = false) {
    storage::v1::FeedRecord record;
    *record.mutable_feed() = feed;
    record.set_origin_path(path);
    record.set_own(own);
    WriteSet writes;
    writes.Put(FeedRecordKey(FeedKey::Of(feed)), record.SerializeAsString());
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
const v1::FeedId kRoot = FeedOf("root", v1::FEED_KIND_MEMBERSHIP);
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
  facts.Apply(kParent, RecordsOf({MemberRecord("b", "63/x", 2), RemovalRecord("b")}));
  CHECK(facts.Keys() == 0);
}

// Two feeds have no order between them: every order of arrival must end the same.
TEST_CASE(
    "facts: a node that moved is where it was admitted last, in whatever order one hears of it") {
  const v1::Records old_place = RecordsOf({MemberRecord("n", "63/old", 10)});
  const v1::Records new_place = RecordsOf({MemberRecord("n", "63/new", 20)});
  const v1::Records removal = RecordsOf({RemovalRecord("n")});
  const int order = GENERATE(0, 1, 2);
  Facts facts;
  if (order != 0) facts.Apply(kParent, old_place);
  if (order == 2) facts.Apply(kParent, removal);
  facts.Apply(kOtherParent, new_place);
  if (order == 0) facts.Apply(kParent, old_place);
  CHECK(facts.PathOf("n") == "63/new");
  CHECK(AllMembers(facts.store).size() == 1);
  CHECK(AllMembers(facts.store)[0].path() == "63/new");
  facts.Apply(kParent, removal);
  CHECK(facts.PathOf("n") == "63/new");
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
  facts.Apply(kRoot, RecordsOf({MemberRecord("a", "63", 1), MemberRecord("b", "64", 1)}));
  facts.Replace(kCatalog, Entries({EntryOf("1/2", "乙二", 2), EntryOf("1/4", "丁")}));
  facts.Replace(kRoot, RecordsOf({MemberRecord("b", "64", 1)}));
  CHECK(facts.NameOf("1/1") == "entry_unknown");
  CHECK(facts.NameOf("1/2") == "乙二");
  CHECK(facts.NameOf("1/4") == "丁");
  CHECK(facts.PathOf("a") == "node_unknown");
  CHECK(facts.PathOf("b") == "64");
  CHECK(facts.Keys() == 2 * 3);
  facts.Drop(kCatalog);
  facts.Drop(kRoot);
  CHECK(facts.Keys() == 0);
}

TEST_CASE("facts: a snapshot also replaces what is ordered before it and not yet durable") {
  MemoryStore store;
  std::vector<WriteSet> queue(2);
  ApplyRecords(kCatalog, NodePath(), Entries({EntryOf("1/1", "甲")}), &queue[0]);
  REQUIRE(
      ReplaceRecords(store, kCatalog, NodePath(), Entries({EntryOf("1/2", "乙")}), &queue[1]).ok());
  REQUIRE(store.Commit(queue).ok());
  CHECK(absl::IsNotFound(FindEntry(store, "1/1").status()));
  CHECK(FindEntry(store, "1/2").ok());
  CHECK(FindEntries(store, {}).entries.size() == 1);
}

TEST_CASE(
    "facts: what is malformed or misplaced is skipped by itself, what is unknown is counted") {
  const auto refused = [](const v1::FeedId& feed, const v1::Records& records) {
    Facts facts;
    const SkippedFacts skipped = facts.TryApply(feed, records);
    CHECK(skipped.why.empty() == (skipped.refused == 0));
    return skipped.refused;
  };
  CHECK(refused(kCatalog, Entries({EntryOf("", "甲")})) == 1);
  CHECK(refused(kCatalog, Entries({EntryOf("1/1:1", "甲")})) == 1);
  CHECK(refused(kCatalog, Entries({EntryOf(std::string("1\0001", 3), "甲")})) == 1);
  CHECK(refused(kParent, Entries({EntryOf("1/1", "甲")})) == 1);
  CHECK(refused(kCatalog, RecordsOf({MemberRecord("a", "63/1", 1)})) == 1);
  v1::Record nobody;
  nobody.mutable_member()->set_node_id("short");
  CHECK(refused(kParent, RecordsOf({nobody})) == 1);

  // The rest of the batch counts.
  Facts facts;
  v1::Records mixed = Entries({EntryOf("1/1", "甲")});
  mixed.add_records()->set_entry("no entry");
  mixed.add_records()->set_entry(EntryOf("1/2", "乙").SerializeAsString());
  CHECK(facts.TryApply(kCatalog, mixed).refused == 1);
  CHECK(facts.NameOf("1/1") == "甲");
  CHECK(facts.NameOf("1/2") == "乙");

  v1::Records later = RecordsOf({v1::Record(), MemberRecord("a", "63/1", 1)});
  later.add_records()->mutable_epoch_opened();
  const SkippedFacts skipped = facts.TryApply(kParent, later);
  CHECK(skipped.unknown == 1);
  CHECK(skipped.refused == 0);
  CHECK(facts.PathOf("a") == "63/1");
}

TEST_CASE("facts: a node admits its own children alone, and the root itself") {
  const auto refused = [](const v1::FeedId& feed, const v1::Record& record) {
    return Facts().TryApply(feed, RecordsOf({record})).refused;
  };
  CHECK(refused(kParent, MemberRecord("a", "63/6301", 1)) == 0);
  CHECK(refused(kParent, MemberRecord("a", "64/6401", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("a", "63/6301/630102", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("a", "63", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("a", "", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("a", "63/../64", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("parent", "63/6301", 1)) == 1);
  CHECK(refused(kParent, MemberRecord("parent", "", 1)) == 1);
  CHECK(refused(kRoot, MemberRecord("root", "", 1)) == 0);
  CHECK(refused(kRoot, MemberRecord("a", "", 1)) == 1);
  CHECK(refused(kRoot, MemberRecord("a", "63", 1)) == 0);
}

TEST_CASE(
    "facts: a refused fact ends what was said before under its key, by the log as by a snapshot") {
  v1::CatalogEntry foreign = EntryOf("1/1", "乙", 2, "another node");
  Facts by_log;
  by_log.Apply(kCatalog, Entries({EntryOf("1/1", "甲"), EntryOf("1/2", "丙")}));
  by_log.Apply(kParent, RecordsOf({MemberRecord("a", "63/1", 1)}));
  CHECK(by_log.TryApply(kCatalog, Entries({foreign})).refused == 1);
  CHECK(by_log.TryApply(kParent, RecordsOf({MemberRecord("a", "64/1", 2)})).refused == 1);
  Facts by_snapshot;
  CHECK(by_snapshot.Replace(kCatalog, Entries({foreign, EntryOf("1/2", "丙")})).refused == 1);
  CHECK(by_snapshot.Replace(kParent, RecordsOf({MemberRecord("a", "64/1", 2)})).refused == 1);
  for (Facts* facts : {&by_log, &by_snapshot}) {
    CHECK(facts->NameOf("1/1") == "entry_unknown");
    CHECK(facts->NameOf("1/2") == "丙");
    CHECK(facts->PathOf("a") == "node_unknown");
    CHECK(facts->Keys() == 2);
  }
}

v1::Record Admitted(const std::string& node, const std::string& path, const std::string& division,
                    int64_t at) {
  v1::Record record = MemberRecord(node, path, at);
  record.mutable_member()->set_division(division);
  return record;
}

// The claimants of one code, and the facts that decide between them, in every order.
TEST_CASE(
    "claims: a code is the node's whose division is nearest, whatever versions say and comes "
    "first") {
  const std::string code = "3070120337/630102000001";
  const auto feed = [](const std::string& node) {
    return FeedOf(node, v1::FEED_KIND_CATALOG_OPEN);
  };
  struct Step {
    v1::FeedId feed;
    v1::Records records;
  };
  const auto claim = [&](const std::string& node, uint64_t version) {
    return Step{feed(node), Entries({EntryOf(code, node, version, node)})};
  };
  std::vector<Step> steps = {
      claim("county", 1),
      claim("city", 7),
      claim("stranger", 900),
      Step{kParent, RecordsOf({Admitted("county", "63/630102", "630102", 30),
                               Admitted("city", "63/630100", "630100", 20)})},
      Step{kRoot, RecordsOf({Admitted("stranger", "44", "440000", 10)})},
  };
  std::vector<size_t> order = {0, 1, 2, 3, 4};
  do {
    Facts facts;
    for (size_t step : order) facts.Apply(steps[step].feed, steps[step].records);
    CHECK(facts.NameOf(code) == "county");
    // Withdrawn, the code stays its own.
    v1::CatalogEntry withdrawn = EntryOf(code, "county", 2, "county");
    withdrawn.set_state(v1::ENTRY_STATE_WITHDRAWN);
    facts.Apply(feed("county"), Entries({withdrawn}));
    CHECK(FindEntry(facts.store, code)->state() == v1::ENTRY_STATE_WITHDRAWN);
    facts.Drop(feed("county"));
    CHECK(facts.NameOf(code) == "city");
    facts.Drop(feed("city"));
    CHECK(facts.NameOf(code) == "stranger");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE(
    "claims: at its own node an entry is the node's, and else the one nearer to the root holds") {
  const std::string code = "3070120337/630000000001";
  const auto feed = [](const std::string& node) {
    return FeedOf(node, v1::FEED_KIND_CATALOG_OPEN);
  };
  Facts facts;
  // No membership tells of the province here, as at a node that holds a province's branch alone.
  facts.Hold(feed("province"), "63");
  facts.Hold(feed("city"), "63/630100");
  facts.Apply(feed("city"), Entries({EntryOf(code, "city", 9, "city")}));
  facts.Apply(feed("province"), Entries({EntryOf(code, "province", 1, "province")}));
  facts.Apply(kParent, RecordsOf({Admitted("city", "63/630100", "630100", 1)}));
  CHECK(facts.NameOf(code) == "province");
  facts.Hold(feed("city"), "63/630100", /*own=*/true);
  CHECK(facts.NameOf(code) == "city");
}

TEST_CASE(
    "claims: where a node stands its own parent says, and the chains of its own feeds prove") {
  Facts facts;
  facts.Apply(kParent, RecordsOf({MemberRecord("n", "63/n", 1)}));
  facts.Apply(kOtherParent, RecordsOf({MemberRecord("n", "63/lie", 99)}));
  facts.Hold(FeedOf("n", v1::FEED_KIND_CATALOG_OPEN), "63/n");
  CHECK(facts.PathOf("n") == "63/n");
  REQUIRE(AllMembers(facts.store).size() == 1);
  CHECK(AllMembers(facts.store)[0].path() == "63/n");
  facts.Hold(kOtherParent, "63", /*own=*/true);
  CHECK(facts.PathOf("n") == "63/lie");
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

TEST_CASE("view: entries are found by provider and state") {
  Facts facts;
  v1::CatalogEntry streets = EntryOf("1/1", "街道名录");
  streets.set_provider_code("A");
  v1::CatalogEntry firms = EntryOf("1/11", "企业名录");
  firms.set_provider_code("B");
  v1::CatalogEntry suspended = EntryOf("1/2", "停用名录");
  suspended.set_state(v1::ENTRY_STATE_SUSPENDED);
  v1::CatalogEntry withdrawn = EntryOf("1/3", "注销名录");
  withdrawn.set_state(v1::ENTRY_STATE_WITHDRAWN);
  facts.Apply(kCatalog, Entries({streets, firms, suspended, withdrawn}));

  using Codes = std::vector<std::string>;
  CHECK(CodesOf(FindEntries(facts.store, {})) == Codes({"1/1", "1/11"}));
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
  facts.Apply(FeedOf("other", v1::FEED_KIND_CATALOG_OPEN),
              Entries({EntryOf("1/104", "他", 2, "other")}));
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

  // A page ends where enough was looked at, though nothing was found; nothing is passed over.
  EntryQuery rare{.provider_code = "nobody", .looked_max = 3};
  size_t pages = 0;
  do {
    const EntryPage page = FindEntries(facts.store, rare);
    CHECK(page.looked <= 3);
    CHECK(page.entries.empty());
    rare.after_code = page.next_after_code;
    ++pages;
  } while (!rare.after_code.empty());
  CHECK(pages == (codes.size() + 2) / 3);
  // What one node has said, without a look at the others'.
  EntryQuery own{.node = kCatalog.origin(), .limit = 2};
  std::vector<std::string> seen;
  size_t looked = 0;
  do {
    const EntryPage page = FindEntries(facts.store, own);
    looked += page.looked;
    for (const std::string& code : CodesOf(page)) seen.push_back(code);
    own.after_code = page.next_after_code;
  } while (!own.after_code.empty());
  CHECK(seen.size() >= codes.size() - 1);
  CHECK(looked >= seen.size());
  CHECK(FindEntries(facts.store, {.node = "nobody"}).looked == 0);
}

}  // namespace
}  // namespace guantong
