// How feeds of records flow, kind by kind: one table for all who ask. Rows flow by subscription and
// stand apart.
#ifndef GUANTONG_CATALOG_FEED_KIND_H_
#define GUANTONG_CATALOG_FEED_KIND_H_

#include "guantong/v1/feed.pb.h"

namespace guantong {

enum class DownFlow {
  kNever,
  kByScope,   // as far as the catalogue scope of whoever is below
  kToBranch,  // from every level to all below it, whatever their scope
};

struct RecordKind {
  v1::FeedKind kind;
  DownFlow down;
};

// All of them flow up. A node has one feed of each. In the order of their numbers.
inline constexpr RecordKind kRecordKinds[] = {
    {v1::FEED_KIND_MEMBERSHIP, DownFlow::kByScope},
    {v1::FEED_KIND_CATALOG_OPEN, DownFlow::kByScope},
    {v1::FEED_KIND_CATALOG_UPWARD, DownFlow::kNever},
    {v1::FEED_KIND_CLASSES, DownFlow::kToBranch},
    {v1::FEED_KIND_CODE_LISTS, DownFlow::kToBranch},
    {v1::FEED_KIND_RULES, DownFlow::kToBranch},
    {v1::FEED_KIND_RULINGS, DownFlow::kToBranch},
    {v1::FEED_KIND_DEMANDS, DownFlow::kByScope},
};

// Null: rows, or a kind this version does not know.
constexpr const RecordKind* FindRecordKind(v1::FeedKind kind) {
  for (const RecordKind& known : kRecordKinds) {
    if (known.kind == kind) return &known;
  }
  return nullptr;
}

}  // namespace guantong

#endif  // GUANTONG_CATALOG_FEED_KIND_H_
