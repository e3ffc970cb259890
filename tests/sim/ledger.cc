#include "tests/sim/ledger.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tests/sim/random.h"

namespace guantong::sim {

const std::vector<std::string>& MarkKeys() {
  static const auto* keys = new std::vector<std::string>{"a-mark", "h-mark", "p-mark", "z-mark"};
  return *keys;
}

std::string MarkRow(uint64_t push) {
  v1::Row row;
  row.add_values("mark");
  row.add_values(absl::StrCat(push));
  return row.SerializeAsString();
}

uint64_t PushOfMark(absl::string_view bytes) {
  v1::Row row;
  uint64_t push = 0;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || row.values_size() != 2 ||
      !absl::SimpleAtoi(row.values(1), &push)) {
    return 0;
  }
  return push;
}

std::string NameOfVersion(uint64_t version) { return absl::StrCat("目录 ", version); }

uint64_t VersionOf(const v1::CatalogEntry& entry) {
  const absl::string_view name = entry.name();
  uint64_t version = 0;
  const size_t space = name.find(' ');
  return space != name.npos && absl::SimpleAtoi(name.substr(space + 1), &version) ? version : 0;
}

std::string PushId(uint64_t push) { return absl::StrFormat("push %011d", push); }

uint64_t NumberOfPush(absl::string_view push_id) {
  uint64_t push = 0;
  return absl::ConsumePrefix(&push_id, "push ") && absl::SimpleAtoi(push_id, &push) ? push : 0;
}

uint64_t DigestOf(const Content& content) {
  uint64_t hash = 1;
  for (const auto& [key, row] : content) hash = HashOf(row, HashOf("=", HashOf(key, hash)));
  return hash;
}

}  // namespace guantong::sim
