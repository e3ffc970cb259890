// The links of the tree: sessions that a child dials, frames with delay and limited rate, cuts,
// and, where a scenario asks for it, loss, repeats and overtaking within a session.
#ifndef GUANTONG_TESTS_SIM_NETWORK_H_
#define GUANTONG_TESTS_SIM_NETWORK_H_

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/node.h"
#include "tests/sim/scenario.pb.h"

namespace guantong::sim {

class Network {
 public:
  Network(Weather weather, Random random, Schedule* schedule, Trace* trace)
      : weather_(weather), random_(std::move(random)), schedule_(*schedule), trace_(*trace) {}

  // The edge's number is the order of joining.
  void Join(Node* child, Node* parent);

  void Carry(Node& from, const Send& send);
  void Close(Node& at, LinkId link);

  // The child dials another parent from now on; its sessions have ended.
  void Rejoin(size_t edge, Node* parent) { edges_[edge].ends[kParent] = parent; }
  // Asked before a session begins; false: there is none yet, the child dials again.
  void SetGate(std::function<bool(Node& child, Node& parent)> gate) { gate_ = std::move(gate); }

  // Both ways; half-open sessions are noticed later, on each side by itself.
  void Cut(size_t edge);
  void CutOneWay(size_t edge, bool upward);
  void Mend(size_t edge);
  void MendAll();
  bool IsCut(size_t edge) const { return edges_[edge].cut[0] || edges_[edge].cut[1]; }
  size_t edges() const { return edges_.size(); }

  // After Node::Start / Node::Crash.
  void Started(Node& node);
  void Crashed(Node& node);

  void SetWeather(const Weather& weather) { weather_ = weather; }
  // Bulk frames go at this rate, both ways; 0: as the weather has it.
  void Clog(size_t edge, double bytes_per_second) {
    edges_[edge].bytes_per_second = bytes_per_second;
  }

  // Feeds' frames, and all of the bulk lane, sent over the link from this side and not arrived.
  struct Load {
    std::array<uint64_t, v1::Lane_ARRAYSIZE> bytes{};
    uint64_t chunk_bytes = 0;    // part of the bulk lane
    uint64_t largest_chunk = 0;  // ever
    uint64_t largest_frame = 0;  // of all others
  };
  Load LoadOf(LinkId link) const;
  // Who is at the other end; null when the link has ended.
  const Node* FarEnd(LinkId link) const;
  // The same over all sessions of the node, those that have ended on its side as well.
  uint64_t UnderWay(const Node& from) const;

  uint64_t bulk_frames() const { return bulk_frames_; }
  uint64_t damaged() const { return damaged_; }

 private:
  static constexpr int kChild = 0;
  static constexpr int kParent = 1;
  struct Edge {
    std::array<Node*, 2> ends;
    std::array<bool, 2> cut{};  // frames sent by that end are lost
    uint64_t dial = 0;          // the dial that counts
    double bytes_per_second = 0;
  };
  struct Side {
    LinkId link = 0;
    uint64_t life = 0;
    bool open = false;
    std::array<absl::Time, 3> last_arrival{};  // by lane, of frames sent from here
    absl::Time sender_free;
    Load load;
  };
  struct Session {
    size_t edge;
    absl::Time opened;  // at the child
    std::array<Side, 2> sides;
  };

  struct Passing {
    uint64_t session;
    int to;  // side
    v1::Lane lane;
    bool chunk;
    uint64_t bytes;  // of the load that ends with it
  };

  // As it arrives: mostly as it was sent.
  std::shared_ptr<const std::string> Bytes(const Send& send);
  absl::Duration Delay();
  absl::Duration Redial();
  absl::Duration Unnoticed();
  void Dial(size_t edge, absl::Duration delay);
  void Connect(size_t edge);
  void EndSide(uint64_t session, int side, absl::string_view why);
  void Notice(uint64_t session, int side, absl::Duration delay);
  void Arrive(const Passing& passing, std::shared_ptr<const std::string> frame);
  void CutNoticed(size_t edge);

  std::function<bool(Node& child, Node& parent)> gate_;
  Weather weather_;
  Random random_;
  Schedule& schedule_;
  Trace& trace_;
  std::vector<Edge> edges_;
  std::map<uint64_t, Session> sessions_;
  std::map<LinkId, std::pair<uint64_t, int>> by_link_;  // -> session, side
  uint64_t last_session_ = 0;
  LinkId last_link_ = 0;
  uint64_t bulk_frames_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_NETWORK_H_
