// The index of a node's catalogue: segments in a folder and in memory, changed
// by one thread, read by any.
//
// CHANGES   Apply puts new documents into a small segment in memory, or many
// into a file, and marks the old ones deleted; they are found when it returns.
// Small segments are merged in memory, and Save writes them as a file. Merge makes one file of
// several beside all this.
//
// DISK      Files are written whole and synced, then a manifest names them and
// replaces the one before in one step. What no manifest names is removed at the
// next start. After a crash the last manifest holds, and its heads tell from
// which positions of the feeds to go on.
//
// DAMAGE    Every file has a digest, read through at start. One that is
// missing, damaged or of another version empties the index: it is derived and
// is made anew (catalog/search/follow.h).
//
// THREADS   One writer for all but view(); a MergeJob may Run on another
// thread.
#ifndef GUANTONG_CATALOG_SEARCH_INDEX_H_
#define GUANTONG_CATALOG_SEARCH_INDEX_H_

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/search/document.h"
#include "catalog/search/segment_file.h"
#include "catalog/search/view.h"

namespace guantong::search {

inline constexpr size_t kMemoryDocumentsMax = 16384;  // then they go to a file
inline constexpr size_t kFileAtOnceMin = 4096;      // that come together: into a file of their own
inline constexpr size_t kMemorySegmentsMax = 8;     // then they become one
inline constexpr size_t kSegmentsOfSizeMax = 6;     // files of like size; then they become one
inline constexpr size_t kLoadDocumentsMax = 65536;  // of a segment made at once
inline constexpr size_t kLoadBytesMax = 96 << 20;

// FeedKey to serialised position: what has been taken in.
using Heads = std::map<std::string, std::string>;

// Files of like size that become one. Owns what it reads.
struct MergeJob {
  std::vector<std::string> files;
  std::vector<MergeInput> inputs;
  std::string file;  // the new one
  std::string path;
  // Any thread.
  absl::StatusOr<WrittenSegment> Run(const std::function<bool()>& goes_on) const;
};

// A file made of documents at once. Run it with documents that no other segment
// has.
struct LoadJob {
  std::string file;  // empty: in memory
  std::string path;
  // Any thread.
  absl::StatusOr<Part> Run(const std::vector<Document>& documents) const;
};

class Index {
 public:
  // `folder` empty: in memory only. `mark` names the store: files of another
  // one are not used. Errors are those of the folder; damage is none
  // (`started_empty` says why).
  static absl::StatusOr<std::unique_ptr<Index>> Open(const std::string& folder,
                                                     const std::string& mark);

  std::shared_ptr<const View> view() const;
  const std::optional<Heads>& heads() const { return heads_; }  // nullopt: never complete
  const std::string& started_empty() const { return started_empty_; }

  // In place of all documents of these codes, these. Codes of documents must be
  // among them.
  absl::Status Apply(const std::vector<std::string>& codes, std::vector<Document> documents);
  // The same, made beforehand.
  absl::Status Replace(const std::vector<std::string>& codes, const LoadJob& job,
                       absl::StatusOr<Part> made);
  LoadJob BeginLoad();
  void Release(const LoadJob& job) { writing_.erase(job.file); }  // it is not run
  // Adds what the job made, without the documents of codes that were changed
  // meanwhile.
  void FinishLoad(Part made, const std::set<std::string>& changed);
  // Where nodes stand; entries of others are not found.
  void SetNodes(NodePlaces nodes);

  // True when enough stands in memory alone.
  bool WantsSave() const;
  // All that is in memory goes to a file, and the manifest says so.
  absl::Status Save(std::optional<Heads> heads);

  std::optional<MergeJob> NextMerge();
  // Puts the merged file in place of what it was made from.
  absl::Status FinishMerge(const MergeJob& job, const WrittenSegment& written);

  void Clear();
  uint64_t DiskBytes() const;

 private:
  Index(std::string folder, std::string mark)
      : folder_(std::move(folder)), mark_(std::move(mark)) {}

  std::string PathOf(const std::string& file) const;
  absl::Status LoadManifest();
  absl::Status WriteManifest();
  void RemoveUnnamed() const;
  void DeleteCodes(const std::vector<std::string>& codes, std::vector<Part>* parts) const;
  void FillPart(Part* part, const NodePlaces& nodes);
  void NumberValues(Part* part);
  void Publish(std::vector<Part> parts);
  absl::Status CompactMemory(std::vector<Part>* parts);
  // One segment of these parts: in memory, or in the file when one is named.
  absl::StatusOr<Part> MergeParts(const std::vector<Part>& parts, const std::string& file);

  const std::string folder_;
  const std::string mark_;
  std::string started_empty_;
  uint64_t next_file_ = 1;
  std::set<std::string> writing_;  // files that a job makes
  std::array<absl::flat_hash_map<std::string, uint32_t>, kAttributes> numbers_;  // of values
  std::optional<Heads> heads_;
  mutable std::mutex mutex_;
  std::shared_ptr<const View> view_ = std::make_shared<View>();
};

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_INDEX_H_
