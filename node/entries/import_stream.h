// The messages of one import, put together.
#ifndef GUANTONG_NODE_ENTRIES_IMPORT_STREAM_H_
#define GUANTONG_NODE_ENTRIES_IMPORT_STREAM_H_

#include <functional>

#include "absl/status/statusor.h"
#include "guantong/v1/catalog.pb.h"

namespace guantong {

// `read` fills in the next message, false at the end of the stream. FAILED_PRECONDITION
// import_broken: it ended before the message that says so; INVALID_ARGUMENT import_too_large.
absl::StatusOr<v1::ImportRequest> GatherImport(const std::function<bool(v1::ImportRequest*)>& read);

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_IMPORT_STREAM_H_
