// What a commit is on its way to the disk: records with length and checksum, one for each write
// set. A crash leaves a prefix of the bytes, the last sector of which may be rubbish; what is whole
// before that is what was written.
#ifndef GUANTONG_TESTS_SIM_JOURNAL_H_
#define GUANTONG_TESTS_SIM_JOURNAL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/store.h"

namespace guantong::sim {

void AppendToJournal(const WriteSet& writes, std::string* journal);

// The write sets up to the first that is cut short or damaged. `torn`: something came after them.
std::vector<WriteSet> ReadJournal(absl::string_view journal, bool* torn);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_JOURNAL_H_
