// Writing a small file that must be there whole or not at all, and never over one that exists.
#ifndef GUANTONG_NODE_NEW_FILE_H_
#define GUANTONG_NODE_NEW_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace guantong {

// Durable on return. ALREADY_EXISTS file_exists; UNAVAILABLE file_unwritable.
absl::Status WriteNewFile(const std::string& file, absl::string_view content, unsigned mode);

}  // namespace guantong

#endif  // GUANTONG_NODE_NEW_FILE_H_
