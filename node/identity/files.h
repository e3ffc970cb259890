// The small files of an identity: read whole, replaced whole. Keys are for the owner's eyes only.
#ifndef GUANTONG_NODE_IDENTITY_FILES_H_
#define GUANTONG_NODE_IDENTITY_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

bool FileExists(const std::string& file);

// NOT_FOUND file_missing; UNAVAILABLE file_unreadable, also when it is larger than a chain can be.
absl::StatusOr<std::string> ReadSmallFile(const std::string& file);

// Mode 0600, durable on return; a crash leaves the old content or the new. UNAVAILABLE
// file_unwritable.
absl::Status ReplaceFile(const std::string& file, absl::string_view content);

// Mode 0700, with its parents. UNAVAILABLE file_unwritable.
absl::Status MakeFolder(const std::string& folder);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_FILES_H_
