// What is said of rows and pushes that are not taken in.
#ifndef GUANTONG_NODE_PUSH_REFUSALS_H_
#define GUANTONG_NODE_PUSH_REFUSALS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/data.pb.h"
#include "node/pushed_rows.h"

namespace guantong {

// CANCELLED push_broken.
absl::Status SenderGone();
// FAILED_PRECONDITION schema_changed.
absl::Status SchemaChanged(absl::string_view table);
// INVALID_ARGUMENT row_invalid; `field` may be empty.
absl::Status RowInvalid(uint64_t line, absl::string_view field, absl::string_view why);

// Counts a row that is left out, and lists it with its values (`row`, or null) while the list has
// room.
void Reject(uint64_t line, absl::string_view field, absl::string_view reason, const PushedRow* row,
            v1::PushResponse* response);

}  // namespace guantong

#endif  // GUANTONG_NODE_PUSH_REFUSALS_H_
