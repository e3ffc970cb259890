// The half of Origin for a node that stands elsewhere than when it last signed: below another
// parent, or in a network its branch has joined. One rule for both: what was signed before is of no
// use at the new place, so every own feed goes on in a new epoch, and whoever is behind loads its
// snapshot.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "relay/core/log_cuts.h"
#include "relay/core/origin.h"

namespace guantong {

FeedKey Origin::OwnMembership() const {
  v1::FeedId id;
  id.set_origin(core_.self_id());
  id.set_kind(v1::FEED_KIND_MEMBERSHIP);
  return FeedKey::Of(id);
}

void Origin::ForEachMember(const std::function<void(const v1::Member&)>& visit) const {
  const std::string prefix = MemberPrefix(OwnMembership());
  auto cursor = core_.store->Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    v1::Member member;
    if (member.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) &&
        !member.removed())
      visit(member);
  }
}

void Origin::GoOnElsewhere(Turn& turn) {
  if (!core_.moved) return;
  // By this one at least the new place becomes known, whatever else the node has.
  FeedState& membership = OwnFeed(turn, v1::FEED_KIND_MEMBERSHIP, "");
  if (membership.record.head().epoch().number() == 0) membership.moved = true;
  core_.moved = false;
  std::vector<FeedState*> waiting;
  for (auto& [key, feed] : core_.feeds) {
    if (feed.own && feed.moved) waiting.push_back(&feed);
  }
  for (FeedState* feed : waiting) {
    if (!MaySign(*feed).ok()) {
      core_.moved = true;
      continue;
    }
    feed->moved = false;
    feed->record.set_origin_path(core_.self_path().text());
    feed->record.set_proved_path(core_.self_path().text());
    CutLog(core_, turn, *feed);
    const bool begun = feed->record.head().epoch().number() != 0;
    // After its end nothing may follow, and whoever is behind is told the end.
    if (!feed->record.closed() && (begun || feed == &membership)) Reopen(turn, *feed);
    if (feed == &membership) NameChildrenAnew(turn);
  }
  turn.Alarm(absl::StrCat("this node stands at ", DisplayPath(core_.self_path()),
                          " now: ", waiting.size(), " own feeds go on in a new epoch"));
}

void Origin::NameChildrenAnew(Turn& turn) {
  AppendRecords append{.kind = v1::FEED_KIND_MEMBERSHIP, .records = {}, .extra = {}, .author = ""};
  ForEachMember([&](const v1::Member& member) {
    absl::StatusOr<NodePath> before = NodePath::Parse(member.path());
    v1::Member now = member;
    if (member.node_id() == core_.self_id()) {
      now.set_removed(!core_.self_path().is_root());  // a root names itself
    } else if (before.ok() && !before->is_root()) {
      now.set_path(core_.self_path().Child(before->Label()).text());
    }
    if (now.SerializeAsString() != member.SerializeAsString())
      *append.records.emplace_back().mutable_member() = std::move(now);
  });
  if (!append.records.empty()) On(turn, std::move(append));
}

void Origin::MemberLeft(Turn& turn, const std::string& node_id, const NodePath& to) {
  std::string bytes;
  v1::Member member;
  if (!core_.store->Get(MemberKey(OwnMembership(), node_id), &bytes).ok() ||
      !member.ParseFromString(bytes) || member.path() == to.text()) {
    return;
  }
  member.set_removed(true);
  member.set_path(to.text());
  AppendRecords append{.kind = v1::FEED_KIND_MEMBERSHIP, .records = {}, .extra = {}, .author = ""};
  *append.records.emplace_back().mutable_member() = std::move(member);
  On(turn, std::move(append));
}

}  // namespace guantong
