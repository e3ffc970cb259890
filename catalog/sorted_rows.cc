#include "catalog/sorted_rows.h"

// For the parameter that has swiftly packed bytes coded by their frequency.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/zstd_contexts.h"

namespace guantong {
namespace {

constexpr char kMagic = 0x07;
constexpr char kVersion = 1;
constexpr size_t kHeadBytes = 14;
constexpr size_t kPageHeadBytes = 16;
// A point query unpacks one page.
constexpr size_t kPageBytes = 16 << 10;
constexpr uint32_t kPageRowsMax = 256;
constexpr size_t kPackBytesMin = 128;
constexpr int kDenseLevel = 1;
// Hardly looks for repetitions, a third of the time.
constexpr int kSwiftLevel = -20;
// Swift where it gives up no more than this part.
constexpr size_t kSwiftLossPart = 32;

absl::Status Malformed(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "block_malformed",
               absl::StrCat("malformed block of rows: ", what));
}

absl::Status Corrupt() {
  return Error(absl::StatusCode::kDataLoss, "store_corrupt", "a block of rows cannot be read");
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

bool ReadVarint(absl::string_view bytes, size_t* at, size_t* value) {
  *value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    if (*at >= bytes.size()) return false;
    const auto byte = static_cast<uint8_t>(bytes[(*at)++]);
    *value |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

size_t SharedPrefix(absl::string_view a, absl::string_view b) {
  const size_t least = std::min(a.size(), b.size());
  size_t shared = 0;
  while (shared < least && a[shared] == b[shared]) ++shared;
  return shared;
}

struct KeyHead {
  size_t shared;
  size_t suffix;
  size_t row_bytes;
};

bool ReadKeyHead(absl::string_view keys, size_t* at, KeyHead* head) {
  return ReadVarint(keys, at, &head->shared) && ReadVarint(keys, at, &head->suffix) &&
         ReadVarint(keys, at, &head->row_bytes) && head->suffix <= keys.size() - *at;
}

using Packer = std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)>;

Packer MakePacker(int level) {
  Packer packer(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(packer.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
  return packer;
}

// With parameters that stay, so not ThreadPacker. Once a thread.
ZSTD_CCtx* DensePacker() {
  thread_local const Packer packer = MakePacker(kDenseLevel);
  return packer.get();
}

ZSTD_CCtx* SwiftPacker() {
  thread_local const Packer packer = MakePacker(kSwiftLevel);
  return packer.get();
}

// Appends the packed page and says its size; 0, and nothing appended, where that saves less than an
// eighth.
size_t Pack(ZSTD_CCtx* packer, absl::string_view page, std::string* out) {
  if (page.size() < kPackBytesMin) return 0;
  const size_t before = out->size();
  const size_t room = page.size() - page.size() / 8;
  out->resize(before + room);
  const size_t packed =
      ZSTD_compress2(packer, out->data() + before, room, page.data(), page.size());
  const size_t stored = ZSTD_isError(packed) ? 0 : packed;
  out->resize(before + stored);
  return stored;
}

}  // namespace

// --- writing -------------------------------------------------------------------------------------

void SortedRowsBuilder::Add(absl::string_view key, absl::string_view row) {
  if (page_rows_ == kPageRowsMax || (page_rows_ > 0 && page_.size() + row.size() > kPageBytes))
    EndPage();
  if (page_rows_ == 0) page_keys_ = static_cast<uint32_t>(keys_.size());
  const size_t shared = page_rows_ == 0 ? 0 : SharedPrefix(last_key_, key);
  AppendVarint(shared, &keys_);
  AppendVarint(key.size() - shared, &keys_);
  AppendVarint(row.size(), &keys_);
  keys_.append(key.data() + shared, key.size() - shared);
  last_key_.assign(key.data(), key.size());
  page_.append(row.data(), row.size());
  ++page_rows_;
  ++rows_;
  bytes_ += key.size() + row.size();
}

void SortedRowsBuilder::EndPage() {
  const size_t before = data_.size();
  const bool swift = packing_ == Packing::kSwift;
  const size_t stored = Pack(swift ? SwiftPacker() : DensePacker(), page_, &data_);
  if (packing_ == Packing::kUnknown && stored > 0) {
    // The rows of a block are alike: digits and digests repeat nothing, so that nothing is lost
    // where nobody looks for it.
    trial_.clear();
    const size_t loose = Pack(SwiftPacker(), page_, &trial_);
    const bool as_good = loose > 0 && loose <= stored + stored / kSwiftLossPart;
    packing_ = as_good ? Packing::kSwift : Packing::kDense;
  }
  if (stored == 0) data_ += page_;
  AppendBigEndian32(page_rows_, &table_);
  AppendBigEndian32(page_keys_, &table_);
  AppendBigEndian32(static_cast<uint32_t>(data_.size() - before), &table_);
  AppendBigEndian32(static_cast<uint32_t>(page_.size()), &table_);
  page_.clear();
  page_rows_ = 0;
  ++pages_;
}

std::string SortedRowsBuilder::Finish() {
  GT_CHECK(rows_ > 0);
  if (page_rows_ > 0) EndPage();
  std::string block;
  block.reserve(kHeadBytes + table_.size() + keys_.size() + data_.size());
  block.push_back(kMagic);
  block.push_back(kVersion);
  AppendBigEndian32(rows_, &block);
  AppendBigEndian32(pages_, &block);
  AppendBigEndian32(static_cast<uint32_t>(keys_.size()), &block);
  block += table_;
  block += keys_;
  block += data_;
  rows_ = pages_ = 0;
  bytes_ = 0;
  packing_ = Packing::kUnknown;
  table_.clear();
  keys_.clear();
  data_.clear();
  return block;
}

// --- reading -------------------------------------------------------------------------------------

bool SortedRows::IsBlock(absl::string_view payload) {
  return !payload.empty() && payload[0] == kMagic;
}

absl::StatusOr<SortedRows> SortedRows::Open(absl::string_view bytes) {
  if (bytes.size() < kHeadBytes || bytes[0] != kMagic || bytes[1] != kVersion) return Corrupt();
  SortedRows block;
  block.rows_ = ReadBigEndian32(bytes.substr(2));
  const size_t pages = ReadBigEndian32(bytes.substr(6));
  const size_t key_bytes = ReadBigEndian32(bytes.substr(10));
  bytes.remove_prefix(kHeadBytes);
  if (pages == 0 || pages > bytes.size() / kPageHeadBytes ||
      key_bytes > bytes.size() - pages * kPageHeadBytes) {
    return Corrupt();
  }
  block.keys_ = bytes.substr(pages * kPageHeadBytes, key_bytes);
  block.data_ = bytes.substr(pages * kPageHeadBytes + key_bytes);
  block.pages_.reserve(pages);
  size_t data = 0;
  for (size_t i = 0; i < pages; ++i) {
    const absl::string_view head = bytes.substr(i * kPageHeadBytes, kPageHeadBytes);
    const Page page = {.rows = ReadBigEndian32(head),
                       .keys = ReadBigEndian32(head.substr(4)),
                       .stored = ReadBigEndian32(head.substr(8)),
                       .raw = ReadBigEndian32(head.substr(12)),
                       .data = data};
    if (page.rows == 0 || page.keys >= key_bytes || page.raw > kPayloadBytesMax ||
        page.stored > block.data_.size() - data) {
      return Corrupt();
    }
    data += page.stored;
    block.pages_.push_back(page);
  }
  return block;
}

absl::StatusOr<SortedRows> SortedRows::Check(absl::string_view bytes) {
  if (bytes.size() > kPayloadBytesMax) return Malformed("too long");
  absl::StatusOr<SortedRows> opened = Open(bytes);
  if (!opened.ok()) return Malformed("its head");
  SortedRows& block = *opened;
  uint64_t rows = 0;
  uint64_t raw = 0;
  size_t at = 0;
  size_t data = 0;
  std::string& key = block.last_;
  for (const Page& page : block.pages_) {
    if (page.keys != at) return Malformed("where the keys of a page begin");
    size_t page_bytes = 0;
    for (uint32_t i = 0; i < page.rows; ++i) {
      KeyHead head;
      if (!ReadKeyHead(block.keys_, &at, &head)) return Malformed("its keys");
      if (head.shared > (i == 0 ? 0 : key.size())) return Malformed("a key of nothing");
      const absl::string_view suffix = block.keys_.substr(at, head.suffix);
      at += head.suffix;
      // Of the two, what follows the shared part decides; in another page all of it.
      if (rows + i > 0 && absl::string_view(key).substr(head.shared) >= suffix)
        return Malformed("keys out of order");
      key.resize(head.shared);
      key.append(suffix.data(), suffix.size());
      if (key.empty() || key.size() > kRowKeyBytesMax) return Malformed("a key's length");
      if (rows + i == 0) block.first_ = key;
      page_bytes += head.row_bytes;
      block.has_deletes_ |= head.row_bytes == 0;
    }
    if (page_bytes != page.raw) return Malformed("the rows of a page");
    if (page.stored > page.raw) return Malformed("a page larger than its rows");
    rows += page.rows;
    raw += page.raw;
    data += page.stored;
  }
  if (at != block.keys_.size() || data != block.data_.size() || rows != block.rows_ ||
      raw > kPayloadBytesMax) {
    return Malformed("its size");
  }
  return opened;
}

absl::StatusOr<SortedRowsCursor> SortedRowsCursor::Open(std::shared_ptr<const std::string> block,
                                                        absl::string_view begin) {
  SortedRowsCursor cursor;
  GT_ASSIGN_OR_RETURN(cursor.rows_, SortedRows::Open(*block));
  cursor.block_ = std::move(block);
  GT_RETURN_IF_ERROR(cursor.EnterPage(0));
  GT_RETURN_IF_ERROR(cursor.Seek(begin));
  return cursor;
}

absl::Status SortedRowsCursor::Seek(absl::string_view begin) {
  if (!valid_ || key_ >= begin) return absl::OkStatus();
  // The last page whose first key is not above `begin`.
  size_t low = page_;
  size_t high = rows_.pages_.size();
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    size_t at = rows_.pages_[middle].keys;
    KeyHead head;
    if (!ReadKeyHead(rows_.keys_, &at, &head) || head.shared != 0) {
      valid_ = false;
      return Corrupt();
    }
    (rows_.keys_.substr(at, head.suffix) <= begin ? low : high) = middle;
  }
  if (low != page_) GT_RETURN_IF_ERROR(EnterPage(low));
  while (valid_ && key_ < begin) GT_RETURN_IF_ERROR(Next());
  return absl::OkStatus();
}

absl::Status SortedRowsCursor::EnterPage(size_t page) {
  valid_ = page < rows_.pages_.size();
  if (!valid_) return absl::OkStatus();
  page_ = page;
  in_page_ = 0;
  key_at_ = rows_.pages_[page].keys;
  row_at_ = row_bytes_ = 0;
  unpacked_ = false;
  return ReadKey();
}

absl::Status SortedRowsCursor::ReadKey() {
  KeyHead head;
  if (!ReadKeyHead(rows_.keys_, &key_at_, &head) || head.shared > key_.size()) {
    valid_ = false;
    return Corrupt();
  }
  key_.resize(head.shared);
  key_.append(rows_.keys_.data() + key_at_, head.suffix);
  key_at_ += head.suffix;
  row_bytes_ = head.row_bytes;
  return absl::OkStatus();
}

absl::Status SortedRowsCursor::Next() {
  if (++in_page_ == rows_.pages_[page_].rows) return EnterPage(page_ + 1);
  row_at_ += row_bytes_;
  return ReadKey();
}

absl::StatusOr<absl::string_view> SortedRowsCursor::row() {
  if (row_bytes_ == 0) return absl::string_view();
  const SortedRows::Page& page = rows_.pages_[page_];
  const absl::string_view stored = rows_.data_.substr(page.data, page.stored);
  absl::string_view rows = stored;
  if (page.stored != page.raw) {
    if (!unpacked_) {
      page_bytes_.resize(page.raw);
      const size_t size = ZSTD_decompressDCtx(ThreadUnpacker(), page_bytes_.data(),
                                              page_bytes_.size(), stored.data(), stored.size());
      if (ZSTD_isError(size) || size != page.raw) return Corrupt();
      unpacked_ = true;
    }
    rows = page_bytes_;
  }
  if (row_at_ + row_bytes_ > rows.size()) return Corrupt();
  return rows.substr(row_at_, row_bytes_);
}

absl::Status UnpackBlock(absl::string_view bytes, v1::RowBatch* rows) {
  GT_ASSIGN_OR_RETURN(SortedRowsCursor cursor,
                      SortedRowsCursor::Open(std::make_shared<const std::string>(bytes), ""));
  for (; cursor.Valid();) {
    GT_ASSIGN_OR_RETURN(const absl::string_view row, cursor.row());
    v1::RowChange* change = rows->add_changes();
    change->set_key(cursor.key().data(), cursor.key().size());
    if (!cursor.deleted()) change->set_row(row.data(), row.size());
    GT_RETURN_IF_ERROR(cursor.Next());
  }
  return absl::OkStatus();
}

}  // namespace guantong
