// The rows a push did not take, with reasons, beside the file they came from.
#ifndef GUANTONG_NODE_CLI_REJECT_FILE_H_
#define GUANTONG_NODE_CLI_REJECT_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "guantong/v1/data.pb.h"

namespace guantong {

// csv in UTF-8 with a byte order mark, so that spreadsheets read it: line, field, reason, then the
// columns of `header`. UNAVAILABLE file_unwritable.
absl::Status WriteRejects(const std::string& file, const std::vector<std::string>& header,
                          const std::vector<v1::RejectedRow>& rejects);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_REJECT_FILE_H_
