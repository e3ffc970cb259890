#include "tests/script/stage.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/snapshot.h"
#include "catalog/table.h"
#include "tests/sim/trace.h"

namespace guantong {

std::string Lines(absl::string_view text) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) lines.emplace_back(line);
  }
  return absl::StrJoin(lines, "\n");
}

// --- players and links ---------------------------------------------------------------------------

void Stage::Add(const std::string& name, const std::string& path, EngineOptions options) {
  AddAs(name, sim::IdentityAt(*NodePath::Parse(path)), std::move(options));
}

void Stage::AddAs(const std::string& name, const EngineIdentity& identity, EngineOptions options) {
  Player& player = players_[name];
  player.identity = &identity;
  player.options = std::move(options);
  player.options.name = name;
  StartEngine(name);
}

void Stage::StartEngine(const std::string& name) {
  Player& player = players_.at(name);
  player.wake_at = absl::InfiniteFuture();
  auto random = [this](size_t bytes) {
    std::string id(bytes, '\0');
    ++ids_;
    for (size_t i = 0; i < 8 && i < bytes; ++i)
      id[bytes - 1 - i] = static_cast<char>(ids_ >> (8 * i));
    return id;
  };
  auto engine = Engine::Create(player.options, *player.identity, player.store.get(), random, now_);
  GT_CHECK(engine.ok());
  player.engine = *std::move(engine);
  Step(name, Tick{});
}

void Stage::Restart(const std::string& name, std::unique_ptr<MemoryStore> store) {
  Player& player = players_.at(name);
  for (const auto& [link, end] : std::map<LinkId, End>(links_)) {
    if (end.at == name) Cut(name, end.other);
  }
  player.engine.reset();
  player.pending.clear();
  player.snapshots.clear();
  if (store != nullptr) player.store = std::move(store);
  StartEngine(name);
}

void Stage::Link(const std::string& child, const std::string& parent) {
  const LinkId at_child = ++last_link_;
  const LinkId at_parent = ++last_link_;
  links_[at_child] = {.at = child, .other = parent, .other_link = at_parent};
  links_[at_parent] = {.at = parent, .other = child, .other_link = at_child};
  const auto up = [&](const std::string& at, const std::string& to, LinkId link, bool is_parent) {
    const EngineIdentity& other = identity(to);
    Step(at, LinkUp{.link = link,
                    .node_id = other.self.node_id,
                    .path = other.self.path,
                    .is_parent = is_parent});
  };
  up(child, parent, at_child, true);
  up(parent, child, at_parent, false);
}

void Stage::Cut(const std::string& a, const std::string& b) {
  for (const auto& [link, end] : std::map<LinkId, End>(links_)) {
    if ((end.at != a || end.other != b) && (end.at != b || end.other != a)) continue;
    links_.erase(link);
    std::erase_if(wires_, [&gone = link](const Wire& wire) { return wire.to_link == gone; });
    Step(end.at, LinkDown{.link = link, .why = "cut"});
  }
}

LinkId Stage::LinkOf(const std::string& at, const std::string& other) const {
  for (auto it = links_.rbegin(); it != links_.rend(); ++it) {
    if (it->second.at == at && it->second.other == other) return it->first;
  }
  GT_CHECK(false);
}

// --- playing -------------------------------------------------------------------------------------

void Stage::Step(const std::string& name, Event event) {
  CarryOut(name, players_.at(name).engine->Step(std::move(event), now_));
}

void Stage::CarryOut(const std::string& name, Effects effects) {
  Player& player = players_.at(name);
  if (effects.ticket != 0) player.pending.push_back({std::move(effects.commit), effects.ticket});
  for (const Send& send : effects.sends) {
    auto link = links_.find(send.link);
    if (link == links_.end()) continue;
    Wire wire{.from = name,
              .to = link->second.other,
              .to_link = link->second.other_link,
              .lane = send.lane,
              .line = LineOf(*send.frame),
              .bytes = *send.frame};
    const std::string way = absl::StrCat(wire.from, " -> ", wire.to);
    auto loss = std::find_if(losses_.begin(), losses_.end(), [&](const auto& entry) {
      return entry.first == way && absl::StrContains(wire.line, entry.second);
    });
    const bool noise = absl::StartsWith(wire.line, "hello") ||
                       absl::StartsWith(wire.line, "offer") || absl::StartsWith(wire.line, "ask") ||
                       wire.line == "chain";
    if (!noise || show_all_)
      Note(absl::StrCat(way, ": ", wire.line, loss != losses_.end() ? " (lost)" : ""));
    sent_.push_back(wire);
    if (loss != losses_.end()) {
      losses_.erase(loss);
    } else {
      wires_.push_back(std::move(wire));
    }
  }
  for (const CloseLink& close : effects.closes) {
    Note(absl::StrCat(name, " closes the link: ", std::string(close.why.message())));
    auto link = links_.find(close.link);
    if (link == links_.end()) continue;
    const End end = link->second;
    links_.erase(link);
    links_.erase(end.other_link);
    Step(name, LinkDown{.link = close.link, .why = "closed"});
    Step(end.other, LinkDown{.link = end.other_link, .why = "closed"});
  }
  for (const CallDelivery& delivery : effects.deliveries) {
    Note(absl::StrCat(name, " runs ", delivery.call.body()));
    if (!hold_calls_) {
      Step(name, CallAnswered{.id = delivery.id,
                              .status = absl::OkStatus(),
                              .body = absl::StrCat("echo ", delivery.call.body())});
    }
  }
  for (const CallDone& done : effects.calls_done) {
    std::vector<std::string> hops;
    for (const v1::Hop& hop : done.reply.hops()) hops.push_back(hop.name());
    Note(absl::StrCat(name, " call done: ", v1::CallStatus_Name(done.reply.status()).substr(12),
                      " ", done.status.ok() ? done.reply.body() : DetailOf(done.status).reason,
                      ", hops ", absl::StrJoin(hops, " ")));
    if (!done.status.ok()) player.notices.emplace_back(done.status.message());
  }
  for (const WriteDone& done : effects.writes_done) {
    Note(absl::StrCat(name, " done: ", done.status.ok() ? "OK" : DetailOf(done.status).reason));
  }
  for (const MakeSnapshot& request : effects.snapshots) player.snapshots.push_back(request);
  for (const Notice& notice : effects.notices) player.notices.push_back(notice.text);
  player.wake_at = effects.wake_at;
}

bool Stage::PlayOne() {
  for (auto& [name, player] : players_) {
    if (player.held || player.pending.empty()) continue;
    Pending pending = std::move(player.pending.front());
    player.pending.pop_front();
    GT_CHECK(player.store->Commit({&pending.writes, 1}).ok());
    Step(name, Committed{.ticket = pending.ticket});
    return true;
  }
  const auto next = std::find_if(wires_.begin(), wires_.end(), [&](const Wire& wire) {
    return wire.lane != v1::LANE_BULK || slow_ != std::make_pair(wire.from, wire.to);
  });
  if (next != wires_.end()) {
    Wire wire = std::move(*next);
    wires_.erase(next);
    Step(wire.to, FrameReceived{.link = wire.to_link, .frame = std::move(wire.bytes)});
    return true;
  }
  for (auto& [name, player] : players_) {
    if (player.snapshots.empty()) continue;
    const MakeSnapshot make = player.snapshots.front();
    const FeedKey feed = make.feed;
    player.snapshots.pop_front();
    WriteSet chunks;
    absl::StatusOr<BuiltSnapshot> built = [&, &store = player.store] {
      const std::unique_ptr<Reader> snapshot = store->Snapshot();
      return BuildSnapshot(*snapshot, feed, make.encoding,
                           [&](const std::string& hash, const std::string& chunk) {
                             chunks.Put(ChunkKey(feed, hash), chunk);
                             return absl::OkStatus();
                           });
    }();
    GT_CHECK(player.store->Commit({&chunks, 1}).ok());
    Step(name, SnapshotMade{.feed = feed, .snapshot = std::move(built)});
    return true;
  }
  return false;
}

void Stage::Settle() {
  // Two engines that never cease to talk are a fault of theirs.
  for (int turns = 0; PlayOne(); ++turns) GT_CHECK(turns < 10000);
}

void Stage::Pass(absl::Duration time) {
  const absl::Time end = now_ + time;
  Settle();
  while (true) {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [name, player] : players_) next = std::min(next, player.wake_at);
    if (next > end) break;
    now_ = std::max(now_, next);
    for (auto& [name, player] : players_) {
      if (player.wake_at <= now_) Step(name, Tick{});
    }
    Settle();
  }
  now_ = end;
}

void Stage::Lose(const std::string& from, const std::string& to, const std::string& what) {
  losses_.emplace_back(absl::StrCat(from, " -> ", to), what);
}

v1::Frame Stage::Last(const std::string& from, const std::string& to,
                      const std::string& what) const {
  auto it = std::find_if(sent_.rbegin(), sent_.rend(), [&](const Wire& wire) {
    return wire.from == from && wire.to == to && absl::StrContains(wire.line, what);
  });
  GT_CHECK(it != sent_.rend());
  v1::Frame frame;
  GT_CHECK(frame.ParseFromString(it->bytes));
  return frame;
}

void Stage::Repeat(const std::string& from, const std::string& to, const std::string& what) {
  Inject(from, to, Last(from, to, what));
}

void Stage::Inject(const std::string& from, const std::string& to, const v1::Frame& frame) {
  InjectBytes(from, to, frame.SerializeAsString());
}

void Stage::InjectBytes(const std::string& from, const std::string& to, std::string bytes) {
  Note(absl::StrCat(from, " => ", to, ": ", LineOf(bytes)));
  wires_.push_back({.from = from,
                    .to = to,
                    .to_link = LinkOf(to, from),
                    .lane = v1::LANE_CONTROL,
                    .line = "",
                    .bytes = std::move(bytes)});
}

// --- the transcript ------------------------------------------------------------------------------

FeedKey Stage::Name(const std::string& name, const v1::FeedId& id) {
  const FeedKey key = FeedKey::Of(id);
  names_[HexOf(key.bytes().substr(0, 3))] = name;
  return key;
}

std::string Stage::LineOf(const std::string& bytes) const {
  v1::Frame frame;
  if (!frame.ParseFromString(bytes)) return "bytes that are no frame";
  if (frame.has_chunk_request()) frame.mutable_chunk_request()->clear_hash();
  if (frame.has_chunk()) frame.mutable_chunk()->clear_hash();
  if (frame.has_call_request()) frame.mutable_call_request()->clear_id();
  if (frame.has_call_reply()) frame.mutable_call_reply()->clear_id();
  std::string line = sim::Describe(frame);
  for (const auto& [key, name] : names_) line = absl::StrReplaceAll(line, {{key, name}});
  return std::string(absl::StripAsciiWhitespace(absl::StrReplaceAll(line, {{"  ", " "}})));
}

void Stage::Note(std::string line) { said_.push_back(std::move(line)); }

std::string Stage::Said() { return absl::StrJoin(std::exchange(said_, {}), "\n"); }

bool Stage::Noticed(const std::string& name, absl::string_view text) const {
  const std::vector<std::string>& notices = players_.at(name).notices;
  return std::any_of(notices.begin(), notices.end(),
                     [&](const std::string& notice) { return absl::StrContains(notice, text); });
}

// --- datasets ------------------------------------------------------------------------------------

PlayedDataset OpenDataset(Stage& stage, const std::string& origin, const std::string& name,
                          bool shared) {
  PlayedDataset dataset;
  dataset.origin = origin;
  dataset.feed.set_origin(stage.identity(origin).self.node_id);
  dataset.feed.set_kind(v1::FEED_KIND_ROWS);
  dataset.feed.set_resource(absl::StrCat(name, ":1"));
  dataset.key = stage.Name(name, dataset.feed);
  v1::DatasetSchema schema;
  schema.set_version(1);
  schema.add_columns()->set_field("code");
  stage.Step(origin,
             OpenRows{.resource = dataset.feed.resource(), .schema = schema, .shared = shared});
  stage.Settle();
  return dataset;
}

void PushTo(Stage& stage, PlayedDataset& dataset,
            const std::vector<std::pair<std::string, std::string>>& rows,
            const std::string& push_id) {
  v1::RowBatch batch;
  for (const auto& [key, value] : rows) {
    v1::RowChange* change = batch.add_changes();
    change->set_key(key);
    if (!value.empty()) change->set_row(value);
  }
  TableReader table = *TableReader::Open(stage.store(dataset.origin), dataset.key);
  stage.Step(
      dataset.origin,
      PushRows{.feed = dataset.key,
               .base_commit = table.record().commit(),
               .push_id = push_id.empty() ? absl::StrCat("push ", ++dataset.commit) : push_id,
               .payload = batch.SerializeAsString(),
               .rows_after = table.record().rows() + rows.size()});
}

void SubscribeTo(Stage& stage, const std::string& name, const PlayedDataset& dataset) {
  storage::v1::StoredInterest interest;
  interest.set_code(dataset.feed.resource());
  *interest.mutable_feed() = dataset.feed;
  interest.set_origin_path(stage.identity(dataset.origin).self.path.text());
  stage.Step(name, Subscribe{.interest = interest});
}

std::string RowsAt(Stage& stage, const std::string& name, const PlayedDataset& dataset) {
  const std::unique_ptr<Reader> snapshot = stage.store(name).Snapshot();
  absl::StatusOr<TableReader> table = TableReader::Open(*snapshot, dataset.key);
  if (!table.ok()) return "no table";
  std::vector<std::string> rows;
  const absl::Status read = table->Scan("", "", [&](absl::string_view key, absl::string_view row) {
    rows.push_back(absl::StrCat(key, "=", row));
    return true;
  });
  GT_CHECK(read.ok());
  return absl::StrJoin(rows, " ");
}

Pair::Pair(const EngineOptions& options) {
  stage.Add("A", "", options);
  stage.Add("B", "b", options);
  stage.Link("B", "A");
  d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "B", d);
  stage.Settle();
  stage.Said();
}

}  // namespace guantong
