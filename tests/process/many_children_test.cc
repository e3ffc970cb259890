// A parent of 64 children, one of which takes nothing: what each costs in memory, and that the
// others get what is theirs meanwhile.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "catalog/batch.h"
#include "catalog/keys.h"
#include "node/identity/identity.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/wire_client.h"

namespace guantong::test {
namespace {

constexpr int kChildren = 64;
constexpr int kRows = 20'000;
constexpr int kPushes = 10;
// What an idle child may cost (the transport's buffers of two streams and one connection included).
constexpr int64_t kIdleKibMax = 160;
// All of them while pushes go on and one takes nothing: the newest batches (32 MiB) and what the
// store holds in memory, and of the stalled one a window of batches, one of chunks and its queue.
constexpr int64_t kBusyMibMax = 256;
constexpr int64_t kStalledMibMax = 64;

// A child that wants one feed, reads, and acknowledges what comes; or, stalled, only says that it
// lives.
class Child {
 public:
  Child(const Node& parent, const Node& self)
      : link_(parent, CredentialsOfNode(self.dir()), absl::Minutes(10)) {
    if (!link_.Open()) throw std::runtime_error("a link was not opened");
    v1::Frame hello;
    hello.mutable_hello()->set_version(1);
    hello.mutable_hello()->add_features("sorted-rows");
    hello.mutable_hello()->set_boot(std::string(16, 'b'));
    hello.mutable_hello()->set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
    SendFrame(hello);
    control_ = std::thread([this] { Read(v1::LANE_CONTROL); });
    bulk_ = std::thread([this] { Read(v1::LANE_BULK); });
  }
  ~Child() {
    link_.Cancel();
    control_.join();
    bulk_.join();
  }

  void Want(const v1::FeedId& feed) {
    v1::Frame want;
    want.mutable_interest()->set_reset(true);
    *want.mutable_interest()->add_add()->mutable_feed()->mutable_feed() = feed;
    SendFrame(want);
  }
  // From now on no credit comes back and nothing is acknowledged.
  void Stall() { stalled_ = true; }
  uint64_t commit() const { return commit_; }

 private:
  void SendFrame(const v1::Frame& frame) {
    v1::LinkMessage message;
    message.mutable_fragment()->set_data(frame.SerializeAsString());
    message.mutable_fragment()->set_last(true);
    Send(v1::LANE_CONTROL, message);
  }
  void Send(v1::Lane lane, const v1::LinkMessage& message) {
    std::lock_guard<std::mutex> lock(writes_);
    link_.Send(lane, message);
  }

  void Read(v1::Lane lane) {
    std::string frame;
    v1::LinkMessage message;
    while (link_.Receive(lane, &message)) {
      if (message.has_ping() || (stalled_ && lane == v1::LANE_CONTROL)) {
        v1::LinkMessage ping;
        ping.mutable_ping();
        Send(v1::LANE_CONTROL, ping);
      }
      if (!message.has_fragment() || stalled_) continue;
      v1::LinkMessage credit;
      credit.mutable_credit()->set_bytes(message.fragment().data().size() + 32);
      Send(lane, credit);
      frame += message.fragment().data();
      if (message.fragment().last()) Take(std::exchange(frame, {}));
    }
  }

  void Take(const std::string& bytes) {
    v1::Frame frame;
    if (!frame.ParseFromString(bytes)) return;
    v1::Frame answer;
    v1::FeedPosition* ack = answer.mutable_acks()->add_acks();
    if (frame.has_manifest()) {
      const absl::StatusOr<v1::Manifest> manifest = ParseManifest(frame.manifest());
      ack->set_feed_key(FeedKey::Of(manifest->feed()).str());
      *ack->mutable_position() = manifest->at();
    } else if (frame.has_batch()) {
      const absl::StatusOr<ParsedBatch> parsed = ParseBatch(frame.batch());
      ack->set_feed_key(parsed->key.str());
      *ack->mutable_position() = PositionOf(parsed->header, parsed->chain_hash);
      if (parsed->header.push_end()) commit_ = parsed->header.commit();
    } else {
      return;
    }
    SendFrame(answer);
  }

  RawLink link_;
  std::mutex writes_;
  std::atomic<bool> stalled_ = false;
  std::atomic<uint64_t> commit_ = 0;
  std::thread control_;
  std::thread bulk_;
};

// Rows that cannot be made smaller.
std::string RandomRows(std::mt19937& random) {
  std::string rows = "code,name\n";
  for (int i = 0; i < kRows; ++i) {
    absl::StrAppend(&rows, absl::StrFormat("%09d,", i));
    for (int word = 0; word < 7; ++word)
      absl::StrAppend(&rows, absl::Hex(random(), absl::kZeroPad8));
    rows += '\n';
  }
  return rows;
}

TEST_CASE("a parent of 64 children, one of them stalled, stays within its memory", "[long]") {
  Network network({{"000000", "国家", "national", ""}});
  Node& root = network["000000"];
  const auto kib = [&]() -> int64_t {
    return std::stoll(
        Shell(absl::StrCat("awk '/VmRSS/ {print $2}' /proc/", root.daemon().pid(), "/status")));
  };
  const std::string code = root.Editor().Publish(CodeAndName("名录"), network.folder().path());
  std::mt19937 random(20261122);
  const auto push = [&] {
    root.Editor().Do({"push", code, network.folder().File("rows.csv", RandomRows(random))});
  };
  push();
  push();
  v1::FeedId feed;
  feed.set_origin(LoadIdentity(root.dir())->self.node_id);
  feed.set_kind(v1::FEED_KIND_ROWS);
  feed.set_resource(code + ":1");

  std::vector<Node*> places;
  for (int i = 0; i < kChildren; ++i) {
    const std::string division = absl::StrCat(100 + i, "000");
    places.push_back(&network.AddFolder({division, "下级", "province", "000000"}));
  }
  const int64_t alone = kib();
  std::vector<std::unique_ptr<Child>> children;
  for (const Node* place : places) children.push_back(std::make_unique<Child>(root, *place));
  const auto up = [&] {
    const nlohmann::json links = root.Operator().Do({"links"}).at("links");
    return std::count_if(links.begin(), links.end(),
                         [](const nlohmann::json& link) { return link.at("state") == "up"; });
  };
  network.Until("all are linked", [&] { return up() == kChildren; });
  const int64_t idle = (kib() - alone) / kChildren;
  std::cout << "an idle child costs its parent " << idle << " KiB" << std::endl;
  CHECK(idle <= kIdleKibMax);

  for (const auto& child : children) child->Want(feed);
  int64_t highest = 0;
  uint64_t commit = 2;
  const auto round = [&](size_t from) {
    std::vector<absl::Duration> all;
    for (int i = 0; i < kPushes; ++i) {
      push();
      ++commit;
      all.push_back(network.Until("all that read have the push", [&] {
        for (size_t at = from; at < children.size(); ++at) {
          if (children[at]->commit() < commit) return false;
        }
        return true;
      }));
      highest = std::max(highest, kib());
    }
    return *std::max_element(all.begin(), all.end());
  };
  const absl::Duration before = round(0);
  const int64_t busy = highest;
  children[0]->Stall();
  const absl::Duration meanwhile = round(1);
  std::cout << "64 children and " << 2 * kPushes << " pushes of " << kRows
            << " rows: the parent holds " << (busy - alone) / 1024 << " MiB more, "
            << (highest - busy) / 1024 << " MiB of them when one is stalled; a push is with the "
            << "others after " << before << ", " << meanwhile << " meanwhile" << std::endl;
  CHECK(highest - alone < kBusyMibMax * 1024);
  CHECK(highest - busy < kStalledMibMax * 1024);
  CHECK(up() == kChildren);
}

}  // namespace
}  // namespace guantong::test
