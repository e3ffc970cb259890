// What a joiner signs to show that it holds the key it presents.
#ifndef GUANTONG_NODE_IDENTITY_PROOF_H_
#define GUANTONG_NODE_IDENTITY_PROOF_H_

#include <string>

#include "absl/strings/string_view.h"

namespace guantong {

// As enrolment.proto has it: bound to network, token and key.
std::string EnrolProofMessage(absl::string_view network, absl::string_view secret,
                              absl::string_view spki);

// The same for a renewal: bound to parent, key and the chain held.
std::string RenewProofMessage(absl::string_view parent, absl::string_view spki,
                              absl::string_view former_digest);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_PROOF_H_
