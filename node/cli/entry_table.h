// Catalogue entries for people: one line each, or everything about one.
#ifndef GUANTONG_NODE_CLI_ENTRY_TABLE_H_
#define GUANTONG_NODE_CLI_ENTRY_TABLE_H_

#include <string>
#include <vector>

#include "guantong/v1/catalog.pb.h"
#include "node/cli/invocation.h"
#include "node/cli/table.h"

namespace guantong {

Table EntrySummary(const std::vector<v1::ShowResponse>& entries);
// One entry that a command has changed: its document, and its line.
void EmitEntry(const Invocation& invocation, const v1::CatalogEntry& entry);
// Tags of all levels that have ruled on it.
std::string TagsOf(const v1::ShowResponse& shown);
Table EntryDetails(const v1::ShowResponse& shown);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_ENTRY_TABLE_H_
