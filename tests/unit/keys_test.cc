#include "catalog/keys.h"

#include <string>
#include <vector>

#include "catalog/base/digest.h"
#include "tests/catch.h"

namespace guantong {
namespace {

std::string Bytes(int from, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(from + i));
  return bytes;
}

TEST_CASE("keys: a feed key is the same everywhere") {
  v1::FeedId feed;
  feed.set_origin(Bytes(0, 32));
  feed.set_kind(v1::FEED_KIND_ROWS);
  feed.set_resource("1/1:1");
  // sha256sum over the 43 bytes of the message, written by hand.
  CHECK(HexOf(FeedKey::Of(feed).bytes()) == "c96cd5399013741f20182daa327b4606");
  feed.set_partition("630000");
  CHECK(HexOf(FeedKey::Of(feed).bytes()) != "c96cd5399013741f20182daa327b4606");
}

TEST_CASE("keys: numbers sort and come back") {
  std::string last;
  for (const uint64_t number :
       {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{1} << 32, ~uint64_t{0}}) {
    std::string bytes;
    AppendBigEndian64(number, &bytes);
    CHECK(bytes.size() == 8);
    CHECK((last.empty() || last < bytes));
    CHECK(ReadBigEndian64(bytes) == number);
    last = bytes;
  }
  std::string bytes;
  AppendBigEndian32(0x01020304, &bytes);
  CHECK(bytes == Bytes(1, 4));
  CHECK(ReadBigEndian32(bytes) == 0x01020304);
}

TEST_CASE("keys: a prefix ends before the first key without it") {
  CHECK(PrefixEnd("a") == "b");
  CHECK(PrefixEnd("a\xff") == "b");
  CHECK(PrefixEnd("\xff\xff") == "");
  CHECK(PrefixEnd("") == "");
  CHECK(std::string("a\xff\xff") < PrefixEnd("a"));
}

TEST_CASE("keys: what belongs to a feed has its prefix, what does not has not") {
  const FeedKey feed = FeedKey::FromBytes(Bytes(0x10, 16));
  const FeedKey other = FeedKey::FromBytes(Bytes(0x11, 16));
  const auto within = [](const std::string& key, const std::string& prefix) {
    return prefix <= key && key < PrefixEnd(prefix);
  };
  CHECK(within(LogKey(feed, 1, 2), LogPrefix(feed)));
  CHECK_FALSE(within(LogKey(other, 1, 2), LogPrefix(feed)));
  CHECK(LogKey(feed, 1, 300) < LogKey(feed, 2, 1));
  CHECK(LogKey(feed, 1, 255) < LogKey(feed, 1, 256));
  CHECK(within(RowKeyIn(feed, 7, "k"), RunPrefix(feed, 7)));
  CHECK_FALSE(within(RowKeyIn(feed, 8, "k"), RunPrefix(feed, 7)));
  CHECK(within(RowKeyIn(feed, ~0u, "k"), RowsPrefix(feed)));
  CHECK(within(MemberKey(feed, "n"), MemberPrefix(feed)));
  CHECK(within(EntryKey(feed, "c"), EntryPrefix(feed)));
  CHECK(within(StagedKey(feed, "p", 1), StagedPrefix(feed)));
  CHECK(within(ChunkKey(feed, "h"), ChunkPrefix(feed)));
  CHECK(PushAgeKey(1, other, "z") < PushAgeKey(2, feed, "a"));
}

TEST_CASE("keys: an index key names its feed, and one code is no prefix of another") {
  const FeedKey feed = FeedKey::FromBytes(Bytes(0x10, 16));
  CHECK(FeedOfIndexKey(EntryIndexKey("1/1", feed)) == feed);
  CHECK(FeedOfIndexKey(MemberIndexKey(Bytes(0, 32), feed)) == feed);
  CHECK(EntryIndexKey("1/11", feed) > PrefixEnd(EntryIndexPrefix("1/1")));
  CHECK(EntryIndexKey("1/1", feed) < EntryIndexKey("1/11", FeedKey()));
}

TEST_CASE("keys: every kind has a letter of its own") {
  const FeedKey feed;
  std::vector<std::string> keys = {FeedRecordKey(feed),
                                   LogKey(feed, 0, 0),
                                   ChainKey("x"),
                                   TableKey(feed),
                                   RowKeyIn(feed, 0, ""),
                                   MemberKey(feed, "x"),
                                   MemberIndexKey("x", feed),
                                   EntryKey(feed, "x"),
                                   EntryIndexKey("x", feed),
                                   DraftKey("x"),
                                   SerialKey("x"),
                                   PushKey(feed, "x"),
                                   PushAgeKey(0, feed, "x"),
                                   PendingPushKey(feed),
                                   StagedKey(feed, "x", 0),
                                   SubscriptionKey("x"),
                                   ManifestKey(feed),
                                   ChunkKey(feed, "x"),
                                   SnapshotProgressKey(feed),
                                   TokenKey("x"),
                                   DepartmentKey("x"),
                                   NodeFactKey("x")};
  std::string letters;
  for (const std::string& key : keys) letters.push_back(key[0]);
  CHECK(letters == "FLCTRMmEJDSPQGHIABNKUX");
}

}  // namespace
}  // namespace guantong
