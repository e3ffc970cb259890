// Identities of simulated nodes: real keys and real certificate chains, the same for a path in
// every run, made once per process.
#ifndef GUANTONG_TESTS_SIM_IDENTITY_H_
#define GUANTONG_TESTS_SIM_IDENTITY_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/base/node_path.h"
#include "relay/core/engine.h"

namespace guantong::sim {

// Where virtual time begins.
absl::Time Dawn();

// A P-256 key that `name` determines.
SigningKey KeyNamed(absl::string_view name);

// The node at `path` in the network whose root is at the empty path. `who` makes others at the same
// path.
const EngineIdentity& IdentityAt(const NodePath& path, absl::string_view who = "");

// The same key below `parent`, by a certificate later than the one it had; and as a root of its
// own.
const EngineIdentity& IssuedBy(const EngineIdentity& parent, const EngineIdentity& former,
                               absl::string_view label);
const EngineIdentity& AloneAs(const EngineIdentity& former);

// VerifyChainLinks, each chain once per process: thousands of nodes learn the same chains.
absl::StatusOr<VerifiedChain> VerifyChainOnce(const v1::CertificateChain& chain,
                                              absl::string_view network);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_IDENTITY_H_
