// Rules of a catalogue entry (编制指南 2017 and domain practice); texts Chinese first.
#ifndef GUANTONG_CATALOG_ENTRY_H_
#define GUANTONG_CATALOG_ENTRY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/division.h"
#include "catalog/rule_book.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// Trims (white space of any script), upper-cases USCC, gives resource ids "1".. where absent, fills
// from what is there: field names from english_name, sharing modes and format from the resources.
// Returns warnings of what people should write otherwise.
std::vector<v1::Problem> NormaliseEntry(v1::CatalogEntry* entry);

// What people write of an entry, in one form: without what the node gives, empty parts gone. Two
// entries an editor would call the same have the same.
v1::CatalogEntry WrittenPart(v1::CatalogEntry entry);
bool SameEntry(const v1::CatalogEntry& a, const v1::CatalogEntry& b);
// Nothing of it but contacts differs.
bool OnlyContactsDiffer(const v1::CatalogEntry& a, const v1::CatalogEntry& b);

// All problems, not only the first, warnings among them. What packs of rules may weigh otherwise is
// taken from `rules`.
std::vector<v1::Problem> CheckEntry(const v1::CatalogEntry& entry, const RulesOfDay& rules = {});

// Of entries that come in one file: what dragging a cell down leaves behind, and names that differ
// by spaces and punctuation only. One list for each entry, in order; warnings.
std::vector<std::vector<v1::Problem>> CheckTogether(const std::vector<v1::CatalogEntry>& entries);

// OK, or INVALID_ARGUMENT entry_invalid listing every problem that is no warning.
absl::Status RefuseProblems(const std::vector<v1::Problem>& problems);
absl::Status ValidateEntry(const v1::CatalogEntry& entry, const RulesOfDay& rules = {});

// A name without spaces and punctuation, letters in one case and one width.
std::string PlainName(absl::string_view name);

// GB 32100-2015.
bool IsUscc(absl::string_view code);
// The division inside a USCC.
std::string DivisionOfUscc(absl::string_view uscc);

// "CODE" or "CODE:id" -> code and resource id ("" when not given). INVALID_ARGUMENT code_malformed.
struct ResourceRef {
  std::string code;
  std::string id;
};
absl::StatusOr<ResourceRef> ParseResourceRef(absl::string_view text);

// `<class>/<division><6-digit serial>`
std::string MakeCode(absl::string_view entry_class, absl::string_view division, uint64_t serial);

// The public half of a not-shared entry: no items, items_withheld set.
v1::CatalogEntry OpenHalf(const v1::CatalogEntry& entry);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ENTRY_H_
