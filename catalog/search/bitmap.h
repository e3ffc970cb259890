// Sets of documents of one segment.
#ifndef GUANTONG_CATALOG_SEARCH_BITMAP_H_
#define GUANTONG_CATALOG_SEARCH_BITMAP_H_

#include <roaring/roaring.h>

#include <memory>

namespace guantong::search {

struct FreeBitmap {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, FreeBitmap>;

inline Bitmap NewBitmap() { return Bitmap(roaring_bitmap_create()); }

}  // namespace guantong::search

#endif  // GUANTONG_CATALOG_SEARCH_BITMAP_H_
