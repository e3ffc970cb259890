// The reason of a status, for what tests expect.
#ifndef GUANTONG_TESTS_UNIT_REASONS_H_
#define GUANTONG_TESTS_UNIT_REASONS_H_

#include <string>

#include "catalog/base/status.h"

namespace guantong {

inline std::string ReasonOf(const absl::Status& status) { return DetailOf(status).reason; }

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_REASONS_H_
