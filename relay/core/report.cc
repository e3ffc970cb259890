#include "relay/core/report.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "relay/core/budgets.h"
#include "relay/core/feed_log.h"

namespace guantong {

namespace {

absl::string_view Ladder(const Outgoing& out) {
  switch (out.state) {
    case Outgoing::State::kUnknown:
    case Outgoing::State::kStreaming:
      return "log";
    case Outgoing::State::kWaitingManifest:
    case Outgoing::State::kLoading:
      return "snapshot";
  }
  return "log";
}

// Records the peer has not acknowledged; across epochs only those of the newest are known.
uint64_t LagOf(const FeedState& feed, const Outgoing& out) {
  const v1::Position& head = feed.durable;
  if (out.acked.epoch().number() == head.epoch().number()) {
    return head.sequence() > out.acked.sequence() ? head.sequence() - out.acked.sequence() : 0;
  }
  return head.sequence();
}

std::string UpstreamOf(const Core& core, const FeedState& feed) {
  if (feed.own) return "";
  if (core.IsBelow(feed.origin_path))
    return feed.origin_path.Ancestor(core.self_path().depth() + 1).text();
  return core.self_path().Parent().text();
}

}  // namespace

std::vector<v1::LinkInfo> ReportLinks(const Core& core) {
  std::vector<v1::LinkInfo> links;
  for (const auto& [link, peer] : core.peers) {
    v1::LinkInfo info;
    info.set_path(peer.who.path.text());
    info.set_name(peer.name);
    info.set_node_id(peer.who.node_id);
    info.set_parent(peer.who.is_parent);
    info.set_state(v1::LINK_STATE_UP);
    *info.mutable_since() = ToTimestamp(peer.since);
    info.set_batches_sent(peer.batches_sent);
    info.set_batches_received(peer.batches_received);
    info.set_nacks_sent(peer.nacks_sent);
    info.set_nacks_received(peer.nacks_received);
    info.set_feeds_sent(peer.outgoing.size());
    info.set_address(peer.who.address);
    info.set_text(peer.text);
    info.set_ladder("log");
    if (!peer.who.is_parent) {
      info.set_disk_bytes(KeptFor(core, peer.who.node_id));
      info.set_disk_budget_bytes(core.options.child_disk_bytes);
    }
    uint64_t bytes = 0;
    for (const auto& [key, out] : peer.outgoing) {
      auto feed = core.feeds.find(key);
      if (feed == core.feeds.end()) continue;
      const uint64_t lag = LagOf(feed->second, out);
      info.set_lag_records(info.lag_records() + lag);
      if (Ladder(out) == "snapshot") info.set_ladder("snapshot");
      for (const Unacked& unacked : out.unacked) bytes += unacked.bytes;
      if (lag == 0) continue;
      // The oldest one waits at least since the last acknowledgement; without any since the newest
      // was signed.
      const absl::Time since =
          out.unacked.empty() ? TimeOf(feed->second.record.last_signed_at()) : out.progress_at;
      if (!info.has_lag_since() || since < TimeOf(info.lag_since()))
        *info.mutable_lag_since() = ToTimestamp(since);
    }
    auto paused = core.paused.find(peer.who.node_id);
    bool waits = paused != core.paused.end() && !paused->second.empty();
    for (const auto& [key, refusal] : core.refusals) {
      waits |= refusal.reason() == v1::NACK_REASON_BUDGET && peer.ours.Wants(key);
    }
    if (waits) info.set_ladder("paused");
    info.set_lag_bytes(bytes);
    links.push_back(std::move(info));
  }
  return links;
}

std::vector<v1::FeedInfo> ReportFeeds(const Core& core, absl::string_view filter) {
  std::vector<v1::FeedInfo> feeds;
  for (const auto& [key, feed] : core.feeds) {
    const storage::v1::FeedRecord& record = feed.record;
    const std::string kind = v1::FeedKind_Name(feed.kind());
    if (!filter.empty() && !absl::StrContains(record.feed().resource(), filter) &&
        !absl::StrContains(absl::AsciiStrToLower(kind), absl::AsciiStrToLower(filter)) &&
        HexOf(key.bytes()) != filter) {
      continue;
    }
    v1::FeedInfo info;
    *info.mutable_feed() = record.feed();
    info.set_feed_key(HexOf(key.bytes()));
    info.set_origin_path(record.origin_path());
    *info.mutable_position() = feed.durable;
    info.set_commit(record.visible_commit());
    *info.mutable_last_signed_at() = record.last_signed_at();
    info.set_log_batches(record.log_batches());
    info.set_log_bytes(record.log_bytes());
    *info.mutable_log_from() = record.log_from();
    if (feed.table.has_value()) info.set_rows(feed.table->record().rows());
    info.set_own(feed.own);
    info.set_subscribed(core.subscriptions.count(key) > 0);
    info.set_upstream(UpstreamOf(core, feed));
    info.set_forks(record.forks());
    if (record.has_superseded()) *info.mutable_superseded() = record.superseded();
    info.set_superseded_batches(record.superseded_batches());
    if (record.facts_refused() != 0) {
      info.set_text(
          absl::StrCat(record.facts_refused(), " facts refused: ", record.refused_text()));
    }
    if (record.incomplete_since() != 0) info.set_text(record.fault_text());
    if (feed.own && core.restored.has_value())
      info.set_text("restored from a backup, waiting for the neighbours");
    if (feed.recovery.has_value()) info.set_text("taking back own records from a neighbour");
    if (record.closed()) info.set_text("closed");
    for (const auto& [link, peer] : core.peers) {
      auto out = peer.outgoing.find(key);
      if (out == peer.outgoing.end()) continue;
      v1::FeedDownstream* down = info.add_downstream();
      down->set_path(peer.who.path.text());
      down->set_acknowledged(out->second.acked.sequence());
      down->set_lag_records(LagOf(feed, out->second));
      down->set_ladder(std::string(Ladder(out->second)));
      for (const Unacked& unacked : out->second.unacked)
        down->set_lag_bytes(down->lag_bytes() + unacked.bytes);
      if (down->lag_records() > 0)
        *down->mutable_lag_since() = ToTimestamp(out->second.progress_at);
    }
    for (const auto& [node, keys] : core.paused) {
      if (keys.count(key) == 0) continue;
      v1::FeedDownstream* down = info.add_downstream();
      down->set_path(core.neighbour_paths.at(node).text());
      down->set_ladder("paused");
    }
    feeds.push_back(std::move(info));
  }
  return feeds;
}

v1::Subscription ReportSubscription(const Core& core, const storage::v1::StoredInterest& interest) {
  v1::Subscription info;
  info.set_code(interest.code());
  *info.mutable_feed() = interest.feed();
  info.set_name(interest.name());
  info.set_provider(interest.provider());
  info.set_provider_path(interest.origin_path());
  info.set_state(v1::SUBSCRIPTION_STATE_WAITING);
  auto it = core.feeds.find(FeedKey::Of(interest.feed()));
  if (it != core.feeds.end()) {
    const FeedState& feed = it->second;
    *info.mutable_position() = feed.durable;
    info.set_commit(feed.record.visible_commit());
    if (feed.table.has_value()) info.set_rows(feed.table->record().rows());
    if (feed.record.has_last_signed_at())
      *info.mutable_last_change_at() = feed.record.last_signed_at();
    if (feed.record.has_received_at()) *info.mutable_received_at() = feed.record.received_at();
    info.set_rows_received(feed.record.records_received());
    if (feed.durable.epoch().number() != 0) info.set_state(v1::SUBSCRIPTION_STATE_LIVE);
    if (feed.record.incomplete_since() != 0) {
      info.set_state(v1::SUBSCRIPTION_STATE_INCOMPLETE);
      info.set_text(feed.record.fault_text());
    }
    if (feed.load != nullptr || feed.wants_snapshot)
      info.set_state(v1::SUBSCRIPTION_STATE_SNAPSHOT);
    if (feed.load != nullptr) {
      info.set_snapshot_chunks(static_cast<uint64_t>(feed.load->manifest.chunks_size()));
      info.set_snapshot_chunks_done(static_cast<uint64_t>(feed.load->next_chunk));
    }
  }
  if (!interest.refused().empty()) {
    info.set_state(v1::SUBSCRIPTION_STATE_REFUSED);
    info.set_text(interest.refused());
  }
  if (interest.ended()) info.set_state(v1::SUBSCRIPTION_STATE_ENDED);
  return info;
}

}  // namespace guantong
