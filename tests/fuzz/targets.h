// What is fuzzed: functions of bytes that must end without a fault of memory, undefined behaviour,
// or a broken promise (GT_CHECK). The fuzzer runs one of them (entry_point.cc); the test suite runs
// all of them over the corpus (replay_test.cc).
#ifndef GUANTONG_TESTS_FUZZ_TARGETS_H_
#define GUANTONG_TESTS_FUZZ_TARGETS_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace guantong::fuzz {

// Frames of an authenticated neighbour that lies: as a child to its parent, as a parent to its
// child. A bystander must have every row.
void Frames(absl::string_view input);
// Files of rows: the first byte chooses csv, tsv or jsonl and the encoding.
void RowFiles(absl::string_view input);
// Entries, node settings, as YAML and JSON.
void Forms(absl::string_view input);
// Tokens, conditions, paths, batches, manifests, rows.
void Words(absl::string_view input);
// Workbooks and cells of the national sheet: what is read as an entry is written and read the same.
void Sheets(absl::string_view input);

struct Target {
  absl::string_view name;  // also of its corpus folder
  void (*run)(absl::string_view input);
};
const std::vector<Target>& Targets();

}  // namespace guantong::fuzz

#endif  // GUANTONG_TESTS_FUZZ_TARGETS_H_
