// Keeps RocksDB from writing tables once more for nothing.
//
// When a snapshot is released, RocksDB marks each file of the lowest level of its range that no
// snapshot left divides, and rewrites it once, so that what it held for that snapshot alone goes.
// Files of blocks come to that level by being moved, with nothing in them to drop; marked, they are
// read and written again: a third of all that a busy node writes. Later versions have an option
// that delays it (bottommost_file_compaction_delay), 7.8 has none.
//
// What a compaction kept for a snapshot that lived for moments is little, but nothing bounds how
// long it would stay. So the end of a brief one tells nothing, the end of a longer one does, and
// once a day that of any: files of blocks are rewritten then if they are still there, at a quiet
// pace and together, instead of each as soon as it is moved.
//
// The function by which RocksDB tells its families is replaced (catalog/base/replaced.h) by one
// that calls it, or does not. Where a RocksDB to come does not ask for it any more, nothing but the
// speed changes.
#ifndef GUANTONG_CATALOG_ROCKS_SNAPSHOT_MARKS_H_
#define GUANTONG_CATALOG_ROCKS_SNAPSHOT_MARKS_H_

namespace guantong {

// While it lives, snapshots that this thread releases mark no files.
class UnmarkedRelease {
 public:
  UnmarkedRelease();
  ~UnmarkedRelease();
  UnmarkedRelease(const UnmarkedRelease&) = delete;
  UnmarkedRelease& operator=(const UnmarkedRelease&) = delete;
};

// Whether a library that asks through the linkage table asks the function above.
bool SnapshotMarksAreOurs();

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_SNAPSHOT_MARKS_H_
