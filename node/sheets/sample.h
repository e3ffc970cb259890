// A draft entry from a sample of its data: items with types and lengths as the values show them.
//
// What a sample cannot show (class, abstract, sharing) is left for people; the draft says what is
// missing. A type is taken where every value of the column has it, else text: figures with leading
// zeros or of one length are codes, and codes are text.
#ifndef GUANTONG_NODE_SHEETS_SAMPLE_H_
#define GUANTONG_NODE_SHEETS_SAMPLE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"
#include "node/sheets/sheet.h"

namespace guantong {

// The first sheet with a header: the first row in which nearly all columns are filled. `name` is
// the entry's. INVALID_ARGUMENT sample_empty.
absl::StatusOr<v1::CatalogEntry> EntryOfSample(const std::vector<Sheet>& sheets,
                                               absl::string_view name);

// An entry file with remarks on what is to be filled in; entry_form reads it.
std::string DraftYaml(const v1::CatalogEntry& entry);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_SAMPLE_H_
