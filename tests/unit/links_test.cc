// Sessions: how they begin, whom they replace, how they end.
#include "relay/grpc/links.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/grpc/redial.h"
#include "tests/catch.h"
#include "tests/unit/link_sides.h"

namespace guantong {
namespace {

TEST_CASE("a link comes up on both sides, each knowing the other") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  const LinkPeer& above = child.events.up.at(up);
  CHECK(above.is_parent);
  CHECK(above.identity.node_id == country.province.node_id());
  CHECK(above.identity.path.text() == "630000");
  CHECK(ChainDigest(above.chain) == ChainDigest(country.province.chain));
  const LinkPeer& below = parent.events.up.at(down);
  CHECK_FALSE(below.is_parent);
  CHECK(below.identity.node_id == country.city.node_id());
  CHECK(below.identity.path.text() == "630000/630100");
  CHECK(ChainDigest(below.chain) == ChainDigest(country.city.chain));
}

TEST_CASE("the newest session of a node wins, and the old link is down before the new is up") {
  const Country country;
  ParentSide parent(country.province, country.network);
  // One that does not come back: its second dial would win in turn.
  ChildSide first(country.city, country.network, parent.address(),
                  {.redial_min = absl::Hours(1), .redial_max = absl::Hours(1)});
  const LinkId before = first.events.AwaitUp();
  parent.events.AwaitUp();
  ChildSide second(country.city, country.network, parent.address());
  second.events.AwaitUp();
  REQUIRE(first.events.Await([&] { return first.events.down.count(before) == 1; }));
  CHECK(ReasonOf(first.events.down.at(before)) == "session_replaced");
  REQUIRE(parent.events.Await([&] { return parent.events.order.size() == 3; }));
  CHECK(parent.events.order[0].second);
  CHECK(parent.events.order[1] == std::pair(parent.events.order[0].first, false));
  CHECK(parent.events.order[2].second);
}

TEST_CASE("a dial that is given up on its way costs no link that lives") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address(),
                  {.redial_min = absl::Hours(1), .redial_max = absl::Hours(1)});
  const LinkId up = child.events.AwaitUp();
  const LinkId accepted = parent.events.AwaitUp();
  const auto dial = [&] {
    return std::make_unique<RawDial>(country.city, country.network, parent.address());
  };
  const auto lives = [&] {
    const size_t before = parent.events.ReceivedCount();
    child.links->Send(up, v1::LANE_BULK, {MakeFrame(1000)});
    return parent.events.Await([&] { return parent.events.received.size() > before; }) &&
           parent.events.received.back().link == accepted && child.events.down.empty();
  };
  std::unique_ptr<RawDial> first = dial();
  CHECK(lives());
  SECTION("given up") {
    first.reset();
    CHECK(lives());
    CHECK(parent.events.order.size() == 1);
  }
  SECTION("the one that is spoken on is the link, whatever was dialled after it") {
    const std::unique_ptr<RawDial> second = dial();
    first->SayWord();
    REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
    CHECK(ReasonOf(child.events.down.at(up)) == "session_replaced");
    REQUIRE(parent.events.Await([&] { return parent.events.order.size() == 3; }));
    CHECK(parent.events.order[1] == std::pair(accepted, false));
  }
  SECTION("of too many the oldest goes") {
    std::vector<std::unique_ptr<RawDial>> more;
    for (size_t i = 0; i < kDialsMax; ++i) more.push_back(dial());
    CHECK(first->EndReason() == "session_replaced");
    CHECK(lives());
  }
}

TEST_CASE("a child finds its parent again after a restart at the same port") {
  const Country country;
  auto parent = std::make_unique<ParentSide>(country.province, country.network);
  const int port = parent->bound;
  ChildSide child(country.city, country.network, parent->address());
  const LinkId before = child.events.AwaitUp();
  parent.reset();
  REQUIRE(child.events.Await([&] { return child.events.down.count(before) == 1; }));
  REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
  CHECK(absl::IsUnavailable(child.events.dials_failed[0]));
  const auto restarted = std::chrono::steady_clock::now();
  parent = std::make_unique<ParentSide>(country.province, country.network, LinkOptions(), AdmitAll,
                                        port);
  const LinkId after = child.events.AwaitUp(2);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - restarted;
  UNSCOPED_INFO("up again after " << took.count() << " s");
  CHECK(took.count() < 10);
  child.links->Send(after, v1::LANE_CONTROL, {MakeFrame(10)});
  CHECK(parent->events.Await([&] { return parent->events.received.size() == 1; }));
}

TEST_CASE("whoever is refused is told why") {
  const Country country;
  const absl::Time now = absl::Now();
  const auto refused_for = [&](const MadeNode& node, AuthorisePeer authorise = AdmitAll) {
    ParentSide parent(country.province, country.network, {}, std::move(authorise));
    ChildSide child(node, country.network, parent.address());
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(child.events.up.empty());
    CHECK(parent.events.up.empty());
    return ReasonOf(child.events.dials_failed[0]);
  };
  SECTION("expired") {
    const MadeNode node =
        MakeNode(&country.province, "630100", {now - absl::Hours(48), now - absl::Hours(24)});
    CHECK(refused_for(node) == "certificate_expired");
  }
  SECTION("not yet valid") {
    const MadeNode node =
        MakeNode(&country.province, "630100", {now + absl::Hours(24), now + absl::Hours(48)});
    CHECK(refused_for(node) == "certificate_not_yet_valid");
  }
  SECTION("foreign") { CHECK(refused_for(MakeRoot()) == "foreign_network"); }
  SECTION("a person's certificate") {
    MadeNode node = country.city;
    const IssueRequest request{.role = CertificateRole::kOperator,
                               .path = node.path,
                               .node_id = node.node_id(),
                               .common_name = "管理员",
                               .public_key = node.tls_key.public_key()};
    *node.tls_chain.mutable_certificates(0) =
        IssueOrDie(request, node.signing_key, node.chain.certificates(0));
    CHECK(refused_for(node) == "role_not_node");
  }
  SECTION("not a child of ours") {
    CHECK(refused_for(country.city, [](const VerifiedChain&, bool) {
            return Error(absl::StatusCode::kPermissionDenied, "not_a_child", "no child of ours");
          }) == "not_a_child");
  }
}

TEST_CASE("a child refuses a parent it did not expect") {
  const Country country;
  ParentSide parent(country.province, country.network);
  SECTION("by its own rule") {
    ChildSide child(country.city, country.network, parent.address(), {},
                    [](const VerifiedChain&, bool is_parent) {
                      CHECK(is_parent);
                      return Error(absl::StatusCode::kPermissionDenied, "not_our_parent", "no");
                    });
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(ReasonOf(child.events.dials_failed[0]) == "not_our_parent");
  }
  SECTION("of another network, in the handshake") {
    const MadeNode stranger = MakeRoot();
    ChildSide child(stranger, stranger.node_id(), parent.address());
    REQUIRE(child.events.Await([&] { return !child.events.dials_failed.empty(); }));
    CHECK(absl::IsUnavailable(child.events.dials_failed[0]));
    CHECK(child.events.up.empty());
  }
}

TEST_CASE("a peer that breaks the protocol loses its link and nothing else") {
  const Country country;
  ParentSide parent(country.province, country.network, {.frame_bytes_max = 1 << 20});
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const MadeNode hostile = MakeNode(&country.province, "630200");
  const std::string token = RandomBytes(16);
  RawPeer control(hostile, country.network, parent.address());
  v1::LinkMessage fragment;
  fragment.mutable_fragment()->set_last(true);

  SECTION("speaks before it opens") {
    control.Say(fragment);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("opens no known lane") {
    control.Open(v1::LANE_UNSPECIFIED, token);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("has no proper session") {
    control.Open(v1::LANE_CONTROL, "short");
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("speaks another version") {
    control.Open(v1::LANE_CONTROL, token, 99);
    CHECK(control.EndReason() == "version_unsupported");
  }
  SECTION("opens twice") {
    control.Open(v1::LANE_CONTROL, token);
    control.Open(v1::LANE_CONTROL, token);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("opens a lane that is taken") {
    control.Open(v1::LANE_CONTROL, token);
    v1::LinkMessage answer;
    REQUIRE(control.Hear(&answer));
    CHECK(answer.open().session() == token);
    RawPeer again(hostile, country.network, parent.address());
    again.Open(v1::LANE_CONTROL, token);
    CHECK(again.EndReason() == "lane_taken");
  }
  SECTION("takes another's session") {
    control.Open(v1::LANE_CONTROL, token);
    v1::LinkMessage answer;
    REQUIRE(control.Hear(&answer));
    RawPeer thief(MakeNode(&country.province, "630300"), country.network, parent.address());
    thief.Open(v1::LANE_BULK, token);
    REQUIRE(thief.Hear(&answer));
    CHECK(parent.events.Never(std::chrono::milliseconds(100),
                              [&] { return parent.events.up.size() > 1; }));
  }
  SECTION("shows a chain that is not its own") {
    v1::LinkMessage open;
    open.mutable_open()->set_session(token);
    open.mutable_open()->set_lane(v1::LANE_CONTROL);
    open.mutable_open()->set_version_min(1);
    open.mutable_open()->set_version_max(1);
    *open.mutable_open()->mutable_chain() = country.city.chain;
    control.Say(open);
    CHECK(control.EndReason() == "link_protocol");
  }
  SECTION("sends more than it was granted") {
    control.Open(v1::LANE_CONTROL, token);
    fragment.mutable_fragment()->set_last(false);
    // Until the other lane is open nothing is granted again.
    fragment.mutable_fragment()->set_data(std::string(1000, 'x'));
    for (int i = 0; i < 8000; ++i) control.Say(fragment);
    const std::string reason = control.EndReason();
    CHECK((reason == "frame_too_large" || reason == "credit_exceeded"));
  }
  // The well-behaved one has noticed nothing.
  child.links->Send(up, v1::LANE_BULK, {MakeFrame(1000)});
  CHECK(parent.events.Await([&] { return !parent.events.received.empty(); }));
  CHECK(child.events.down.empty());
}

TEST_CASE("an idle link lives by its pings, a silent peer is dead") {
  const Country country;
  const LinkOptions lively{.liveness = absl::Milliseconds(600)};
  ParentSide parent(country.province, country.network, lively);
  SECTION("idle") {
    ChildSide child(country.city, country.network, parent.address(), lively);
    child.events.AwaitUp();
    CHECK(child.events.Never(std::chrono::milliseconds(2000),
                             [&] { return !child.events.down.empty(); }));
  }
  SECTION("silent") {
    const std::string token = RandomBytes(16);
    RawPeer control(country.city, country.network, parent.address());
    RawPeer bulk(country.city, country.network, parent.address());
    control.Open(v1::LANE_CONTROL, token);
    bulk.Open(v1::LANE_BULK, token);
    const LinkId up = parent.events.AwaitUp();
    REQUIRE(parent.events.Await([&] { return parent.events.down.count(up) == 1; }));
    CHECK(ReasonOf(parent.events.down.at(up)) == "link_silent");
    CHECK(control.EndReason() == "link_silent");
  }
  SECTION("half open") {
    RawPeer control(country.city, country.network, parent.address());
    control.Open(v1::LANE_CONTROL, RandomBytes(16));
    CHECK(control.EndReason() == "link_open_timeout");
  }
  SECTION("never opened") {
    RawPeer control(country.city, country.network, parent.address());
    CHECK(control.EndReason() == "link_open_timeout");
  }
}

TEST_CASE("Close tells the peer why, and after Stop nothing is heard") {
  const Country country;
  ParentSide parent(country.province, country.network);
  ChildSide child(country.city, country.network, parent.address());
  const LinkId up = child.events.AwaitUp();
  const LinkId down = parent.events.AwaitUp();
  parent.links->Close(down, Error(absl::StatusCode::kPermissionDenied, "revoked", "revoked"));
  REQUIRE(child.events.Await([&] { return child.events.down.count(up) == 1; }));
  CHECK(ReasonOf(child.events.down.at(up)) == "revoked");
  REQUIRE(parent.events.Await([&] { return parent.events.down.count(down) == 1; }));
  child.links->Stop();
  size_t events;
  {
    const std::lock_guard<std::mutex> lock(child.events.mutex);
    events = child.events.order.size() + child.events.dials_failed.size();
  }
  CHECK(child.events.Never(std::chrono::milliseconds(200), [&] {
    return child.events.order.size() + child.events.dials_failed.size() != events;
  }));
  child.links->Send(up, v1::LANE_BULK, {MakeFrame(1)});
  child.links->Close(up, absl::CancelledError());
  CHECK(child.links->Stats(up).bytes_sent == 0);
}

}  // namespace
}  // namespace guantong
