#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

#include "tests/sim/scenario.h"

namespace guantong::sim {

namespace {

// The kind of the frame. Its tag stands first.
int FieldOf(const Send& send) {
  return send.frame->empty() ? 0 : static_cast<uint8_t>(send.frame->front()) >> 3;
}

// What feeds are made of, on whichever lane it goes.
bool IsBulk(const Send& send) {
  const int field = FieldOf(send);
  return field >= v1::Frame::kChainFieldNumber && field <= v1::Frame::kChunkFieldNumber;
}

}  // namespace

void Network::Join(Node* child, Node* parent) {
  edges_.push_back({.ends = {child, parent}});
  Dial(edges_.size() - 1, random_.Between(absl::ZeroDuration(), absl::Milliseconds(200)));
}

absl::Duration Network::Delay() {
  return random_.Between(Seconds(weather_.delay_min_s()), Seconds(weather_.delay_max_s()));
}
absl::Duration Network::Redial() {
  return random_.Between(absl::Milliseconds(100), Seconds(weather_.redial_max_s()));
}
absl::Duration Network::Unnoticed() {
  return random_.Between(absl::ZeroDuration(), Seconds(weather_.liveness_s()));
}

// --- sessions ------------------------------------------------------------------------------------

void Network::Dial(size_t edge, absl::Duration delay) {
  schedule_.After(delay, [this, edge, dial = ++edges_[edge].dial] {
    if (dial == edges_[edge].dial) Connect(edge);
  });
}

void Network::Connect(size_t at) {
  Edge& edge = edges_[at];
  Node& child = *edge.ends[kChild];
  Node& parent = *edge.ends[kParent];
  if (!child.up()) return;  // dials when it starts
  if (!parent.up() || edge.cut[kChild] || edge.cut[kParent]) {
    return Dial(at, Redial());
  }
  if (gate_ && !gate_(child, parent)) return Dial(at, Redial());
  const uint64_t id = ++last_session_;
  Session& session = sessions_[id];
  session.edge = at;
  for (int side : {kParent, kChild}) {
    Node& node = *edge.ends[static_cast<size_t>(side)];
    Side& own = session.sides[static_cast<size_t>(side)];
    own.link = ++last_link_;
    own.life = node.life();
    own.open = true;
    own.last_arrival.fill(schedule_.now());
    own.sender_free = schedule_.now();
    by_link_[own.link] = {id, side};
  }
  trace_.Note(child.name(), "connects");
  // The stream stands at the parent first, and at the child before the parent's first frame.
  const absl::Duration way = Delay();
  session.opened = schedule_.now() + way;
  session.sides[kParent].last_arrival.fill(session.opened);
  schedule_.After(way, [this, id] {
    auto it = sessions_.find(id);
    if (it == sessions_.end() || !it->second.sides[kChild].open) return;
    const Edge& over = edges_[it->second.edge];
    over.ends[kChild]->Step(LinkUp{.link = it->second.sides[kChild].link,
                                   .node_id = over.ends[kParent]->id(),
                                   .path = over.ends[kParent]->path(),
                                   .is_parent = true});
  });
  parent.Step(
      LinkUp{.link = session.sides[kParent].link, .node_id = child.id(), .path = child.path()});
}

void Network::EndSide(uint64_t id, int side, absl::string_view why) {
  auto it = sessions_.find(id);
  if (it == sessions_.end() || !it->second.sides[static_cast<size_t>(side)].open) return;
  Session& session = it->second;
  Side& own = session.sides[static_cast<size_t>(side)];
  own.open = false;
  by_link_.erase(own.link);
  const size_t at = session.edge;
  Node& node = *edges_[at].ends[static_cast<size_t>(side)];
  const bool other_open = session.sides[static_cast<size_t>(1 - side)].open;
  const LinkId link = own.link;
  const bool alive = node.life() == own.life;
  if (!other_open) sessions_.erase(it);
  if (other_open) {
    const bool silent = edges_[at].cut[static_cast<size_t>(side)];
    Notice(id, 1 - side, silent ? Unnoticed() : Delay());
  }
  if (alive) node.Step(LinkDown{.link = link, .why = std::string(why)});
  if (side == kChild && node.up()) Dial(at, Redial());
}

void Network::Notice(uint64_t session, int side, absl::Duration delay) {
  schedule_.After(delay,
                  [this, session, side] { EndSide(session, side, "the other side is gone"); });
}

void Network::Close(Node& at, LinkId link) {
  auto it = by_link_.find(link);
  if (it == by_link_.end()) return;
  const auto [session, side] = it->second;
  // Not from within the step that asked for it.
  schedule_.After(absl::ZeroDuration(), [this, session = session, side = side] {
    EndSide(session, side, "closed here");
  });
  trace_.Note(at.name(), "closes a link");
}

void Network::Started(Node& node) {
  for (size_t at = 0; at < edges_.size(); ++at) {
    if (edges_[at].ends[kChild] == &node)
      Dial(at, random_.Between(absl::ZeroDuration(), absl::Seconds(1)));
  }
}

void Network::Crashed(Node& node) {
  std::vector<std::pair<uint64_t, int>> ended;
  for (const auto& [id, session] : sessions_) {
    for (int side : {kChild, kParent}) {
      const bool here = edges_[session.edge].ends[static_cast<size_t>(side)] == &node;
      if (here && session.sides[static_cast<size_t>(side)].open) ended.emplace_back(id, side);
    }
  }
  for (const auto& [id, side] : ended) EndSide(id, side, "crashed");
}

// --- cuts ----------------------------------------------------------------------------------------

void Network::Cut(size_t edge) {
  trace_.Note(edges_[edge].ends[kChild]->name(), "is cut off");
  edges_[edge].cut = {true, true};
  CutNoticed(edge);
}

void Network::CutOneWay(size_t edge, bool upward) {
  trace_.Note(edges_[edge].ends[kChild]->name(), upward ? "is not heard" : "hears nothing");
  edges_[edge].cut[upward ? kChild : kParent] = true;
  CutNoticed(edge);
}

void Network::CutNoticed(size_t edge) {
  for (const auto& [id, session] : sessions_) {
    if (session.edge != edge) continue;
    for (int side : {kChild, kParent}) {
      // Who hears nothing notices by the silence, the other one by his own end.
      if (edges_[edge].cut[static_cast<size_t>(1 - side)]) {
        Notice(id, side, Unnoticed());
      }
    }
  }
}

void Network::Mend(size_t edge) {
  if (!IsCut(edge)) return;
  trace_.Note(edges_[edge].ends[kChild]->name(), "is reached again");
  edges_[edge].cut = {false, false};
}

void Network::MendAll() {
  for (size_t edge = 0; edge < edges_.size(); ++edge) Mend(edge);
}

// --- frames --------------------------------------------------------------------------------------

void Network::Carry(Node& from, const Send& send) {
  auto it = by_link_.find(send.link);
  if (it == by_link_.end()) return;
  const auto [id, side] = it->second;
  Session& session = sessions_.at(id);
  const Edge& edge = edges_[session.edge];
  trace_.Frame(from.name(), "->", edge.ends[static_cast<size_t>(1 - side)]->name(), *send.frame);
  const bool bulk = IsBulk(send);
  if (bulk) ++bulk_frames_;
  if (edge.cut[static_cast<size_t>(side)] || random_.Chance(weather_.loss_chance())) return;

  Side& own = session.sides[static_cast<size_t>(side)];
  absl::Time sent = schedule_.now();
  if (send.lane == v1::LANE_BULK) {
    const double rate =
        edge.bytes_per_second > 0 ? edge.bytes_per_second : weather_.bytes_per_second();
    own.sender_free = std::max(own.sender_free, sent) +
                      absl::Seconds(static_cast<double>(send.frame->size()) / rate);
    sent = own.sender_free;
  }
  uint64_t bytes = bulk || send.lane == v1::LANE_BULK ? send.frame->size() : 0;
  own.load.bytes[send.lane] += bytes;
  const bool chunk = FieldOf(send) == v1::Frame::kChunkFieldNumber;
  uint64_t& largest = chunk ? own.load.largest_chunk : own.load.largest_frame;
  largest = std::max(largest, bytes);
  if (chunk) own.load.chunk_bytes += bytes;
  for (int copies = random_.Chance(weather_.repeat_chance()) ? 2 : 1; copies > 0; --copies) {
    absl::Time arrival = sent + Delay();
    absl::Time& last = own.last_arrival[static_cast<size_t>(send.lane)];
    if (random_.Chance(weather_.overtake_chance())) {
      // It makes gaps, and what is sent again for them counts in its place.
      own.load.bytes[send.lane] -= bytes;
      if (chunk) own.load.chunk_bytes -= bytes;
      bytes = 0;
      arrival = std::max(
          arrival + random_.Between(absl::ZeroDuration(), 4 * Seconds(weather_.delay_max_s())),
          session.opened);
    } else {
      arrival = last = std::max(arrival, last);
    }
    const Passing passing{
        .session = id, .to = 1 - side, .lane = send.lane, .chunk = chunk, .bytes = bytes};
    schedule_.At(arrival, [this, passing, frame = Bytes(send)] { Arrive(passing, frame); });
    bytes = 0;
  }
}

std::shared_ptr<const std::string> Network::Bytes(const Send& send) {
  if (weather_.damage_chance() == 0 || !IsBulk(send) || !random_.Chance(weather_.damage_chance())) {
    return send.frame;
  }
  ++damaged_;
  std::string bytes = *send.frame;
  bytes[random_.Below(bytes.size())] ^= static_cast<char>(1 + random_.Below(255));
  return std::make_shared<const std::string>(std::move(bytes));
}

Network::Load Network::LoadOf(LinkId link) const {
  auto it = by_link_.find(link);
  return it == by_link_.end()
             ? Load()
             : sessions_.at(it->second.first).sides[static_cast<size_t>(it->second.second)].load;
}

const Node* Network::FarEnd(LinkId link) const {
  auto it = by_link_.find(link);
  if (it == by_link_.end()) return nullptr;
  const auto [session, side] = it->second;
  return edges_[sessions_.at(session).edge].ends[static_cast<size_t>(1 - side)];
}

uint64_t Network::UnderWay(const Node& from) const {
  uint64_t bytes = 0;
  for (const auto& [id, session] : sessions_) {
    for (size_t side = 0; side < session.sides.size(); ++side) {
      if (edges_[session.edge].ends[side] != &from) continue;
      for (uint64_t of_lane : session.sides[side].load.bytes) bytes += of_lane;
    }
  }
  return bytes;
}

void Network::Arrive(const Passing& passing, std::shared_ptr<const std::string> frame) {
  auto it = sessions_.find(passing.session);
  if (it == sessions_.end()) return;
  const int side = passing.to;
  Load& load = it->second.sides[static_cast<size_t>(1 - side)].load;
  load.bytes[passing.lane] -= passing.bytes;
  if (passing.chunk) load.chunk_bytes -= passing.bytes;
  if (!it->second.sides[static_cast<size_t>(side)].open) return;
  const Edge& edge = edges_[it->second.edge];
  if (edge.cut[static_cast<size_t>(1 - side)]) return;
  edge.ends[static_cast<size_t>(side)]->Step(
      FrameReceived{.link = it->second.sides[static_cast<size_t>(side)].link, .frame = *frame});
}

}  // namespace guantong::sim
