// Frames on a link that is up: fragments, credit, and what waits for company.
#include <string>
#include <utility>
#include <vector>

#include "relay/grpc/flow.h"
#include "relay/grpc/links.h"
#include "tests/catch.h"
#include "tests/unit/link_sides.h"

namespace guantong {
namespace {

TEST_CASE("frames of every size arrive whole, on both lanes, both ways") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  const std::vector<size_t> sizes = {0, 1, 65536, 65537, 3 << 20, 0, 7};
  for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
    for (size_t size : sizes) {
      child.links->Send(up, lane, {MakeFrame(size, 'c')});
      parent.links->Send(down, lane, {MakeFrame(size, 'p')});
    }
  }
  for (Recorder* events : {&child.events, &parent.events}) {
    REQUIRE(events->Await([&] { return events->received.size() == 2 * sizes.size(); }));
    const char fill = events == &child.events ? 'p' : 'c';
    for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
      std::vector<size_t> seen;
      for (const Recorder::Received& received : events->received) {
        if (received.lane != lane) continue;
        seen.push_back(received.frame.size());
        CHECK(received.frame == std::string(received.frame.size(), fill));
      }
      CHECK(seen == sizes);
    }
  }
  const LinkStats stats = child.links->Stats(up);
  CHECK(stats.bytes_sent > 2 * (3 << 20));
  CHECK(stats.bytes_received > 2 * (3 << 20));
  CHECK(stats.queued_bytes == 0);
}

TEST_CASE("a full receiver stops the lane at its credit, and Resume lets it go on") {
  const Country country;
  const LinkOptions options{.credit_bytes = 1 << 20};
  ParentSide parent(country.province, country.network, options);
  ChildSide child(country.city, country.network, parent.address(), options);
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = true;
  }
  constexpr size_t kFrames = 64;
  for (size_t i = 0; i < kFrames; ++i) {
    child.links->Send(up, v1::LANE_BULK, {MakeFrame(256 << 10)});
  }
  REQUIRE(parent.events.Await([&] { return !parent.events.received.empty(); }));
  // Credit, and what was granted again before the first frame was complete.
  CHECK(parent.events.Never(std::chrono::milliseconds(300),
                            [&] { return parent.events.received.size() > 6; }));
  CHECK(child.links->Stats(up).queued_bytes > 32 * (256 << 10));

  // The other lane knows nothing of it.
  parent.links->Send(down, v1::LANE_BULK, {MakeFrame(1)});
  CHECK(child.events.Await([&] { return child.events.received.size() == 1; }));
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = false;
  }
  parent.links->Resume(down);
  CHECK(parent.events.Await([&] { return parent.events.received.size() == kFrames; }));
}

TEST_CASE("a frame larger than the receiver allows ends the link, and it comes back") {
  const Country country;
  ParentSide parent(country.province, country.network, {.frame_bytes_max = 1 << 20});
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  child.links->Send(up, v1::LANE_BULK, {MakeFrame((1 << 20) + 1)});
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(absl::IsResourceExhausted(child.events.down.at(up)));
  CHECK(ReasonOf(child.events.down.at(up)) == "frame_too_large");
  CHECK(child.events.AwaitUp(2) != up);
  CHECK(parent.events.ReceivedCount() == 0);
}

TEST_CASE("a sender that outruns its queue loses the link instead of memory") {
  const Country country;
  const LinkOptions small{.credit_bytes = 1 << 20, .send_queue_bytes_max = 4 << 20};
  ParentSide parent(country.province, country.network, small);
  ChildSide child(country.city, country.network, parent.address(), small);
  const LinkId up = child.events.AwaitUp();
  parent.events.AwaitUp();
  {
    const std::lock_guard<std::mutex> lock(parent.events.mutex);
    parent.events.full = true;
  }
  for (int i = 0; i < 12; ++i) child.links->Send(up, v1::LANE_BULK, {MakeFrame(1 << 20)});
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(ReasonOf(child.events.down.at(up)) == "send_queue_full");
}

TEST_CASE("small frames share messages, and their credit comes with the next one or by itself") {
  const Country country;
  ParentSide parent(country.province, country.network);
  const std::string token = RandomBytes(16);
  const uint32_t version = GENERATE(2u, 3u);
  CAPTURE(version);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, version);
  bulk.Open(v1::LANE_BULK, token, version);
  v1::LinkMessage heard;
  REQUIRE(control.Hear(&heard));
  const LinkId down = parent.events.AwaitUp();

  parent.links->Send(down, v1::LANE_CONTROL, std::vector(10, MakeFrame(50)));
  int frames = 0;
  int messages = 0;
  while (frames < 10) {
    REQUIRE(control.Hear(&heard));
    frames += (heard.has_fragment() ? 1 : 0) + heard.more_size();
    messages += heard.has_fragment() ? 1 : 0;
  }
  CHECK(messages == (version < 3 ? 10 : 1));

  v1::LinkMessage said;
  said.mutable_fragment()->set_data("first");
  said.mutable_fragment()->set_last(true);
  if (version >= 3) {
    *said.add_more() = said.fragment();
    said.mutable_more(0)->set_data("second");
  }
  control.Say(said);
  const size_t count = version < 3 ? 1 : 2;
  REQUIRE(parent.events.Await([&] { return parent.events.received.size() == count; }));
  CHECK(parent.events.received.back().frame == (version < 3 ? "first" : "second"));
  uint64_t granted = 0;
  while (granted == 0) {
    REQUIRE(control.Hear(&heard));
    granted = version < 3 ? heard.credit().bytes() : heard.beside().bytes();
  }
  CHECK(granted == (version < 3 ? 5 + kFragmentCost : 11 + 2 * kFragmentCost));
}

TEST_CASE("what has patience goes with what follows, with an answer that is due, or in time") {
  const Country country;
  const bool timed = GENERATE(false, true);
  ParentSide parent(country.province, country.network,
                    {.patience = timed ? absl::Milliseconds(1) : absl::Hours(1)});
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 4);
  bulk.Open(v1::LANE_BULK, token, 4);
  const LinkId down = parent.events.AwaitUp();
  const auto hear = [&control] {
    v1::LinkMessage heard;
    do {
      REQUIRE(control.Hear(&heard));
    } while (!heard.has_fragment());
    return heard;
  };
  const auto say = [&parent](RawPeer* lane, size_t bytes) {
    v1::LinkMessage said;
    said.mutable_fragment()->set_data(std::string(bytes, 'x'));
    said.mutable_fragment()->set_last(true);
    const size_t before = parent.events.ReceivedCount();
    lane->Say(said);
    REQUIRE(parent.events.Await([&] { return parent.events.received.size() > before; }));
  };
  const auto send = [&](char fill, Patience patience) {
    parent.links->Send(down, v1::LANE_CONTROL, {MakeFrame(50, fill)}, patience);
  };

  if (timed) {
    send('a', Patience::kSome);
    CHECK(hear().fragment().data() == std::string(50, 'a'));
    return;
  }
  send('a', Patience::kSome);
  send('b', Patience::kNone);
  v1::LinkMessage both = hear();
  CHECK(both.fragment().data() == std::string(50, 'a'));
  REQUIRE(both.more_size() == 1);
  CHECK(both.more(0).data() == std::string(50, 'b'));

  // Little bulk may wait for its answer, much may not.
  say(&bulk, 1000);
  send('c', Patience::kSome);
  say(&bulk, 600'000);
  send('d', Patience::kSome);
  both = hear();
  CHECK(both.fragment().data() == std::string(50, 'c'));
  CHECK(both.more_size() == 1);

  say(&control, 10);
  send('e', Patience::kSome);
  CHECK(hear().fragment().data() == std::string(50, 'e'));
}

TEST_CASE("credit comes at once for a sender that says it needs it, and not before") {
  const Country country;
  ParentSide parent(country.province, country.network, {.credit_wait = absl::Hours(1)});
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 4);
  bulk.Open(v1::LANE_BULK, token, 4);
  parent.events.AwaitUp();
  v1::LinkMessage said;
  said.mutable_fragment()->set_data(std::string(100'000, 'x'));
  said.mutable_fragment()->set_last(true);
  bulk.Say(said);
  said.mutable_beside()->set_due(true);
  bulk.Say(said);
  v1::LinkMessage heard;
  while (heard.beside().bytes() == 0) REQUIRE(bulk.Hear(&heard));
  CHECK(heard.beside().bytes() == 2 * (100'000 + kFragmentCost));
}

TEST_CASE("no sender stands for want of credit it did not ask for") {
  const Country country;
  const LinkOptions options{.credit_bytes = GENERATE(20'000u, 1'000'000u),
                            .credit_wait = absl::Hours(1)};
  ParentSide parent(country.province, country.network, options);
  ChildSide child(country.city, country.network, parent.address(), options);
  const LinkId up = child.events.AwaitUp();
  parent.events.AwaitUp();
  for (int i = 0; i < 100; ++i) {
    for (const v1::Lane lane : {v1::LANE_CONTROL, v1::LANE_BULK}) {
      child.links->Send(up, lane, {MakeFrame(i % 2 == 0 ? 30'000 : 100)});
    }
  }
  CHECK(parent.events.Await([&] { return parent.events.received.size() == 200; }));
}

TEST_CASE("credit grows for who asks, as far as the node has some to spare") {
  const Country country;
  LinkOptions options{.credit_bytes = 1 << 20, .credit_bytes_max = 4 << 20};
  options.credit_more_bytes = 2 << 20;
  ParentSide parent(country.province, country.network, options);
  const std::string token = RandomBytes(16);
  RawPeer control(country.city, country.network, parent.address());
  RawPeer bulk(country.city, country.network, parent.address());
  control.Open(v1::LANE_CONTROL, token, 3);
  bulk.Open(v1::LANE_BULK, token, 3);
  parent.events.AwaitUp();
  v1::LinkMessage wish;
  wish.mutable_beside()->set_wanted(64 << 20);
  bulk.Say(wish);
  v1::LinkMessage heard;
  while (heard.credit().bytes() == 0) REQUIRE(bulk.Hear(&heard));
  CHECK(heard.credit().bytes() == options.credit_more_bytes);
}

}  // namespace
}  // namespace guantong
