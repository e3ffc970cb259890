#include "catalog/keys.h"

#include <endian.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

std::string Key(char kind, absl::string_view tail) {
  std::string key;
  key.reserve(1 + tail.size());
  key.push_back(kind);
  key.append(tail.data(), tail.size());
  return key;
}

std::string FeedScoped(char kind, const FeedKey& feed, absl::string_view tail) {
  std::string key;
  key.reserve(1 + kFeedKeyBytes + tail.size());
  key.push_back(kind);
  key.append(feed.bytes().data(), kFeedKeyBytes);
  key.append(tail.data(), tail.size());
  return key;
}

std::string BatchScoped(char kind, const FeedKey& feed, uint64_t epoch, uint64_t last) {
  std::string key = FeedScoped(kind, feed, "");
  AppendBigEndian64(epoch, &key);
  AppendBigEndian64(last, &key);
  return key;
}

std::string RunScoped(char kind, const FeedKey& feed, uint32_t run, absl::string_view tail) {
  std::string key;
  key.reserve(1 + kFeedKeyBytes + sizeof(run) + tail.size());
  key.push_back(kind);
  key.append(feed.bytes().data(), kFeedKeyBytes);
  AppendBigEndian32(run, &key);
  key.append(tail.data(), tail.size());
  return key;
}

}  // namespace

FeedKey FeedKey::Of(const v1::FeedId& feed) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    feed.SerializeToCodedStream(&coded);
  }
  return FromBytes(absl::string_view(Sha256(bytes)).substr(0, kFeedKeyBytes));
}

FeedKey FeedKey::FromBytes(absl::string_view bytes) {
  GT_CHECK(bytes.size() == kFeedKeyBytes);
  FeedKey key;
  std::copy(bytes.begin(), bytes.end(), key.bytes_.begin());
  return key;
}

std::string FeedRecordKey(const FeedKey& feed) { return FeedScoped('F', feed, ""); }

std::string LogKey(const FeedKey& feed, uint64_t epoch, uint64_t last) {
  return BatchScoped('L', feed, epoch, last);
}

std::string LogPrefix(const FeedKey& feed) { return FeedScoped('L', feed, ""); }

std::string LogBlockKey(const FeedKey& feed, uint64_t epoch, uint64_t last) {
  return BatchScoped('Z', feed, epoch, last);
}

std::string LogBlocksPrefix(const FeedKey& feed) { return FeedScoped('Z', feed, ""); }

std::string SupersededKey(const FeedKey& feed, uint64_t epoch, uint64_t last) {
  return BatchScoped('W', feed, epoch, last);
}

std::string SupersededPrefix(const FeedKey& feed) { return FeedScoped('W', feed, ""); }

std::string RestoredKey() { return NodeFactKey("restored"); }
std::string ChainKey(absl::string_view digest) { return Key('C', digest); }
std::string TableKey(const FeedKey& feed) { return FeedScoped('T', feed, ""); }

std::string RowKeyIn(const FeedKey& feed, uint32_t run, absl::string_view row_key) {
  return RunScoped('R', feed, run, row_key);
}

std::string RunPrefix(const FeedKey& feed, uint32_t run) { return RowKeyIn(feed, run, ""); }
std::string RowsPrefix(const FeedKey& feed) { return FeedScoped('R', feed, ""); }

std::string BlockEntryKey(const FeedKey& feed, uint32_t run, absl::string_view last) {
  return RunScoped('V', feed, run, last);
}

std::string BlockEntryPrefix(const FeedKey& feed, uint32_t run) {
  return BlockEntryKey(feed, run, "");
}

std::string BlockEntriesPrefix(const FeedKey& feed) { return FeedScoped('V', feed, ""); }

std::string OwnBlockKey(const FeedKey& feed, uint32_t run, absl::string_view last) {
  return RunScoped('Y', feed, run, last);
}

std::string OwnBlockPrefix(const FeedKey& feed, uint32_t run) { return OwnBlockKey(feed, run, ""); }
std::string OwnBlocksPrefix(const FeedKey& feed) { return FeedScoped('Y', feed, ""); }

std::string MemberKey(const FeedKey& feed, absl::string_view node_id) {
  return FeedScoped('M', feed, node_id);
}

std::string MemberPrefix(const FeedKey& feed) { return FeedScoped('M', feed, ""); }

std::string MemberIndexKey(absl::string_view node_id, const FeedKey& feed) {
  return Key('m', node_id) + feed.str();
}

std::string MemberIndexPrefix(absl::string_view node_id) { return Key('m', node_id); }

std::string EntryKey(const FeedKey& feed, absl::string_view code) {
  return FeedScoped('E', feed, code);
}

namespace {

// Ends the code, so that no code is the beginning of another one's keys.
std::string CodeScoped(char kind, absl::string_view code) {
  std::string key = Key(kind, code);
  key.push_back('\0');
  return key;
}

std::string CodeNumber(char kind, absl::string_view code, uint64_t number) {
  std::string key = CodeScoped(kind, code);
  AppendBigEndian64(number, &key);
  return key;
}

}  // namespace

std::string ReviewKey(absl::string_view code) { return Key('r', code); }
std::string ActKey(absl::string_view code, uint64_t number) {
  return CodeNumber('a', code, number);
}
std::string ActPrefix(absl::string_view code) { return CodeScoped('a', code); }
std::string VersionKey(absl::string_view code, uint64_t version) {
  return CodeNumber('v', code, version);
}
std::string VersionPrefix(absl::string_view code) { return CodeScoped('v', code); }
std::string AliasKey(absl::string_view alias, const FeedKey& feed) {
  return CodeScoped('j', alias) + feed.str();
}
std::string AliasPrefix(absl::string_view alias) { return CodeScoped('j', alias); }
std::string DemandIndexKey(absl::string_view id, absl::string_view uscc, const FeedKey& feed) {
  return absl::StrCat(DemandIndexPrefix(id), uscc, absl::string_view("\0", 1), feed.bytes());
}
std::string DemandIndexPrefix(absl::string_view id) { return CodeScoped('q', id); }
std::string AddresseeIndexKey(absl::string_view whom, absl::string_view id, const FeedKey& feed) {
  return absl::StrCat(AddresseeIndexPrefix(whom), id, absl::string_view("\0", 1), feed.bytes());
}
std::string AddresseeIndexPrefix(absl::string_view whom) { return CodeScoped('f', whom); }
std::string PersonKey(absl::string_view id) { return Key('p', id); }
std::string ProfileOwnerKey(absl::string_view key_digest) { return Key('k', key_digest); }

std::string EntryPrefix(const FeedKey& feed) { return FeedScoped('E', feed, ""); }

std::string EntryIndexKey(absl::string_view code, const FeedKey& feed) {
  return EntryIndexPrefix(code) + feed.str();
}

std::string EntryIndexPrefix(absl::string_view code) { return Key('J', code) + '\0'; }

FeedKey FeedOfIndexKey(absl::string_view key) {
  GT_CHECK(key.size() > kFeedKeyBytes);
  return FeedKey::FromBytes(key.substr(key.size() - kFeedKeyBytes));
}

std::string DraftKey(absl::string_view code) { return Key('D', code); }
std::string SerialKey(absl::string_view division) { return Key('S', division); }

std::string PushKey(const FeedKey& feed, absl::string_view push_id) {
  return FeedScoped('P', feed, push_id);
}

std::string PushAgeKey(uint64_t unix_ms, const FeedKey& feed, absl::string_view push_id) {
  std::string key(1, 'Q');
  AppendBigEndian64(unix_ms, &key);
  key.append(feed.bytes().data(), kFeedKeyBytes);
  key.append(push_id.data(), push_id.size());
  return key;
}

std::string PendingPushKey(const FeedKey& feed) { return FeedScoped('G', feed, ""); }

std::string StagedKey(const FeedKey& feed, absl::string_view push_id, uint32_t n) {
  std::string key = FeedScoped('H', feed, push_id);
  AppendBigEndian32(n, &key);
  return key;
}

std::string StagedPrefix(const FeedKey& feed) { return FeedScoped('H', feed, ""); }
std::string SubscriptionKey(absl::string_view code) { return Key('I', code); }
std::string ManifestKey(const FeedKey& feed) { return FeedScoped('A', feed, ""); }

std::string ChunkKey(const FeedKey& feed, absl::string_view hash) {
  return FeedScoped('B', feed, hash);
}

std::string ChunkPrefix(const FeedKey& feed) { return FeedScoped('B', feed, ""); }

std::string ChunkNameKey(const FeedKey& feed, absl::string_view hash) {
  return FeedScoped('b', feed, hash);
}

std::string ChunkNamesPrefix(const FeedKey& feed) { return FeedScoped('b', feed, ""); }

std::string LeftKey(const FeedKey& feed, absl::string_view what) {
  return FeedScoped('o', feed, what);
}

std::string LeftPrefix(const FeedKey& feed) { return FeedScoped('o', feed, ""); }

std::string SnapshotProgressKey(const FeedKey& feed) { return FeedScoped('N', feed, ""); }
std::string TokenKey(absl::string_view label) { return Key('K', label); }
std::string DepartmentKey(absl::string_view uscc) { return Key('U', uscc); }
std::string NodeFactKey(absl::string_view name) { return Key('X', name); }
std::string DepartedKey(absl::string_view path) { return Key('d', path); }

std::string KindPrefix(char kind) { return std::string(1, kind); }

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

void AppendBigEndian64(uint64_t value, std::string* out) {
  const uint64_t bytes = htobe64(value);
  out->append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

void AppendBigEndian32(uint32_t value, std::string* out) {
  const uint32_t bytes = htobe32(value);
  out->append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
}

uint64_t ReadBigEndian64(absl::string_view bytes) {
  GT_CHECK(bytes.size() >= 8);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

uint32_t ReadBigEndian32(absl::string_view bytes) {
  GT_CHECK(bytes.size() >= 4);
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

}  // namespace guantong
