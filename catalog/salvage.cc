#include "catalog/salvage.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "catalog/base/status.h"

namespace guantong {
namespace {

// Ends are sought to this length.
constexpr size_t kBoundBytesMax = 96;

bool Readable(const Reader& store, const std::string& from, const std::string& end) {
  return !absl::IsDataLoss(store.Scan(from, end)->status());
}

unsigned FirstByte(const std::string& key) {
  return key.empty() ? 0 : static_cast<unsigned char>(key[0]);
}

// Half-way between two keys, low < high, or `low` when nothing of that length lies between.
std::string Between(const std::string& low, const std::string& high) {
  std::string sum(kBoundBytesMax + 1, 0);  // one byte for the carry
  unsigned carry = 0;
  for (size_t i = kBoundBytesMax; i-- > 0;) {
    const auto at = [i](const std::string& key) {
      return i < key.size() ? static_cast<unsigned char>(key[i]) : 0u;
    };
    const unsigned digit = at(low) + at(high) + carry;
    sum[i + 1] = static_cast<char>(digit & 0xff);
    carry = digit >> 8;
  }
  sum[0] = static_cast<char>(carry);
  std::string half(kBoundBytesMax, 0);
  for (size_t i = 0; i < kBoundBytesMax; ++i) {
    const unsigned pair =
        (static_cast<unsigned char>(sum[i]) & 1u) << 8 | static_cast<unsigned char>(sum[i + 1]);
    half[i] = static_cast<char>(pair >> 1);
  }
  return half <= low ? low : half;
}

// The first key behind all keys of the kind that `key` is of; empty: there is none.
std::string EndOfKind(const std::string& key) {
  const unsigned next = FirstByte(key) + 1;
  return next > 0xff ? std::string() : std::string(1, static_cast<char>(next));
}

// Where what cannot be read begins, `from` or a kind behind it: kinds that stand in other files
// than the damaged one end well before it, and of them nothing is lost.
std::string StartOfDamage(const Reader& store, const std::string& from) {
  std::string begin = from;
  for (std::string end = EndOfKind(begin); !end.empty(); end = EndOfKind(begin)) {
    if (!Readable(store, begin, end)) return begin;
    begin = std::move(end);
  }
  return from;
}

// The first key from which on keys of this kind can be read again, `bad` or one behind it, or the
// end of the kind: one block may hold several kinds, and between them others that stand elsewhere.
// Looks close by first: with damage in several places, what lies between them is not to be lost.
std::string EndOfDamage(const Reader& store, const std::string& bad) {
  const std::string end = EndOfKind(bad);
  if (Readable(store, bad, end)) return bad;
  std::string low = bad;
  std::string high = end;
  for (size_t i = bad.size(); i-- > 1;) {
    if (static_cast<unsigned char>(bad[i]) == 0xff) continue;
    std::string probe = bad.substr(0, i + 1);
    ++probe.back();
    if (Readable(store, probe, end)) {
      high = std::move(probe);
      break;
    }
    low = std::move(probe);
  }
  if (high.empty()) return "";
  low.resize(std::min(low.size(), kBoundBytesMax));
  while (true) {
    std::string middle = Between(low, high);
    if (middle <= low || middle >= high) return high;
    (Readable(store, middle, end) ? high : low) = std::move(middle);
  }
}

}  // namespace

bool Touches(const LostRange& range, absl::string_view prefix) {
  const absl::string_view begin(range.begin);
  if (!range.end.empty() && !(prefix < absl::string_view(range.end))) return false;
  return begin <= prefix || begin.substr(0, prefix.size()) == prefix;
}

absl::Status ScanAround(
    const Reader& store,
    const std::function<absl::Status(absl::string_view key, absl::string_view value)>& read,
    const std::function<void(LostRange)>& lost) {
  std::string from;
  std::string retried;
  while (true) {
    std::string last;
    bool any = false;
    auto cursor = store.Scan(from, "");
    for (; cursor->Valid(); cursor->Next()) {
      GT_RETURN_IF_ERROR(read(cursor->key(), cursor->value()));
      last.assign(cursor->key().data(), cursor->key().size());
      any = true;
    }
    const absl::Status status = cursor->status();
    if (status.ok()) return status;
    if (!absl::IsDataLoss(status)) return status;
    LostRange range{.begin = StartOfDamage(store, any ? last + std::string(1, 0) : from),
                    .end = ""};
    range.end = EndOfDamage(store, range.begin);
    // Bad once and good now: read again, but not for ever.
    if (range.end == range.begin) {
      if (range.begin == retried) return status;
      retried = range.begin;
    } else {
      lost(range);
    }
    if (range.end.empty()) return absl::OkStatus();
    from = range.end;
  }
}

}  // namespace guantong
