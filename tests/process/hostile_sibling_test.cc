// A child that is in order by its certificate and hostile in all it says: its parent drops its link
// or lets it use up what is its own, and its sibling notices nothing.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/batch.h"
#include "catalog/keys.h"
#include "guantong/v1/entry.pb.h"
#include "node/identity/identity.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

constexpr int kPushes = 5;

v1::Frame Hello() {
  v1::Frame frame;
  frame.mutable_hello()->set_version(1);
  frame.mutable_hello()->set_boot(std::string(16, 'b'));
  frame.mutable_hello()->set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
  return frame;
}

// A root whose dataset two children want: an honest one that runs, and one in whose name the test
// speaks.
class HostileSibling {
 public:
  HostileSibling()
      : network(OneNode()),
        root(network["000000"]),
        sibling(network.AddNode({"140000", "山西省", "province", "000000"})),
        hostile(network.AddFolder({"630000", "青海省", "province", "000000"})),
        identity(*LoadIdentity(hostile.dir())) {
    code = root.Editor().Publish(CodeAndName("名录"), network.folder().path());
    network.UntilLinked(sibling);
    network.Until("the entry is known", [&] {
      return sibling.Editor().Try({"subscribe", code}).ok();
    });
    rows_feed.set_origin(LoadIdentity(root.dir())->self.node_id);
    rows_feed.set_kind(v1::FEED_KIND_ROWS);
    rows_feed.set_resource(code);
    Latency();
  }

  // Until a row pushed at the root is at the sibling: the median of a few.
  absl::Duration Latency() {
    std::vector<absl::Duration> all;
    for (int i = 0; i < kPushes; ++i) {
      const std::string file =
          network.folder().File("row.csv", CodeAndNameRows(rows, rows + 1, "行"));
      const absl::Time started = absl::Now();
      root.Editor().Do({"push", code, file});
      ++rows;
      network.Until("the sibling has the row",
                    [&] { return sibling.Operator().LocalRows(code) == rows; });
      all.push_back(absl::Now() - started);
    }
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }

  // What the hostile one does goes on in the meantime.
  void CompareLatency(const std::string& what, const std::function<void()>& attack) {
    const absl::Duration before = Latency();
    std::atomic<bool> over = false;
    std::thread attacker([&] {
      while (!over) attack();
    });
    absl::Duration during;
    try {
      during = Latency();
    } catch (...) {
      over = true;
      attacker.join();
      throw;
    }
    over = true;
    attacker.join();
    std::cout << what << ": a row reached the sibling in " << before << " before and " << during
              << " meanwhile" << std::endl;
    CHECK(during < 5 * before + absl::Milliseconds(500));
    CHECK(root.Running());
    CHECK(sibling.Operator().Do({"links"}).at("links").at(0).at("state") == "up");
  }

  int64_t Rejected() const {
    return std::stoll(root.Status().at("frames_rejected").get<std::string>());
  }
  int64_t MemoryMegabytes() {
    return std::stoll(Shell(absl::StrCat("awk '/VmRSS/ {print int($2 / 1024)}' /proc/",
                                         root.daemon().pid(), "/status")));
  }
  Credentials credentials() const { return CredentialsOfNode(hostile.dir()); }
  std::string FeedKeyBytes() const { return FeedKey::Of(rows_feed).str(); }

  Network network;
  Node& root;
  Node& sibling;
  Node& hostile;
  const Identity identity;
  std::string code;
  v1::FeedId rows_feed;
  int rows = 0;
};

TEST_CASE("a child that floods its link costs its sibling nothing") {
  HostileSibling test;
  // Well formed, and as many as the credit allows: questions about ranges, whole frames of nothing.
  v1::Frame ask;
  for (int i = 0; i < 500; ++i) {
    v1::SyncRangeAsk& range = *ask.mutable_sync_ask()->add_ranges();
    range.set_prefix(std::string(1, static_cast<char>(i % 16)));
    range.set_list(true);
  }
  const std::string control = ask.SerializeAsString();
  const std::string bulk(1 << 20, '\xff');  // no frame
  std::unique_ptr<RawLink> link;
  test.CompareLatency("flood", [&] {
    if (link == nullptr) {
      link = std::make_unique<RawLink>(test.root, test.credentials());
      if (!link->Open() || !link->SendFrame(v1::LANE_CONTROL, Hello().SerializeAsString())) {
        link.reset();
        return;
      }
    }
    if (!link->SendFrame(v1::LANE_CONTROL, control) || !link->SendFrame(v1::LANE_BULK, bulk)) {
      link.reset();
    }
  });
  std::cout << "flood: " << test.Rejected() << " frames rejected, the root holds "
            << test.MemoryMegabytes() << " MB" << std::endl;
  CHECK(test.Rejected() > 0);
  CHECK(test.MemoryMegabytes() < 700);
}

TEST_CASE("a child that never reads costs its parent its credit, its sibling nothing") {
  HostileSibling test;
  RawLink link(test.root, test.credentials());
  REQUIRE(link.Open());
  REQUIRE(link.SendFrame(v1::LANE_CONTROL, Hello().SerializeAsString()));
  v1::Frame want;
  want.mutable_interest()->set_reset(true);
  *want.mutable_interest()->add_add()->mutable_feed()->mutable_feed() = test.rows_feed;
  REQUIRE(link.SendFrame(v1::LANE_CONTROL, want.SerializeAsString()));
  const int64_t before = test.MemoryMegabytes();

  // What it wants and does not take, while it goes on saying that it lives.
  v1::LinkMessage ping;
  ping.mutable_ping();
  for (int i = 0; i < 5; ++i) {
    const std::string file = test.network.folder().File(
        "many.csv", CodeAndNameRows(1'000'000, 1'100'000, absl::StrCat("版", i)));
    test.root.Editor().Do({"push", test.code, file});
    link.Send(v1::LANE_CONTROL, ping);
  }
  test.rows += 100'000;
  test.network.Until("the sibling has all",
                     [&] { return test.sibling.Operator().LocalRows(test.code) == test.rows; });
  test.CompareLatency("stall", [&] { link.Send(v1::LANE_CONTROL, ping); });
  std::cout << "stall: the root held " << before << " MB before and " << test.MemoryMegabytes()
            << " MB after" << std::endl;
  CHECK(test.MemoryMegabytes() < before + 300);
}

TEST_CASE("a child that lies about positions changes nothing for anybody") {
  HostileSibling test;
  RawLink link(test.root, test.credentials());
  REQUIRE(link.Open());
  REQUIRE(link.SendFrame(v1::LANE_CONTROL, Hello().SerializeAsString()));
  v1::Position lie;
  lie.mutable_epoch()->set_number(7);
  lie.mutable_epoch()->set_id(std::string(16, 'z'));
  lie.set_sequence(1'000'000);
  lie.set_chain_hash(std::string(32, 'h'));
  // As one that wants the feed from there, has acknowledged it, refuses it, and holds more of it
  // than its origin.
  v1::Frame want;
  want.mutable_interest()->set_reset(true);
  v1::FeedWanted& feed = *want.mutable_interest()->add_add()->mutable_feed();
  *feed.mutable_feed() = test.rows_feed;
  *feed.mutable_have() = lie;
  v1::Frame acks;
  acks.mutable_acks()->add_acks()->set_feed_key(test.FeedKeyBytes());
  *acks.mutable_acks()->mutable_acks(0)->mutable_position() = lie;
  std::vector<v1::Frame> lies = {want, acks};
  for (int reason = v1::NackReason_MIN; reason <= v1::NackReason_MAX; ++reason) {
    v1::Frame nack;
    nack.mutable_nack()->set_feed_key(test.FeedKeyBytes());
    *nack.mutable_nack()->mutable_feed() = test.rows_feed;
    nack.mutable_nack()->set_reason(static_cast<v1::NackReason>(reason));
    *nack.mutable_nack()->mutable_have() = lie;
    nack.mutable_nack()->set_from_origin(true);
    lies.push_back(nack);
  }
  v1::Frame offer;
  v1::SyncRange& range = *offer.mutable_sync_offer()->add_ranges();
  range.set_feeds(1);
  range.set_digest(std::string(32, 'd'));
  range.set_listed(true);
  range.add_positions()->set_feed_key(test.FeedKeyBytes());
  *range.mutable_positions(0)->mutable_position() = lie;
  lies.push_back(offer);
  bool open = true;
  test.CompareLatency("lies about positions", [&] {
    for (const v1::Frame& frame : lies) {
      open = open && link.SendFrame(v1::LANE_CONTROL, frame.SerializeAsString());
    }
  });
  // The origin has not been talked into another history.
  for (const nlohmann::json feeds = test.root.Operator().Do({"feeds", test.code}).at("feeds");
       const auto& held : feeds) {
    if (held.at("feed").at("kind") == "rows") {
      CHECK(std::stoll(held.at("position").at("sequence").get<std::string>()) < 1'000'000);
    }
  }
}

TEST_CASE("a child that forges batches of others is refused, and its sibling stays as it is") {
  HostileSibling test;
  RawLink link(test.root, test.credentials());
  REQUIRE(link.Open());
  REQUIRE(link.SendFrame(v1::LANE_CONTROL, Hello().SerializeAsString()));
  v1::Frame chain;
  *chain.mutable_chain() = test.identity.chain;
  REQUIRE(link.SendFrame(v1::LANE_BULK, chain.SerializeAsString()));
  // Entries signed with the child's own key: its own is taken; in the name of others, nothing is.
  const auto entry_of = [&](const Node& origin, const std::string& sequence) {
    v1::CatalogEntry entry;
    entry.set_code(absl::StrCat("307012010163000020261121/", origin.place().division, sequence));
    entry.set_name("来历可疑");
    entry.set_node(LoadIdentity(origin.dir())->self.node_id);
    entry.set_state(v1::ENTRY_STATE_PUBLISHED);
    v1::Records records;
    records.add_records()->mutable_epoch_opened();
    records.add_records()->set_entry(entry.SerializeAsString());
    v1::BatchHeader header;
    header.mutable_feed()->set_origin(entry.node());
    header.mutable_feed()->set_kind(v1::FEED_KIND_CATALOG_OPEN);
    header.mutable_epoch()->set_number(1);
    header.mutable_epoch()->set_id(std::string(16, 'f'));
    header.set_prev_hash(ZeroDigest());
    header.set_last(2);
    header.set_commit(1);
    header.set_push_end(true);
    header.set_signer_chain(ChainDigest(test.identity.chain));
    header.mutable_signed_at()->set_seconds(absl::ToUnixSeconds(absl::Now()));
    header.set_encoding(v1::ENCODING_RECORDS);
    header.set_sealing(v1::SEALING_NONE);
    header.set_compression(v1::COMPRESSION_NONE);
    std::string hash;
    v1::Frame frame;
    *frame.mutable_batch() =
        SealBatch(header, records.SerializeAsString(), test.identity.signing_key,
                  test.identity.self.network, &hash);
    return frame.SerializeAsString();
  };
  const auto found = [&](const Node& node, const std::string& code) {
    return absl::StrContains(
        node.Operator().Do({"catalog", "search", "来历可疑", "--scope", "country"}).dump(), code);
  };
  REQUIRE(link.SendFrame(v1::LANE_BULK, entry_of(test.hostile, "900001")));
  test.network.Until("its own entry is taken", [&] { return found(test.root, "630000900001"); });
  const std::vector<std::string> forged = {entry_of(test.sibling, "900002"),
                                           entry_of(test.root, "900003")};
  bool open = true;
  test.CompareLatency("forged origins", [&] {
    for (const std::string& frame : forged) open = open && link.SendFrame(v1::LANE_BULK, frame);
  });
  for (Node* node : {&test.root, &test.sibling}) {
    CHECK_FALSE(found(*node, "900002"));
    CHECK_FALSE(found(*node, "900003"));
    CHECK(node->Operator().Do({"verify"}).at("faults").empty());
  }
}

}  // namespace
}  // namespace guantong::test
