// Catalogue entries as files, YAML or JSON with the same names: the message's own field names
// (design, section 5).
//
// What the node gives (state, version, node, updated_at, schema_version, items_withheld,
// publication_date, aliases, state_reason, template_version, warnings) may stand in the file and is
// ignored, and so is what `show` prints around an entry: `show -o json` feeds `edit`.
#ifndef GUANTONG_NODE_FORM_ENTRY_FORM_H_
#define GUANTONG_NODE_FORM_ENTRY_FORM_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// By extension: .yaml, .yml, .json. INVALID_ARGUMENT file_kind_unknown, form_malformed,
// key_unknown, key_repeated, value_malformed, each with file:line; NOT_FOUND file_absent. Shape
// only: the rules of an entry are the node's.
absl::StatusOr<v1::CatalogEntry> ReadEntryFile(const std::string& file);

enum class EntrySyntax { kYaml, kJson };
absl::StatusOr<v1::CatalogEntry> ParseEntry(absl::string_view text, EntrySyntax syntax,
                                            absl::string_view source);

// An entry with where it stands, as one document: the entry's own keys first, so that it is an
// entry file too, then provider_path, provider_node_name, hops, rulings, and `draft` where there is
// one. An entry that was never published is its draft.
nlohmann::ordered_json ShownEntryJson(const v1::ShowResponse& shown);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_ENTRY_FORM_H_
