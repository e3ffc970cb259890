// Blocks of a table that chunks of a snapshot name where they stand, instead of a copy.
//
// A block has three holders: the log, the table, and the snapshot held here. Log and table say so
// when they let go of one. While a chunk names it, or while a snapshot is being made that might, it
// is left: it stays in the store, and a key of its own says that in the commit that would have
// removed it. So after a crash nothing stands that nobody knows of. Of a run's own blocks all are
// left while one has a name.
//
// Beside TableWriter, and owned by the same thread: the in-memory half, ahead of the store.
#ifndef GUANTONG_CATALOG_BLOCK_PINS_H_
#define GUANTONG_CATALOG_BLOCK_PINS_H_

#include <functional>
#include <set>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/keys.h"
#include "catalog/store.h"

namespace guantong {

// A chunk, by its hash, and the key of the block it is.
struct ChunkName {
  std::string hash;
  std::string block;  // LogBlockKey or OwnBlockKey
};

class BlockPins {
 public:
  explicit BlockPins(FeedKey feed) : feed_(feed) {}

  // Nothing has a name and nothing is left.
  bool empty() const { return names_.empty() && left_.empty(); }
  // Where the chunk stands; null when it has no name.
  const std::string* Find(const std::string& hash) const;
  // Log and table have let go of the block, and it is there.
  bool Left(absl::string_view block) const;

  // `block` stands, or is put by the same commit. A name of before goes.
  void Name(const ChunkName& name, WriteSet* writes);
  // Names of chunks for which `stays` is false go.
  void Unname(const std::function<bool(const std::string& hash)>& stays, WriteSet* writes);

  // A snapshot is being made: from here all that is let go of is left, until Settle.
  void LeaveAll() { leaves_all_ = true; }
  bool leaves_all() const { return leaves_all_; }
  // What is left and has no name goes.
  void Settle(WriteSet* writes);

  // Log and table need it no more: a LogBlockKey, or the OwnBlockPrefix of a run.
  void LetGo(const std::string& what, WriteSet* writes);
  // The log has the block again, as it lets go of what it repairs.
  void TakeBack(const std::string& block, WriteSet* writes);
  // All blocks of batches go from the store in the same commit.
  void LogBlocksGone(WriteSet* writes);

 private:
  friend absl::Status LoadPins(const Reader& store,
                               const std::function<BlockPins*(const FeedKey&)>& pins_of);

  bool Named(absl::string_view what) const;
  void Drop(const std::string& hash, WriteSet* writes);
  void Remove(const std::string& what, WriteSet* writes);

  FeedKey feed_;
  bool leaves_all_ = false;
  absl::flat_hash_map<std::string, std::string> names_;  // hash -> block
  std::set<std::string> blocks_;                         // of names_
  std::set<std::string> left_;
};

// Gives each feed's pins what the store says of them; null: nobody's, left as it is. Errors of the
// store.
absl::Status LoadPins(const Reader& store,
                      const std::function<BlockPins*(const FeedKey&)>& pins_of);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BLOCK_PINS_H_
