// Every key of the store stands on this page. The first byte is the kind (and selects the column
// family in production); numbers are big-endian; feed keys have 16 bytes; all parts but the last
// have a fixed length or an end mark, so every prefix can be scanned. The indices m and J name the
// feed in the key: feeds arrive in any order, so a node that moved, or a code that went to a
// successor, may stand in two feeds for a while, and each may add and remove its own without
// reading.
//
//   F feed                       FeedRecord            one per feed held
//   L feed epoch8 last8          LoggedBatch           the log
//   Z feed epoch8 last8          block of rows         payloads of the log that are blocks; stay
//                                                      while log or table need them
//   C digest32                   CertificateChain      chains that signed what is stored
//   T feed                       TableRecord           rows feeds with a table
//   R feed run4 rowkey           Row (empty: deleted)  runs of puts
//   V feed run4 lastkey          BlockEntry            runs of blocks: the index
//   Y feed run4 lastkey          block of rows         blocks that came with no batch of the log
//   M feed nodeid32              Member                by the admitting parent's feed
//   m nodeid32 feed              -                     which feeds speak for a node
//   E feed name                  CatalogEntry          by code: versions in force, tombstones; in
//                                                      feeds of other kinds ClassNode, CodeList,
//                                                      Rule, Ruling, Demand
//   J code 0x00 feed             -                     which open catalogue feeds hold a code
//   D code                       CatalogEntry          drafts of this node
//   S division                   uint64 text           last serial given; also "class/", "person"
//   P feed pushid                PushRecord            results of own pushes
//   Q time8 feed pushid          -                     their order of age
//   G feed                       PendingPush           being sequenced
//   H feed pushid n4             payload               staged payloads of a pending push
//   I code                       StoredInterest        own subscriptions
//   A feed                       SignedManifest        the newest manifest held
//   B feed hash32                chunk                 its chunks, as received or made
//   b feed hash32                key                   chunks that are a block under Y or Z
//   o feed key                   -                     what log and table have let go of, and stays
//                                                      for a snapshot: a Z, or all Y of a run
//   N feed                       SnapshotProgress      being loaded here
//   K label                      StoredToken
//   U uscc                       StoredDepartment
//   W feed epoch8 last8          SignedBatch           superseded batches, to be listed
//   r code                       StoredReview          drafts of this node under approval
//   a code 0x00 n8               Act                   what was done to own entries, for ever
//   v code 0x00 version8         CatalogEntry          versions of own entries once in force
//   j alias 0x00 feed            code                  other codes of entries of open feeds
//   q id 0x00 uscc 0x00 feed     -                     which feeds of demands speak of a demand:
//   the
//                                                      demand itself (no uscc), who answers it
//   f whom 0x00 id 0x00 feed     -                     whom open demands ask (catalog/demand.h)
//   p id                         StoredPerson
//   k digest32                   id                    whose profile has this key
//   d path                       Departed              who stood there, below here, and went
//   X name                       node facts: "format", "place", "restored" (storage.v1.Restored)
#ifndef GUANTONG_CATALOG_KEYS_H_
#define GUANTONG_CATALOG_KEYS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

inline constexpr size_t kFeedKeyBytes = 16;

// First 16 bytes of SHA-256 over the deterministic serialisation of a FeedId.
class FeedKey {
 public:
  FeedKey() { bytes_.fill(0); }
  static FeedKey Of(const v1::FeedId& feed);
  // `bytes` must have kFeedKeyBytes (checked by the caller for input from the wire).
  static FeedKey FromBytes(absl::string_view bytes);

  absl::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }
  std::string str() const { return {bytes_.data(), bytes_.size()}; }

  friend bool operator==(const FeedKey& a, const FeedKey& b) { return a.bytes_ == b.bytes_; }
  friend bool operator<(const FeedKey& a, const FeedKey& b) { return a.bytes_ < b.bytes_; }
  template <typename H>
  friend H AbslHashValue(H h, const FeedKey& k) {
    return H::combine(std::move(h), k.bytes_);
  }

 private:
  std::array<char, kFeedKeyBytes> bytes_;
};

std::string FeedRecordKey(const FeedKey& feed);
std::string LogKey(const FeedKey& feed, uint64_t epoch, uint64_t last);
std::string LogPrefix(const FeedKey& feed);
std::string LogBlockKey(const FeedKey& feed, uint64_t epoch, uint64_t last);
std::string LogBlocksPrefix(const FeedKey& feed);
std::string ChainKey(absl::string_view digest);
std::string TableKey(const FeedKey& feed);
std::string RowKeyIn(const FeedKey& feed, uint32_t run, absl::string_view row_key);
std::string RunPrefix(const FeedKey& feed, uint32_t run);
std::string RowsPrefix(const FeedKey& feed);  // all runs of puts
std::string BlockEntryKey(const FeedKey& feed, uint32_t run, absl::string_view last);
std::string BlockEntryPrefix(const FeedKey& feed, uint32_t run);
std::string BlockEntriesPrefix(const FeedKey& feed);  // all runs of blocks
std::string OwnBlockKey(const FeedKey& feed, uint32_t run, absl::string_view last);
std::string OwnBlockPrefix(const FeedKey& feed, uint32_t run);
std::string OwnBlocksPrefix(const FeedKey& feed);
std::string MemberKey(const FeedKey& feed, absl::string_view node_id);
std::string MemberPrefix(const FeedKey& feed);
std::string MemberIndexKey(absl::string_view node_id, const FeedKey& feed);
std::string MemberIndexPrefix(absl::string_view node_id);
std::string EntryKey(const FeedKey& feed, absl::string_view code);
std::string EntryPrefix(const FeedKey& feed);
std::string EntryIndexKey(absl::string_view code, const FeedKey& feed);
std::string EntryIndexPrefix(absl::string_view code);
// The feed an index key ends with.
FeedKey FeedOfIndexKey(absl::string_view key);
std::string DraftKey(absl::string_view code);
std::string ReviewKey(absl::string_view code);
std::string ActKey(absl::string_view code, uint64_t number);
std::string ActPrefix(absl::string_view code);
std::string VersionKey(absl::string_view code, uint64_t version);
std::string VersionPrefix(absl::string_view code);
std::string AliasKey(absl::string_view alias, const FeedKey& feed);
std::string AliasPrefix(absl::string_view alias);
std::string DemandIndexKey(absl::string_view id, absl::string_view uscc, const FeedKey& feed);
std::string DemandIndexPrefix(absl::string_view id);
std::string AddresseeIndexKey(absl::string_view whom, absl::string_view id, const FeedKey& feed);
std::string AddresseeIndexPrefix(absl::string_view whom);
std::string PersonKey(absl::string_view id);
std::string ProfileOwnerKey(absl::string_view key_digest);
std::string SerialKey(absl::string_view division);
std::string PushKey(const FeedKey& feed, absl::string_view push_id);
std::string PushAgeKey(uint64_t unix_ms, const FeedKey& feed, absl::string_view push_id);
std::string PendingPushKey(const FeedKey& feed);
std::string StagedKey(const FeedKey& feed, absl::string_view push_id, uint32_t n);
std::string StagedPrefix(const FeedKey& feed);
std::string SubscriptionKey(absl::string_view code);
std::string ManifestKey(const FeedKey& feed);
std::string ChunkKey(const FeedKey& feed, absl::string_view hash);
std::string ChunkPrefix(const FeedKey& feed);
std::string ChunkNameKey(const FeedKey& feed, absl::string_view hash);
std::string ChunkNamesPrefix(const FeedKey& feed);
// `what`: a LogBlockKey or an OwnBlockPrefix of the feed.
std::string LeftKey(const FeedKey& feed, absl::string_view what);
std::string LeftPrefix(const FeedKey& feed);
std::string SnapshotProgressKey(const FeedKey& feed);
std::string TokenKey(absl::string_view label);
std::string DepartmentKey(absl::string_view uscc);
std::string SupersededKey(const FeedKey& feed, uint64_t epoch, uint64_t last);
std::string SupersededPrefix(const FeedKey& feed);
std::string NodeFactKey(absl::string_view name);
std::string DepartedKey(absl::string_view path);
// storage.v1.Restored, written by `guantong restore`, removed by the engine.
std::string RestoredKey();

// The prefix of a whole kind, and the first key after all keys with `prefix`.
std::string KindPrefix(char kind);
std::string PrefixEnd(absl::string_view prefix);

void AppendBigEndian64(uint64_t value, std::string* out);
void AppendBigEndian32(uint32_t value, std::string* out);
uint64_t ReadBigEndian64(absl::string_view bytes);
uint32_t ReadBigEndian32(absl::string_view bytes);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_KEYS_H_
