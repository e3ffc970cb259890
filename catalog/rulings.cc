#include "catalog/rulings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "catalog/base/digest.h"
#include "catalog/division.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/view.h"

namespace guantong {

v1::FeedId RulingsFeed(const std::string& node_id) {
  v1::FeedId feed;
  feed.set_origin(node_id);
  feed.set_kind(v1::FEED_KIND_RULINGS);
  return feed;
}

std::optional<NodePath> PlaceOf(const Reader& snapshot, absl::Span<const Ruler> rulers,
                                const std::string& node_id) {
  for (const Ruler& ruler : rulers) {
    if (ruler.node_id == node_id) return ruler.path;
  }
  const absl::StatusOr<v1::Member> member = FindMember(snapshot, node_id);
  if (!member.ok()) return std::nullopt;
  absl::StatusOr<NodePath> path = NodePath::Parse(member->path());
  if (!path.ok()) return std::nullopt;
  return *std::move(path);
}

std::vector<v1::Ruling> WordsOf(v1::Ruling record) {
  std::vector<v1::Ruling> words;
  google::protobuf::RepeatedPtrField<v1::Ruling> hosted;
  hosted.Swap(record.mutable_hosted());
  for (v1::Ruling& word : hosted) {
    if (word.division().empty()) continue;
    word.set_code(record.code());
    word.set_node(record.node());
    word.clear_hosted();
    words.push_back(std::move(word));
  }
  // A record that only hosted divisions made says nothing of the node's own.
  record.clear_division();
  if (words.empty() || !record.by_uscc().empty()) words.push_back(std::move(record));
  return words;
}

bool SpeaksFor(absl::string_view division, absl::string_view of) {
  return absl::StartsWith(of, DivisionDigits(division));
}

std::vector<v1::Ruling> RulingsOn(const Reader& snapshot, absl::Span<const Ruler> rulers,
                                  absl::string_view code, const NodePath& place) {
  std::vector<v1::Ruling> rulings;
  for (const Ruler& ruler : rulers) {
    if (!ruler.path.Contains(place)) continue;
    std::string bytes;
    v1::Ruling ruling;
    const FeedKey feed = FeedKey::Of(RulingsFeed(ruler.node_id));
    if (!snapshot.Get(EntryKey(feed, code), &bytes).ok() || !ruling.ParseFromString(bytes))
      continue;
    for (v1::Ruling& word : WordsOf(std::move(ruling))) rulings.push_back(std::move(word));
  }
  return rulings;
}

std::string ContentDigest(const v1::CatalogEntry& entry) {
  return Sha256(WrittenPart(entry).SerializeAsString());
}

bool ReworkOpen(const v1::Ruling& ruling, const v1::CatalogEntry& in_force) {
  if (!ruling.has_rework()) return false;
  return in_force.version() <= ruling.rework().version() ||
         ContentDigest(in_force) == ruling.rework().content();
}

HiddenEntries::HiddenEntries(const Reader& snapshot, absl::Span<const Ruler> rulers)
    : rulers_(rulers.begin(), rulers.end()) {
  for (const Ruler& ruler : rulers) {
    const std::string prefix = EntryPrefix(FeedKey::Of(RulingsFeed(ruler.node_id)));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      v1::Ruling ruling;
      if (!ruling.ParseFromArray(cursor->value().data(),
                                 static_cast<int>(cursor->value().size()))) {
        continue;
      }
      if (!ruling.hidden_because().empty()) Add(ruling.code(), ruler.path);
      for (const v1::Ruling& hosted : ruling.hosted()) {
        if (!hosted.hidden_because().empty())
          in_divisions_.push_back({ruler.node_id, hosted.division(), ruling.code()});
      }
    }
  }
}

std::vector<std::string> HiddenEntries::Codes() const {
  std::vector<std::string> codes;
  for (const auto& [code, rulers] : by_code_) codes.push_back(code);
  return codes;
}

bool HiddenEntries::Hides(absl::string_view code, const NodePath& place) const {
  const auto it = by_code_.find(std::string(code));
  return it != by_code_.end() &&
         std::any_of(it->second.begin(), it->second.end(),
                     [&](const NodePath& ruler) { return ruler.Contains(place); });
}

bool HiddenEntries::Hides(const Reader& snapshot, const v1::CatalogEntry& entry) const {
  if (by_code_.count(entry.code()) == 0) return false;
  const std::optional<NodePath> place = PlaceOf(snapshot, rulers_, entry.node());
  return place.has_value() && Hides(entry.code(), *place);
}

}  // namespace guantong
