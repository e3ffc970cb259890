// Unified social credit codes (GB 32100-2015) of departments that do not exist.
#ifndef GUANTONG_TESTS_NETWORK_USCC_H_
#define GUANTONG_TESTS_NETWORK_USCC_H_

#include <string>

#include "absl/strings/string_view.h"

namespace guantong::test {

// A valid code of a state organ (11) of a division of six digits; `number` tells departments of one
// division apart.
std::string FictitiousUscc(absl::string_view division, int number);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_USCC_H_
