#include "catalog/facts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {
namespace {

absl::Status Inapplicable(absl::string_view what) {
  return Error(absl::StatusCode::kFailedPrecondition, "record_inapplicable",
               absl::StrCat("record cannot be applied here: ", what));
}

bool IsCatalog(v1::FeedKind kind) {
  return kind == v1::FEED_KIND_CATALOG_OPEN || kind == v1::FEED_KIND_CATALOG_UPWARD;
}

absl::Status ApplyMember(const v1::FeedId& feed, const FeedKey& key, const v1::Member& member,
                         WriteSet* writes) {
  if (feed.kind() != v1::FEED_KIND_MEMBERSHIP) return Inapplicable("a member in another feed");
  if (member.node_id().size() != kDigestBytes) return Inapplicable("a member without a node id");
  if (member.removed()) {
    writes->Delete(MemberKey(key, member.node_id()));
    writes->Delete(MemberIndexKey(member.node_id(), key));
  } else {
    writes->Put(MemberKey(key, member.node_id()), member.SerializeAsString());
    writes->Put(MemberIndexKey(member.node_id(), key), "");
  }
  return absl::OkStatus();
}

// What remains of a withdrawn entry: enough to say what it was and whose.
v1::CatalogEntry Tombstone(const v1::CatalogEntry& entry) {
  v1::CatalogEntry tombstone = entry;
  tombstone.clear_items();
  tombstone.clear_resources();
  return tombstone;
}

absl::Status ApplyEntry(const v1::FeedId& feed, const FeedKey& key, const std::string& bytes,
                        WriteSet* writes) {
  if (!IsCatalog(feed.kind())) return Inapplicable("a catalogue entry in another feed");
  v1::CatalogEntry entry;
  if (!entry.ParseFromString(bytes)) return Inapplicable("a catalogue entry that is none");
  if (entry.code().empty() || entry.code().find('\0') != std::string::npos) {
    return Inapplicable("a catalogue entry without a code");
  }
  const bool withdrawn = entry.state() == v1::ENTRY_STATE_WITHDRAWN;
  writes->Put(EntryKey(key, entry.code()),
              withdrawn ? Tombstone(entry).SerializeAsString() : bytes);
  if (feed.kind() == v1::FEED_KIND_CATALOG_OPEN) {
    writes->Put(EntryIndexKey(entry.code(), key), "");
  }
  return absl::OkStatus();
}

absl::Status DeleteIndices(const Reader& store, const FeedKey& key, WriteSet* writes) {
  const std::string members = MemberPrefix(key);
  const auto member = store.Scan(members, PrefixEnd(members));
  for (; member->Valid(); member->Next()) {
    writes->Delete(MemberIndexKey(member->key().substr(members.size()), key));
  }
  GT_RETURN_IF_ERROR(member->status());
  const std::string entries = EntryPrefix(key);
  const auto entry = store.Scan(entries, PrefixEnd(entries));
  for (; entry->Valid(); entry->Next()) {
    writes->Delete(EntryIndexKey(entry->key().substr(entries.size()), key));
  }
  return entry->status();
}

}  // namespace

absl::Status ApplyRecords(const v1::FeedId& feed, const v1::Records& records, WriteSet* writes,
                          bool* unknown) {
  const FeedKey key = FeedKey::Of(feed);
  WriteSet facts;
  for (const v1::Record& record : records.records()) {
    switch (record.fact_case()) {
      case v1::Record::kMember:
        GT_RETURN_IF_ERROR(ApplyMember(feed, key, record.member(), &facts));
        break;
      case v1::Record::kEntry:
        GT_RETURN_IF_ERROR(ApplyEntry(feed, key, record.entry(), &facts));
        break;
      case v1::Record::kEpochOpened:
      case v1::Record::kFeedClosed:
      case v1::Record::kFeedOpened:
      case v1::Record::kSuperseded:
        break;
      case v1::Record::kSchema:
        return Inapplicable("a schema outside a feed of rows");
      case v1::Record::FACT_NOT_SET:
        *unknown = true;
        break;
    }
  }
  writes->Append(std::move(facts));
  return absl::OkStatus();
}

absl::Status ReplaceRecords(const Reader& store, const v1::FeedId& feed, const v1::Records& records,
                            WriteSet* writes) {
  WriteSet facts;
  bool unknown = false;
  GT_RETURN_IF_ERROR(ApplyRecords(feed, records, &facts, &unknown));
  GT_RETURN_IF_ERROR(DropRecords(store, feed, writes));
  writes->Append(std::move(facts));
  return absl::OkStatus();
}

absl::Status DropRecords(const Reader& store, const v1::FeedId& feed, WriteSet* writes) {
  const FeedKey key = FeedKey::Of(feed);
  WriteSet drop;
  GT_RETURN_IF_ERROR(DeleteIndices(store, key, &drop));
  // By range, so that facts which are ordered and not yet durable go as well; an index key of
  // theirs points at nothing.
  drop.DeleteRange(MemberPrefix(key), PrefixEnd(MemberPrefix(key)));
  drop.DeleteRange(EntryPrefix(key), PrefixEnd(EntryPrefix(key)));
  writes->Append(std::move(drop));
  return absl::OkStatus();
}

}  // namespace guantong
