#include "catalog/facts.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/entry.h"
#include "guantong/v1/class.pb.h"
#include "guantong/v1/code_list.pb.h"
#include "guantong/v1/demand.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/rule.pb.h"
#include "guantong/v1/ruling.pb.h"

namespace guantong {
namespace {

bool IsCatalog(v1::FeedKind kind) {
  return kind == v1::FEED_KIND_CATALOG_OPEN || kind == v1::FEED_KIND_CATALOG_UPWARD;
}

// Why `member` is not the origin's to say; empty when it is.
absl::string_view WrongWithMember(const v1::FeedId& feed, const NodePath& origin_path,
                                  const v1::Member& member) {
  if (member.removed()) return "";
  const absl::StatusOr<NodePath> path = NodePath::Parse(member.path());
  if (!path.ok()) return "a member whose path is none";
  const bool itself = member.node_id() == feed.origin();
  if (path->is_root()) {
    return itself && origin_path.is_root() ? "" : "a root that is not the origin";
  }
  if (itself) return "an origin below itself";
  return path->Parent() == origin_path ? "" : "a member that is not a child of the origin";
}

absl::string_view ApplyMember(const v1::FeedId& feed, const FeedKey& key,
                              const NodePath& origin_path, const v1::Member& member,
                              WriteSet* writes) {
  if (feed.kind() != v1::FEED_KIND_MEMBERSHIP) return "a member in another feed";
  if (member.node_id().size() != kDigestBytes) return "a member without a node id";
  const absl::string_view wrong = WrongWithMember(feed, origin_path, member);
  if (member.removed() || !wrong.empty()) {
    writes->Delete(MemberKey(key, member.node_id()));
    writes->Delete(MemberIndexKey(member.node_id(), key));
  } else {
    writes->Put(MemberKey(key, member.node_id()), member.SerializeAsString());
    writes->Put(MemberIndexKey(member.node_id(), key), "");
  }
  return wrong;
}

// What remains of a withdrawn entry: enough to say what it was and whose.
v1::CatalogEntry Tombstone(const v1::CatalogEntry& entry) {
  v1::CatalogEntry tombstone = entry;
  tombstone.clear_items();
  tombstone.clear_resources();
  return tombstone;
}

absl::string_view ApplyEntry(const v1::FeedId& feed, const FeedKey& key, const std::string& bytes,
                             WriteSet* writes) {
  if (!IsCatalog(feed.kind())) return "a catalogue entry in another feed";
  v1::CatalogEntry entry;
  if (!entry.ParseFromString(bytes)) return "a catalogue entry that is none";
  const absl::StatusOr<ResourceRef> code = ParseResourceRef(entry.code());
  if (!code.ok() || !code->id.empty()) return "a catalogue entry without a code";
  if (entry.node() != feed.origin()) {
    writes->Delete(EntryKey(key, entry.code()));
    writes->Delete(EntryIndexKey(entry.code(), key));
    return "a catalogue entry of another node";
  }
  const bool withdrawn = entry.state() == v1::ENTRY_STATE_WITHDRAWN;
  writes->Put(EntryKey(key, entry.code()),
              withdrawn ? Tombstone(entry).SerializeAsString() : bytes);
  if (feed.kind() == v1::FEED_KIND_CATALOG_OPEN) {
    writes->Put(EntryIndexKey(entry.code(), key), "");
    for (const std::string& alias : entry.aliases()) {
      if (alias.size() <= kFactNameBytesMax) writes->Put(AliasKey(alias, key), entry.code());
    }
  }
  return "";
}

template <typename Message>
Message Parsed(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) message.Clear();
  return message;
}

struct NamedFact {
  v1::FeedKind kind;
  std::string name;  // empty: it does not parse
  const std::string* bytes;
};

// A record that stands under a name of its own and is its origin's to say, whatever it says; what
// it counts for is decided where it is read.
NamedFact NamedFactOf(const v1::Record& record) {
  switch (record.fact_case()) {
    case v1::Record::kClassNode:
      return {v1::FEED_KIND_CLASSES, Parsed<v1::ClassNode>(record.class_node()).code(),
              &record.class_node()};
    case v1::Record::kCodeList:
      return {v1::FEED_KIND_CODE_LISTS, Parsed<v1::CodeList>(record.code_list()).key(),
              &record.code_list()};
    case v1::Record::kRule:
      return {v1::FEED_KIND_RULES, Parsed<v1::Rule>(record.rule()).name(), &record.rule()};
    case v1::Record::kRuling:
      return {v1::FEED_KIND_RULINGS, Parsed<v1::Ruling>(record.ruling()).code(), &record.ruling()};
    case v1::Record::kDemand:
      return {v1::FEED_KIND_DEMANDS, NameOfDemand(Parsed<v1::Demand>(record.demand())),
              &record.demand()};
    default:
      return {v1::FEED_KIND_UNSPECIFIED, "", nullptr};
  }
}

absl::string_view ApplyNamed(const v1::FeedId& feed, const FeedKey& key, const v1::Record& record,
                             WriteSet* writes) {
  const NamedFact fact = NamedFactOf(record);
  if (fact.kind != feed.kind()) return "a fact in a feed of another kind";
  if (fact.name.empty() || fact.name.size() > kFactNameBytesMax) return "a fact without a name";
  writes->Put(EntryKey(key, fact.name), *fact.bytes);
  if (feed.kind() == v1::FEED_KIND_DEMANDS) {
    const DemandIndex index = IndexOfDemand(key, Parsed<v1::Demand>(*fact.bytes));
    for (const std::string& held : index.held) writes->Put(held, "");
    for (const std::string& ended : index.ended) writes->Delete(ended);
  }
  return "";
}

absl::Status DeleteIndices(const Reader& store, const v1::FeedId& feed, const FeedKey& key,
                           WriteSet* writes) {
  const std::string members = MemberPrefix(key);
  const auto member = store.Scan(members, PrefixEnd(members));
  for (; member->Valid(); member->Next()) {
    writes->Delete(MemberIndexKey(member->key().substr(members.size()), key));
  }
  GT_RETURN_IF_ERROR(member->status());
  const std::string entries = EntryPrefix(key);
  const auto entry = store.Scan(entries, PrefixEnd(entries));
  for (; entry->Valid(); entry->Next()) {
    if (feed.kind() == v1::FEED_KIND_DEMANDS) {
      const auto demand = Parsed<v1::Demand>(std::string(entry->value()));
      for (const std::string& held : IndexOfDemand(key, demand).held) writes->Delete(held);
      continue;
    }
    writes->Delete(EntryIndexKey(entry->key().substr(entries.size()), key));
    if (feed.kind() != v1::FEED_KIND_CATALOG_OPEN) continue;
    v1::CatalogEntry held;
    if (held.ParseFromArray(entry->value().data(), static_cast<int>(entry->value().size()))) {
      for (const std::string& alias : held.aliases()) writes->Delete(AliasKey(alias, key));
    }
  }
  return entry->status();
}

}  // namespace

SkippedFacts ApplyRecords(const v1::FeedId& feed, const NodePath& origin_path,
                          const v1::Records& records, WriteSet* writes) {
  const FeedKey key = FeedKey::Of(feed);
  SkippedFacts skipped;
  for (const v1::Record& record : records.records()) {
    absl::string_view wrong;
    switch (record.fact_case()) {
      case v1::Record::kMember:
        wrong = ApplyMember(feed, key, origin_path, record.member(), writes);
        break;
      case v1::Record::kEntry:
        wrong = ApplyEntry(feed, key, record.entry(), writes);
        break;
      case v1::Record::kClassNode:
      case v1::Record::kCodeList:
      case v1::Record::kRule:
      case v1::Record::kRuling:
      case v1::Record::kDemand:
        wrong = ApplyNamed(feed, key, record, writes);
        break;
      case v1::Record::kEpochOpened:
      case v1::Record::kFeedClosed:
      case v1::Record::kFeedOpened:
      case v1::Record::kSuperseded:
        break;
      case v1::Record::kSchema:
        wrong = "a schema outside a feed of rows";
        break;
      case v1::Record::FACT_NOT_SET:
        ++skipped.unknown;
        break;
    }
    if (wrong.empty()) continue;
    if (skipped.refused++ == 0) skipped.why = std::string(wrong);
  }
  return skipped;
}

bool FactFromStore(v1::FeedKind kind, absl::string_view value, v1::Record* record) {
  const auto bytes = [&] { return std::string(value); };
  switch (kind) {
    case v1::FEED_KIND_MEMBERSHIP:
      return record->mutable_member()->ParseFromArray(value.data(), static_cast<int>(value.size()));
    case v1::FEED_KIND_CATALOG_OPEN:
    case v1::FEED_KIND_CATALOG_UPWARD:
      record->set_entry(bytes());
      return true;
    case v1::FEED_KIND_CLASSES:
      record->set_class_node(bytes());
      return true;
    case v1::FEED_KIND_CODE_LISTS:
      record->set_code_list(bytes());
      return true;
    case v1::FEED_KIND_RULES:
      record->set_rule(bytes());
      return true;
    case v1::FEED_KIND_RULINGS:
      record->set_ruling(bytes());
      return true;
    case v1::FEED_KIND_DEMANDS:
      record->set_demand(bytes());
      return true;
    default:
      return false;
  }
}

absl::StatusOr<SkippedFacts> ReplaceRecords(const Reader& store, const v1::FeedId& feed,
                                            const NodePath& origin_path, const v1::Records& records,
                                            WriteSet* writes) {
  WriteSet facts;
  SkippedFacts skipped = ApplyRecords(feed, origin_path, records, &facts);
  GT_RETURN_IF_ERROR(DropRecords(store, feed, writes));
  writes->Append(std::move(facts));
  return skipped;
}

absl::Status DropRecords(const Reader& store, const v1::FeedId& feed, WriteSet* writes) {
  const FeedKey key = FeedKey::Of(feed);
  WriteSet drop;
  GT_RETURN_IF_ERROR(DeleteIndices(store, feed, key, &drop));
  // By range, so that facts which are ordered and not yet durable go as well; an index key of
  // theirs points at nothing.
  drop.DeleteRange(MemberPrefix(key), PrefixEnd(MemberPrefix(key)));
  drop.DeleteRange(EntryPrefix(key), PrefixEnd(EntryPrefix(key)));
  writes->Append(std::move(drop));
  return absl::OkStatus();
}

}  // namespace guantong
