// What mends a damaged block of rows: kept in another file than the block (storage.v1.BlockSpare).
//
// The block is cut into 64 pieces; of every eight columns of pieces the XOR is kept, and a short
// check of each piece says which are damaged. They are made again when no two of them share a
// column: so is any one stretch of up to seven pieces' length, a tenth of the block. Whether the
// whole is right the caller says, by the digest that was signed.
#ifndef GUANTONG_CATALOG_SPARE_H_
#define GUANTONG_CATALOG_SPARE_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong {

// A block under it is small beside its spare.
inline constexpr size_t kSpareBlockBytesMin = 4 << 10;

// `block` has kSpareBlockBytesMin at least.
storage::v1::BlockSpare MakeSpare(absl::string_view block);

// Mends what can be; false when more is damaged. `block` has the size it had.
bool MendBlock(const storage::v1::BlockSpare& spare, std::string* block);

// Looks for the block in the bytes of a file, damaged or not, wherever they show one of its marks.
// `is_right` judges each one found, mended; the first right one is returned, else an empty string.
std::string FindBlock(absl::string_view file, const storage::v1::BlockSpare& spare, size_t bytes,
                      absl::FunctionRef<bool(const std::string&)> is_right);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_SPARE_H_
