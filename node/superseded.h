// Records that a new epoch has cut off (after a fork, or a restore that could not wait for
// everybody), one by one, for whoever has to bring them in again.
#ifndef GUANTONG_NODE_SUPERSEDED_H_
#define GUANTONG_NODE_SUPERSEDED_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/store.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

// `resource` as in SupersededRequest. At most kSupersededListedMax records; then `more`. DATA_LOSS
// when a kept batch cannot be read. Any thread.
absl::StatusOr<v1::SupersededResponse> ListSuperseded(const Reader& store,
                                                      absl::string_view resource);

}  // namespace guantong

#endif  // GUANTONG_NODE_SUPERSEDED_H_
