// The engine of a root with a child that sends whatever it likes: it costs itself, never the others
// and never memory without bound.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/batch.h"
#include "catalog/memory_store.h"
#include "catalog/view.h"
#include "guantong/v1/entry.pb.h"
#include "relay/core/chain_book.h"
#include "relay/core/engine.h"
#include "relay/core/interest.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"

namespace guantong {
namespace {

class Parent {
 public:
  Parent() {
    engine =
        Engine::Create({.calls_open_max = 80},
                       {root.signing_key, root.chain, VerifyChain(root.chain, "", now).value()},
                       &store, &RandomBytes, now)
            .value();
    Up(kHostile, hostile);
    Up(kHonest, honest);
  }

  // What comes of it, commits included.
  Effects Step(Event event) {
    Effects all;
    Effects effects = engine->Step(std::move(event), now);
    while (true) {
      for (Send& send : effects.sends) all.sends.push_back(std::move(send));
      for (Notice& notice : effects.notices) all.notices.push_back(std::move(notice));
      for (CloseLink& close : effects.closes) all.closes.push_back(std::move(close));
      if (effects.ticket == 0) return all;
      REQUIRE(store.Commit({effects.commit}).ok());
      effects = engine->Step(Committed{effects.ticket}, now);
    }
  }
  Effects Receive(LinkId link, const v1::Frame& frame) {
    return Step(FrameReceived{link, frame.SerializeAsString()});
  }
  Effects Receive(LinkId link, const v1::CertificateChain& chain) {
    v1::Frame frame;
    *frame.mutable_chain() = chain;
    return Receive(link, frame);
  }
  Effects Receive(LinkId link, const v1::SignedBatch& batch) {
    v1::Frame frame;
    *frame.mutable_batch() = batch;
    return Receive(link, frame);
  }
  size_t Keys(const std::string& prefix) {
    size_t keys = 0;
    for (auto cursor = store.Scan(prefix, PrefixEnd(prefix)); cursor->Valid(); cursor->Next())
      ++keys;
    return keys;
  }

  static constexpr LinkId kHostile = 1;
  static constexpr LinkId kHonest = 2;
  const absl::Time now = absl::Now();
  MadeNode root = MakeRoot();
  MadeNode hostile = MakeNode(&root, "44");
  MadeNode honest = MakeNode(&root, "63");
  MemoryStore store;
  std::unique_ptr<Engine> engine;

 private:
  void Up(LinkId link, const MadeNode& node) {
    Step(LinkUp{.link = link, .node_id = node.node_id(), .path = node.path, .address = "test"});
  }
};

// The next batch of a record feed.
class Feed {
 public:
  Feed(const Parent& parent, const MadeNode& origin, v1::FeedKind kind)
      : network_(parent.root.node_id()), origin_(origin), at_(parent.now) {
    header_.mutable_feed()->set_origin(origin.node_id());
    header_.mutable_feed()->set_kind(kind);
    header_.mutable_epoch()->set_number(1);
    header_.mutable_epoch()->set_id(std::string(16, 'e'));
    header_.set_prev_hash(ZeroDigest());
  }
  v1::SignedBatch Next(std::vector<v1::Record> list) {
    v1::Records records;
    if (header_.last() == 0) records.add_records()->mutable_epoch_opened();
    for (v1::Record& record : list) *records.add_records() = std::move(record);
    header_.set_prev(header_.last());
    header_.set_last(header_.prev() + static_cast<uint64_t>(records.records_size()));
    header_.set_commit(header_.commit() + 1);
    header_.set_push_end(true);
    header_.set_signer_chain(ChainDigest(origin_.chain));
    header_.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(at_));
    header_.set_encoding(v1::ENCODING_RECORDS);
    header_.set_sealing(v1::SEALING_NONE);
    header_.set_compression(v1::COMPRESSION_NONE);
    std::string hash;
    v1::SignedBatch batch =
        SealBatch(header_, records.SerializeAsString(), origin_.signing_key, network_, &hash);
    header_.set_prev_hash(hash);
    return batch;
  }
  v1::BatchHeader& header() { return header_; }

 private:
  const std::string network_;
  const MadeNode& origin_;
  const absl::Time at_;
  v1::BatchHeader header_;
};

v1::Record EntryRecord(const MadeNode& node, const std::string& code, const std::string& name) {
  v1::CatalogEntry entry;
  entry.set_code(code);
  entry.set_name(name);
  entry.set_node(node.node_id());
  entry.set_state(v1::ENTRY_STATE_PUBLISHED);
  v1::Record record;
  record.set_entry(entry.SerializeAsString());
  return record;
}

TEST_CASE("hostile neighbour: a fact that is not its own is skipped, and its feed goes on") {
  Parent parent;
  parent.Receive(Parent::kHostile, parent.hostile.chain);
  Feed feed(parent, parent.hostile, v1::FEED_KIND_CATALOG_OPEN);
  parent.Receive(Parent::kHostile,
                 feed.Next({EntryRecord(parent.hostile, "1/440000000001", "甲")}));
  REQUIRE(FindEntry(parent.store, "1/440000000001").ok());
  const Effects forged = parent.Receive(
      Parent::kHostile, feed.Next({EntryRecord(parent.honest, "1/630000000001", "乙")}));
  CHECK(absl::IsNotFound(FindEntry(parent.store, "1/630000000001").status()));
  REQUIRE(forged.notices.size() == 1);
  CHECK(forged.notices[0].alarm);
  parent.Receive(Parent::kHostile,
                 feed.Next({EntryRecord(parent.hostile, "1/440000000002", "丙")}));
  CHECK(FindEntry(parent.store, "1/440000000002").ok());
  CHECK(parent.engine->Feeds("").back().text().find("1 facts refused") == 0);
}

TEST_CASE("hostile neighbour: a kind of record feed has one name") {
  Parent parent;
  parent.Receive(Parent::kHostile, parent.hostile.chain);
  const size_t before = parent.Keys("F");
  for (int i = 0; i < 5; ++i) {
    Feed feed(parent, parent.hostile, v1::FEED_KIND_CATALOG_OPEN);
    feed.header().mutable_feed()->set_resource(absl::StrCat("another ", i));
    parent.Receive(Parent::kHostile, feed.Next({}));
  }
  CHECK(parent.Keys("F") == before);
  Feed feed(parent, parent.hostile, v1::FEED_KIND_CATALOG_OPEN);
  parent.Receive(Parent::kHostile, feed.Next({}));
  CHECK(parent.Keys("F") == before + 1);
}

TEST_CASE("hostile neighbour: chains it makes up are not stored, and take no other's place") {
  Parent parent;
  const size_t before = parent.Keys("C");
  for (int i = 0; i < 20; ++i) {
    parent.Receive(Parent::kHostile, MakeNode(&parent.hostile, absl::StrCat("x", i)).chain);
  }
  CHECK(parent.Keys("C") == before);
  // What signs something that is taken in is stored with it.
  parent.Receive(Parent::kHonest, parent.honest.chain);
  Feed feed(parent, parent.honest, v1::FEED_KIND_MEMBERSHIP);
  parent.Receive(Parent::kHonest, feed.Next({}));
  CHECK(parent.Keys("C") == before + 1);
}

TEST_CASE("hostile neighbour: chains are remembered within a bound, the newest last") {
  const MadeNode root = MakeRoot();
  MemoryStore store;
  ChainBook book(root.node_id(), &store, /*bytes_max=*/4000);
  const std::string first = book.Learn(root.chain).value();
  WriteSet kept;
  book.Keep(first, &kept);
  CHECK(kept.ops().size() == 1);
  book.Keep(first, &kept);
  CHECK(kept.ops().size() == 1);
  std::string last;
  for (int i = 0; i < 10; ++i)
    last = book.Learn(MakeNode(&root, absl::StrCat("n", i)).chain).value();
  CHECK(book.Find(first) == nullptr);
  CHECK(book.Find(last) != nullptr);
  // In the store it is found again.
  REQUIRE(store.Commit({kept}).ok());
  CHECK(book.Find(first) != nullptr);
}

TEST_CASE("hostile neighbour: wants of implausible size, and record feeds by name, are none") {
  v1::InterestDelta delta;
  v1::FeedWanted* wanted = delta.add_add()->mutable_feed();
  wanted->mutable_feed()->set_origin(std::string(32, 'o'));
  wanted->mutable_feed()->set_kind(v1::FEED_KIND_ROWS);
  wanted->mutable_feed()->set_resource("1/630000000001:1");
  Interests good;
  CHECK(good.Apply(delta) == 0);
  CHECK(good.feeds().size() == 1);
  wanted->mutable_feed()->set_resource(std::string(kInterestBytesMax, 'r'));
  CHECK(Interests().Apply(delta) == 1);
  wanted->mutable_feed()->set_resource("");
  for (v1::FeedKind kind : {v1::FEED_KIND_UNSPECIFIED, v1::FEED_KIND_MEMBERSHIP,
                            v1::FEED_KIND_CATALOG_OPEN, v1::FEED_KIND_CATALOG_UPWARD}) {
    wanted->mutable_feed()->set_kind(kind);
    CHECK(Interests().Apply(delta) == 1);
  }

  v1::InterestDelta scopes;
  v1::Scope* scope = scopes.add_add()->mutable_scope();
  for (int i = 0; i < 20; ++i) scope->add_kinds(v1::FEED_KIND_CATALOG_OPEN);
  Interests some;
  CHECK(some.Apply(scopes) == 0);
  REQUIRE(some.scopes().size() == 1);
  CHECK(some.scopes()[0].kinds.size() == 1);
  for (int i = 0; i < 1000; ++i) scope->add_kinds(v1::FEED_KIND_CATALOG_OPEN);
  CHECK(Interests().Apply(scopes) == 1);
}

TEST_CASE("hostile neighbour: it cannot break off the snapshot that another gives") {
  Parent parent;
  parent.Receive(Parent::kHonest, parent.honest.chain);
  Feed feed(parent, parent.honest, v1::FEED_KIND_CATALOG_OPEN);
  v1::Records records;
  *records.add_records() = EntryRecord(parent.honest, "1/630000000001", "甲");
  const std::string data = records.SerializeAsString();
  v1::Manifest manifest;
  *manifest.mutable_feed() = feed.header().feed();
  *manifest.mutable_at()->mutable_epoch() = feed.header().epoch();
  manifest.mutable_at()->set_sequence(7);
  manifest.mutable_at()->set_chain_hash(Sha256("h"));
  manifest.set_records(1);
  manifest.add_chunks()->set_hash(Sha256(data));
  manifest.set_signer_chain(ChainDigest(parent.honest.chain));
  manifest.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(parent.now));
  manifest.set_encoding(v1::ENCODING_RECORDS);
  v1::Frame frame;
  *frame.mutable_manifest() =
      SealManifest(manifest, parent.honest.signing_key, parent.root.node_id());
  REQUIRE_FALSE(parent.Receive(Parent::kHonest, frame).sends.empty());

  v1::Frame gone;
  *gone.mutable_chunk()->mutable_feed() = manifest.feed();
  gone.mutable_chunk()->set_hash(Sha256(data));
  gone.mutable_chunk()->set_absent(true);
  CHECK(parent.Receive(Parent::kHostile, gone).sends.empty());

  v1::Frame chunk = gone;
  chunk.mutable_chunk()->clear_absent();
  chunk.mutable_chunk()->set_data(data);
  parent.Receive(Parent::kHonest, chunk);
  CHECK(FindEntry(parent.store, "1/630000000001").ok());
}

v1::Frame CallTo(const MadeNode& caller, const std::string& target) {
  v1::Frame frame;
  v1::CallRequest* request = frame.mutable_call_request();
  request->set_id(RandomBytes(16));
  request->set_target(target);
  request->mutable_caller()->set_node_id(caller.node_id());
  request->mutable_caller()->set_path(caller.path.text());
  request->mutable_budget()->set_seconds(kCallBudgetSecondsMax);
  return frame;
}

TEST_CASE("hostile neighbour: calls it leaves open take its own share, not the others'") {
  Parent parent;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    for (const Send& send : parent.Receive(Parent::kHostile, CallTo(parent.hostile, "63")).sends) {
      refused += send.link == Parent::kHostile ? 1 : 0;
    }
  }
  CHECK(refused == 90);
  const Effects passed = parent.Receive(Parent::kHonest, CallTo(parent.honest, "44"));
  REQUIRE(passed.sends.size() == 1);
  CHECK(passed.sends[0].link == Parent::kHostile);
}

}  // namespace
}  // namespace guantong
