#include "catalog/spare.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "catalog/base/status.h"
#include "catalog/keys.h"

namespace guantong {
namespace {

constexpr size_t kPieces = 64;
constexpr size_t kColumns = 8;
constexpr size_t kCheckBytes = 4;
constexpr size_t kMarkBytes = 16;
// Further from each other than one stretch that can be mended is long.
constexpr size_t kMarkedPieces[] = {0, 21, 42};

size_t PieceBytes(size_t block) { return (block + kPieces - 1) / kPieces; }

absl::string_view Piece(absl::string_view block, size_t piece) {
  const size_t bytes = PieceBytes(block.size());
  return block.substr(std::min(block.size(), piece * bytes), bytes);
}

// Says where to look, no more, so it is made for speed: a word and a product for eight bytes.
uint32_t CheckOf(absl::string_view piece) {
  uint64_t sum = piece.size();
  const auto take = [&](const char* from, size_t bytes) {
    uint64_t word = 0;
    std::memcpy(&word, from, bytes);
    sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
    sum ^= sum >> 29;
  };
  size_t at = 0;
  for (; at + 8 <= piece.size(); at += 8) take(piece.data() + at, 8);
  if (at < piece.size()) take(piece.data() + at, piece.size() - at);
  return static_cast<uint32_t>(sum >> 32);
}

void Xor(absl::string_view from, char* into) {
  size_t i = 0;
  for (; i + 8 <= from.size(); i += 8) {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, from.data() + i, 8);
    std::memcpy(&b, into + i, 8);
    a ^= b;
    std::memcpy(into + i, &a, 8);
  }
  for (; i < from.size(); ++i) into[i] = static_cast<char>(into[i] ^ from[i]);
}

std::vector<size_t> Damaged(const storage::v1::BlockSpare& spare, absl::string_view block) {
  std::vector<size_t> damaged;
  for (size_t i = 0; i < kPieces; ++i) {
    const absl::string_view check =
        absl::string_view(spare.checks()).substr(i * kCheckBytes, kCheckBytes);
    if (ReadBigEndian32(check) != CheckOf(Piece(block, i))) damaged.push_back(i);
  }
  return damaged;
}

bool Fits(const storage::v1::BlockSpare& spare, size_t block) {
  return spare.parity().size() == kColumns * PieceBytes(block) &&
         spare.checks().size() == kPieces * kCheckBytes &&
         spare.marks().size() == std::size(kMarkedPieces) * kMarkBytes;
}

}  // namespace

storage::v1::BlockSpare MakeSpare(absl::string_view block) {
  GT_CHECK(block.size() >= kSpareBlockBytesMin);
  const size_t bytes = PieceBytes(block.size());
  storage::v1::BlockSpare spare;
  std::string parity(kColumns * bytes, 0);
  std::string* const checks = spare.mutable_checks();
  for (size_t i = 0; i < kPieces; ++i) {
    const absl::string_view piece = Piece(block, i);
    Xor(piece, parity.data() + i % kColumns * bytes);
    AppendBigEndian32(CheckOf(piece), checks);
  }
  spare.set_parity(std::move(parity));
  for (const size_t piece : kMarkedPieces) {
    const absl::string_view mark = block.substr(piece * bytes, kMarkBytes);
    spare.mutable_marks()->append(mark.data(), mark.size());
  }
  return spare;
}

bool MendBlock(const storage::v1::BlockSpare& spare, std::string* block) {
  if (!Fits(spare, block->size())) return false;
  const size_t bytes = PieceBytes(block->size());
  const std::vector<size_t> damaged = Damaged(spare, *block);
  std::vector<bool> taken(kColumns, false);
  for (const size_t piece : damaged) {
    if (taken[piece % kColumns]) return false;
    taken[piece % kColumns] = true;
  }
  for (const size_t piece : damaged) {
    const size_t column = piece % kColumns;
    std::string made = spare.parity().substr(column * bytes, bytes);
    for (size_t i = column; i < kPieces; i += kColumns) {
      if (i != piece) Xor(Piece(*block, i), made.data());
    }
    const size_t size = Piece(*block, piece).size();
    block->replace(piece * bytes, size, made, 0, size);
  }
  return Damaged(spare, *block).empty();
}

std::string FindBlock(absl::string_view file, const storage::v1::BlockSpare& spare, size_t bytes,
                      absl::FunctionRef<bool(const std::string&)> is_right) {
  if (!Fits(spare, bytes)) return "";
  for (size_t i = 0; i < std::size(kMarkedPieces); ++i) {
    const std::string mark = spare.marks().substr(i * kMarkBytes, kMarkBytes);
    const size_t before = kMarkedPieces[i] * PieceBytes(bytes);
    size_t from = 0;
    while (from < file.size()) {
      const void* const found =
          ::memmem(file.data() + from, file.size() - from, mark.data(), mark.size());
      if (found == nullptr) break;
      const auto at = static_cast<size_t>(static_cast<const char*>(found) - file.data());
      from = at + 1;
      if (at < before || at - before + bytes > file.size()) continue;
      std::string block(file.substr(at - before, bytes));
      if (MendBlock(spare, &block) && is_right(block)) return block;
    }
  }
  return "";
}

}  // namespace guantong
