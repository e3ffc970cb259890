#include "relay/core/state.h"

#include <utility>

namespace guantong {

Peer* Core::NextHop(const NodePath& path) {
  if (path == self_path()) return nullptr;
  if (IsBelow(path)) {
    const NodePath child = path.Ancestor(self_path().depth() + 1);
    for (auto& [link, peer] : peers) {
      if (!peer.who.is_parent && peer.who.path == child) return &peer;
    }
    return nullptr;
  }
  for (auto& [link, peer] : peers) {
    if (peer.who.is_parent) return &peer;
  }
  return nullptr;
}

const NodePlace* Core::DepartedTo(const NodePath& path) const {
  for (size_t depth = path.depth(); depth > self_path().depth(); --depth) {
    auto gone = departed.find(path.Ancestor(depth));
    if (gone == departed.end()) continue;
    auto place = places.find(gone->second);
    return place == places.end() ? nullptr : &place->second;
  }
  return nullptr;
}

void SendFrame(Turn& turn, const Peer& peer, v1::Lane lane, const v1::Frame& frame) {
  SendShared(turn, peer, lane, std::make_shared<const std::string>(frame.SerializeAsString()));
}

void SendShared(Turn& turn, const Peer& peer, v1::Lane lane, Bytes frame) {
  turn.effects.sends.push_back({.link = peer.who.link, .lane = lane, .frame = std::move(frame)});
}

}  // namespace guantong
