// What a node does not take: foreign signatures, strangers, clocks, bytes that are none; and what
// an origin does not give.
#include <functional>

#include "catalog/base/digest.h"
#include "catalog/batch.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

struct ForgingPair : Pair {
  // The batch that would follow 1.2 of D, as `signer` would make it.
  v1::Frame Next(const EngineIdentity& signer, absl::Time signed_at) {
    v1::RowBatch rows;
    rows.add_changes()->set_key("k1");
    rows.mutable_changes(0)->set_row("forged");
    const v1::Frame last = stage.Last("A", "B", "batch D 1.1..2");
    v1::BatchHeader header;
    header.ParseFromString(last.batch().header());
    header.set_prev_hash((*ParseBatch(last.batch())).chain_hash);
    header.set_prev(2);
    header.set_last(3);
    header.set_commit(1);
    header.set_push_end(true);
    header.set_rows(1);
    header.set_signer_chain(ChainDigest(signer.chain));
    header.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(signed_at));
    std::string hash;
    v1::Frame frame;
    *frame.mutable_batch() = SealBatch(header, rows.SerializeAsString(), signer.key,
                                       stage.identity("A").self.network, &hash);
    return frame;
  }

  void LearnChain(const EngineIdentity& of) {
    v1::Frame frame;
    *frame.mutable_chain() = of.chain;
    stage.Inject("A", "B", frame);
  }
};

TEST_CASE("a damaged payload is refused and the batch is taken when it comes whole") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  stage.Lose("A", "B", "batch D 1.3..3");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  v1::Frame damaged = stage.Last("A", "B", "batch D 1.3..3");
  damaged.mutable_batch()->mutable_payload()->back() ^= 1;
  stage.Said();
  stage.Inject("A", "B", damaged);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.3..3
    B -> A: nack D BAD_CHAIN have 1.2
  )"));
  CHECK(RowsAt(stage, "B", pair.d).empty());
  stage.Repeat("A", "B", "batch D 1.3..3");
  stage.Settle();
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one");
}

TEST_CASE("a damaged header is refused by a frame that can be read") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  v1::BatchHeader header;
  header.mutable_feed()->set_origin("o");
  header.mutable_feed()->set_resource("street");
  std::string bytes = header.SerializeAsString();
  bytes.back() = '\xff';  // no UTF-8
  v1::Frame damaged;
  damaged.mutable_batch()->set_header(bytes);
  stage.Inject("A", "B", damaged);
  stage.PlayOne();
  v1::Frame answer;
  const v1::Frame said = stage.Last("B", "A", "nack");
  CHECK(answer.ParseFromString(said.SerializeAsString()));
  CHECK(answer.nack().feed().resource().empty());
  stage.Settle();
  CHECK_FALSE(stage.engine("A").Links().empty());
}

TEST_CASE("a signature that is not the origin's key is refused and not stored") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  v1::Frame forged = pair.Next(stage.identity("A"), stage.now());
  forged.mutable_batch()->set_signature(stage.identity("B").key.Sign("something else"));
  stage.Inject("A", "B", forged);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.3..3
    B -> A: nack D BAD_CHAIN have 1.2
  )"));
  std::string bytes;
  CHECK_FALSE(stage.store("B").Get(LogKey(pair.d.key, 1, 3), &bytes).ok());
  CHECK(stage.Noticed("B", "refused"));
}

TEST_CASE("nobody signs for another node's feed") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  // A node of the network, another node that claims A's place with a key of its own, and a network
  // of its own.
  const EngineIdentity& sibling = sim::IdentityAt(*NodePath::Parse("c"));
  pair.LearnChain(sibling);
  stage.Inject("A", "B", pair.Next(sibling, stage.now()));
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: chain
    A => B: batch D 1.3..3
    B -> A: nack D BAD_SIGNER have 1.2
  )"));
  const EngineIdentity& stranger = sim::IdentityAt(NodePath(), "stranger");
  pair.LearnChain(stranger);
  stage.Inject("A", "B", pair.Next(stranger, stage.now()));
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: chain
    A => B: batch D 1.3..3
    B -> A: nack D GAP have 1.2
  )"));
  CHECK(stage.Noticed("B", "certificate chain refused"));
  CHECK(RowsAt(stage, "B", pair.d).empty());
}

TEST_CASE("a batch signed eleven minutes ahead of us waits, nine minutes are taken") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  stage.Inject("A", "B", pair.Next(stage.identity("A"), stage.now() + absl::Minutes(11)));
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.3..3
    B -> A: nack D CLOCK_AHEAD have 1.2
  )"));
  CHECK(stage.Noticed("A", "ahead of our clock"));
  stage.Inject("A", "B", pair.Next(stage.identity("A"), stage.now() + absl::Minutes(9)));
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
}

TEST_CASE("bytes that are no frame end the link, a frame of a later version is passed over") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  stage.InjectBytes("A", "B", "\x0a\x05half");
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: bytes that are no frame
    B closes the link: a frame does not parse
  )"));
  stage.Link("B", "A");
  stage.Settle();
  stage.Said();
  stage.InjectBytes("A", "B", std::string("\xa2\x06\x03new", 6));  // field 100
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => B: frame of an unknown kind
    A -> B: batch D 1.3..3
    B -> A: ack D 1.3
  )"));
}

TEST_CASE("every frame cut short anywhere is survived") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  for (const char* kind : {"batch D 1.3..3", "hello", "offer", "chain"}) {
    const std::string whole = stage.Last("A", "B", kind).SerializeAsString();
    for (size_t size = 0; size < whole.size(); ++size) {
      stage.InjectBytes("A", "B", whole.substr(0, size));
      stage.Settle();
      if (stage.engine("B").Links().empty()) stage.Link("B", "A");
      stage.Settle();
    }
  }
  PushTo(stage, pair.d, {{"k2", "two"}});
  stage.Pass(absl::Minutes(2));
  CHECK(RowsAt(stage, "B", pair.d) == "k1=one k2=two");
}

// --- what an origin does not give ----------------------------------------------------------------

TEST_CASE("a dataset that is not shared is refused, with its reason, to everybody who asks") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("R", "r");
  stage.Add("X", "r/x");
  stage.Link("R", "A");
  stage.Link("X", "R");
  PlayedDataset d = OpenDataset(stage, "A", "D", /*shared=*/false);
  PushTo(stage, d, {{"k1", "secret"}});
  stage.Settle();
  stage.Said();
  SubscribeTo(stage, "X", d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    X -> R: interest +D have nothing
    R -> A: interest +D have nothing
    A -> R: nack D REFUSED have nothing
    R -> X: nack D REFUSED have nothing
  )"));
  // Who asks later hears it from whoever has heard it.
  SubscribeTo(stage, "R", d);
  stage.Settle();
  CHECK(stage.Said().empty());
  storage::v1::StoredInterest interest;
  interest.set_code("D:1");
  *interest.mutable_feed() = d.feed;
  for (const char* name : {"R", "X"}) {
    std::string bytes;
    storage::v1::StoredInterest stored;
    REQUIRE(stage.store(name).Get(SubscriptionKey("D:1"), &bytes).ok());
    REQUIRE(stored.ParseFromString(bytes));
    CHECK(stage.engine(name).SubscriptionInfo(stored).state() == v1::SUBSCRIPTION_STATE_REFUSED);
  }
  // Asked for by name it is not given either.
  v1::Frame fetch;
  *fetch.mutable_fetch()->mutable_feed() = d.feed;
  stage.Inject("R", "A", fetch);
  stage.Settle();
  CHECK(stage.Said() == "R => A: fetch D after nothing");

  // Shared later, it flows, and the refusal is forgotten.
  v1::DatasetSchema schema;
  schema.set_version(1);
  schema.add_columns()->set_field("code");
  stage.Step("A", OpenRows{.resource = "D:1", .schema = schema, .shared = true});
  stage.Pass(absl::Minutes(1));
  CHECK(RowsAt(stage, "X", d) == "k1=secret");
  CHECK(RowsAt(stage, "R", d) == "k1=secret");
}

TEST_CASE("a refusal that was lost is asked for again") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  PlayedDataset secret = OpenDataset(stage, "A", "S", /*shared=*/false);
  stage.Lose("A", "B", "nack S");
  SubscribeTo(stage, "B", secret);
  stage.Settle();
  stage.Said();
  stage.Pass(absl::Seconds(31));
  CHECK(stage.Said() == Lines(R"(
    B -> A: interest +S have nothing
    A -> B: nack S REFUSED have nothing
  )"));
}

TEST_CASE("a dataset that ends takes its copies with it, and is not given again") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  stage.Add("C", "c");
  stage.Link("C", "A");
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  stage.Said();
  stage.Step("A", CloseRows{.resource = "D:1"});
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A -> B: batch D 1.4..4
    B -> A: ack D 1.4
  )"));
  CHECK(RowsAt(stage, "B", pair.d) == "no table");
  SubscribeTo(stage, "C", pair.d);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    C -> A: interest +D have nothing
    A -> C: nack D REFUSED have nothing
  )"));
  SubscribeTo(stage, "B", pair.d);
  stage.Pass(absl::Minutes(1));
  CHECK(RowsAt(stage, "B", pair.d) == "no table");
  CHECK(RowsAt(stage, "C", pair.d) == "no table");
}

// --- signed, and against the rules of a feed -----------------------------------------------------

// What A's own key signs after the batch `line` it sent to B, changed by `twist`.
void InjectAfter(Stage& stage, const std::string& line, absl::Duration later,
                 const std::function<void(v1::BatchHeader&, std::string&)>& twist) {
  const v1::Frame last = stage.Last("A", "B", line);
  v1::BatchHeader header;
  REQUIRE(header.ParseFromString(last.batch().header()));
  const absl::Time before = absl::FromUnixSeconds(header.signed_at().seconds());
  header.set_prev_hash((*ParseBatch(last.batch())).chain_hash);
  header.set_prev(header.last());
  header.set_last(header.prev() + 1);
  header.set_compression(v1::COMPRESSION_NONE);
  header.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(before + later));
  std::string payload;
  twist(header, payload);
  const EngineIdentity& signer = stage.identity("A");
  std::string hash;
  v1::Frame frame;
  *frame.mutable_batch() = SealBatch(header, payload, signer.key, signer.self.network, &hash);
  stage.Inject("A", "B", frame);
  stage.Settle();
}

void OneRow(v1::BatchHeader& header, std::string& payload) {
  v1::RowBatch rows;
  rows.add_changes()->set_key("k9");
  rows.mutable_changes(0)->set_row("after");
  header.set_encoding(v1::ENCODING_ROWS);
  payload = rows.SerializeAsString();
}

TEST_CASE("nothing follows the end of a feed") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  stage.Step("A", CloseRows{.resource = "D:1"});
  stage.Settle();
  stage.Said();
  InjectAfter(stage, "batch D 1.3..3", absl::Seconds(1), OneRow);
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.4..4
    B -> A: nack D RULE_BROKEN have 1.3
  )"));
  CHECK(stage.Noticed("A", "nothing may follow the end of a feed"));
  // Nor does a restored origin open an epoch after it.
  stage.Restart("A");
  stage.Link("B", "A");
  stage.Pass(absl::Minutes(2));
  CHECK(stage.Said().find("2.1") == std::string::npos);
}

TEST_CASE("dates do not go back within an epoch") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  stage.Said();
  InjectAfter(stage, "batch D 1.3..3", -absl::Seconds(5), OneRow);
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.4..4
    B -> A: nack D RULE_BROKEN have 1.3
  )"));
  CHECK(stage.Noticed("A", "signed before the batch that it follows"));
  InjectAfter(stage, "batch D 1.3..3", absl::Seconds(5), OneRow);
  CHECK(stage.Said() == Lines(R"(
    A => B: batch D 1.4..4
    B -> A: ack D 1.4
  )"));
}

TEST_CASE("records are as many as are numbered") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  PushTo(stage, pair.d, {{"k1", "one"}});
  stage.Settle();
  stage.Said();
  SECTION("facts are counted before they are taken") {
    InjectAfter(stage, "batch D 1.3..3", absl::Seconds(5),
                [](v1::BatchHeader& header, std::string& payload) {
                  v1::Records records;
                  records.add_records();
                  header.set_encoding(v1::ENCODING_RECORDS);
                  header.set_last(header.prev() + 2);
                  payload = records.SerializeAsString();
                });
    CHECK(stage.Said() == Lines(R"(
      A => B: batch D 1.4..5
      B -> A: nack D RULE_BROKEN have 1.3
    )"));
    CHECK(stage.Noticed("A", "it holds 1 records and numbers 2"));
  }
  SECTION("rows are counted where they are read: the copy is mended by a snapshot") {
    InjectAfter(stage, "batch D 1.3..3", absl::Seconds(5),
                [](v1::BatchHeader& header, std::string& payload) {
                  OneRow(header, payload);
                  header.set_last(header.prev() + 2);
                });
    CHECK(stage.Noticed("B", "a batch holds 1 records and numbers 2"));
    CHECK(RowsAt(stage, "B", pair.d) == "k1=one");
  }
}

TEST_CASE("a dataset shared no more stops at once, and goes on when it is shared again") {
  ForgingPair pair;
  Stage& stage = pair.stage;
  v1::DatasetSchema schema;
  schema.set_version(1);
  schema.add_columns()->set_field("code");
  stage.Step("A", OpenRows{.resource = "D:1", .schema = schema, .shared = false});
  stage.Settle();
  PushTo(stage, pair.d, {{"k1", "secret"}});
  stage.Pass(absl::Minutes(2));
  CHECK(stage.Said() == "A -> B: nack D REFUSED have nothing");
  CHECK(RowsAt(stage, "B", pair.d).empty());
  stage.Step("A", OpenRows{.resource = "D:1", .schema = schema, .shared = true});
  stage.Pass(absl::Minutes(1));
  CHECK(RowsAt(stage, "B", pair.d) == "k1=secret");
  std::string bytes;
  storage::v1::StoredInterest stored;
  REQUIRE(stage.store("B").Get(SubscriptionKey("D:1"), &bytes).ok());
  REQUIRE(stored.ParseFromString(bytes));
  CHECK(stored.refused().empty());
}

// --- what is not understood ----------------------------------------------------------------------

TEST_CASE("a kind of feed nobody here knows is stored, forwarded and not applied") {
  Stage stage;
  stage.Add("A", "");
  stage.Add("R", "r");
  stage.Add("X", "r/x");
  stage.Link("R", "A");
  stage.Link("X", "R");
  stage.Settle();
  const EngineIdentity& origin = stage.identity("A");
  v1::BatchHeader header;
  header.mutable_feed()->set_origin(origin.self.node_id);
  header.mutable_feed()->set_kind(static_cast<v1::FeedKind>(17));
  header.mutable_epoch()->set_number(1);
  header.mutable_epoch()->set_id("0123456789abcdef");
  header.set_last(1);
  header.set_prev_hash(ZeroDigest());
  header.set_signer_chain(ChainDigest(origin.chain));
  header.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(stage.now()));
  header.set_sealing(v1::SEALING_NONE);
  header.set_encoding(static_cast<v1::Encoding>(9));
  header.set_compression(v1::COMPRESSION_NONE);
  header.set_push_end(true);
  const FeedKey key = stage.Name("F", header.feed());
  std::string hash;
  v1::Frame chain;
  *chain.mutable_chain() = origin.chain;
  v1::Frame batch;
  *batch.mutable_batch() =
      SealBatch(header, "of a later version", origin.key, origin.self.network, &hash);

  storage::v1::StoredInterest interest;
  interest.set_code("F");
  *interest.mutable_feed() = header.feed();
  stage.Step("X", Subscribe{.interest = interest});
  stage.Settle();
  stage.Said();
  stage.Inject("A", "R", chain);
  stage.Inject("A", "R", batch);
  stage.Settle();
  CHECK(stage.Said() == Lines(R"(
    A => R: chain
    A => R: batch F 1.1..1
    R -> X: batch F 1.1..1
    R -> A: ack F 1.1
    X -> R: ack F 1.1
  )"));
  std::string bytes;
  CHECK(stage.store("X").Get(LogKey(key, 1, 1), &bytes).ok());
}

}  // namespace
}  // namespace guantong
