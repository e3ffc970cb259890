#include "node/neighbours.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/view.h"
#include "node/clock.h"
#include "node/log.h"
#include "node/refusals.h"

namespace guantong {
namespace {

bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

// The peer broke the rules of the transport: its own mistake, whoever it is.
bool IsBreach(const absl::Status& status) {
  const std::string reason = DetailOf(status).reason;
  return reason == "frame_too_large" || reason == "credit_exceeded" || reason == "link_protocol";
}

// A link that stood for so long did work.
constexpr absl::Duration kLinkHeld = absl::Minutes(1);

std::string TextOf(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status);
  return absl::StrCat(detail.reason.empty() ? "" : absl::StrCat("[", detail.reason, "] "),
                      status.message(), detail.remedy.empty() ? "" : "；", detail.remedy);
}

}  // namespace

void Neighbours::LinkEnded(const Driver::LinkView& link, const absl::Status& why, bool by_us) {
  if (link.is_parent) {
    std::lock_guard<std::mutex> lock(mutex_);
    dial_ = {why, absl::Now()};
  }
  const std::string peer = absl::StrCat(DisplayPath(link.path), " ", link.address);
  // An end we made, or that is a judgement, belongs on the list; that a neighbour went away does
  // not.
  const bool breach = IsBreach(why);
  if (by_us || breach || IsRefusal(why)) {
    // A child has no way to tell us what ends its link: a breach of its link is our finding.
    site_.refusals->Add(peer, absl::StrCat("sha256 ", HexOf(link.fingerprint).substr(0, 16)), why,
                        by_us || (breach && !link.is_parent));
  } else {
    // Once per cause: a neighbour that cannot serve ends every link as soon as it is made.
    bool news;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      absl::Status& last = ends_said_[link.path];
      news = last != why || absl::Now() - link.since >= kLinkHeld;
      last = why;
    }
    if (news) Log(LogLevel::kInfo, absl::StrCat("链路断开 link down: ", peer, ": ", why.message()));
  }
}

void Neighbours::DialFailed(const std::string& address, const absl::Status& why) {
  bool changed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    changed = dial_.why != why;
    dial_ = {why, absl::Now()};
  }
  if (IsRefusal(why)) {
    site_.refusals->Add(address, "", why, /*by_us=*/false);
  } else if (changed) {
    Log(LogLevel::kWarning,
        absl::StrCat("连不上上级 parent not reached: ", address, ": ", why.message()));
  }
}

void Neighbours::ServerRefused(const absl::Status& why) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    refused_ = {why, absl::Now()};
  }
  site_.refusals->Add(site_.options.parent, DetailOf(why).subject, why, /*by_us=*/true);
}

v1::LinkInfo Neighbours::ParentAway() const {
  v1::LinkInfo info;
  info.set_path(site_.path().Parent().text());
  if (!directory_.ancestors().empty()) info.set_name(directory_.ancestors()[0].name());
  info.set_node_id(site_.identity->parent_node_id);
  info.set_parent(true);
  info.set_address(site_.options.parent);
  info.set_state(v1::LINK_STATE_DOWN);
  std::lock_guard<std::mutex> lock(mutex_);
  // Where we turn the server away the rpc itself only says unavailable: the check knows why.
  const bool ours = !refused_.why.ok() && refused_.at > dial_.at - absl::Seconds(15);
  const Trouble& trouble = ours ? refused_ : dial_;
  if (IsRefusal(trouble.why)) info.set_state(v1::LINK_STATE_REFUSED);
  if (!trouble.why.ok()) {
    info.set_text(TextOf(trouble.why));
    *info.mutable_since() = TimestampOf(trouble.at);
  }
  return info;
}

absl::StatusOr<std::vector<v1::LinkInfo>> Neighbours::All() const {
  std::vector<v1::LinkInfo> links;
  const absl::Status read =
      site_.driver->Read([&](const Engine& engine) { links = engine.Links(); });
  // Without an engine there are no links; the page still says who is missing.
  if (!read.ok() && read != site_.driver->health()) return read;

  std::map<std::string, LinkId> ids;
  for (const Driver::LinkView& view : site_.driver->OpenLinks()) ids[view.node_id] = view.link;
  bool parent_seen = false;
  std::map<std::string, bool> up;
  for (v1::LinkInfo& link : links) {
    parent_seen = parent_seen || link.parent();
    up[link.node_id()] = true;
    auto id = ids.find(link.node_id());
    if (id == ids.end() || site_.links == nullptr) continue;
    const LinkStats stats = site_.links->Stats(id->second);
    link.set_bytes_sent(stats.bytes_sent);
    link.set_bytes_received(stats.bytes_received);
    *link.mutable_last_byte_at() = TimestampOf(stats.last_byte_at);
    *link.mutable_since() = TimestampOf(stats.since);
  }
  if (!parent_seen && !site_.path().is_root()) links.push_back(ParentAway());
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  for (const v1::Member& member : AllMembers(*snapshot)) {
    absl::StatusOr<NodePath> path = NodePath::Parse(member.path());
    if (!path.ok() || member.removed() || path->is_root() || path->Parent() != site_.path() ||
        up.count(member.node_id()) > 0) {
      continue;
    }
    v1::LinkInfo& away = links.emplace_back();
    away.set_path(member.path());
    away.set_name(member.name());
    away.set_node_id(member.node_id());
    away.set_state(v1::LINK_STATE_DOWN);
  }
  std::sort(links.begin(), links.end(),
            [](const v1::LinkInfo& a, const v1::LinkInfo& b) { return a.path() < b.path(); });
  return links;
}

absl::StatusOr<v1::LinkInfo> Neighbours::Parent() const {
  GT_ASSIGN_OR_RETURN(const std::vector<v1::LinkInfo> links, All());
  for (const v1::LinkInfo& link : links) {
    if (link.parent()) return link;
  }
  return ParentAway();
}

}  // namespace guantong
