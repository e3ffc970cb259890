// Who this node is, on disk and in TLS. Folder D/identity: signing.key, issuing chain (chain.pem),
// tls.key, tls.pem, parent.pin. Loaded once at start; `Identity` is immutable and any thread may
// use it.
#ifndef GUANTONG_NODE_IDENTITY_IDENTITY_H_
#define GUANTONG_NODE_IDENTITY_IDENTITY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/base/signature.h"
#include "guantong/v1/enrolment.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

struct Identity {
  SigningKey signing_key;
  v1::CertificateChain chain;  // issuing certificate first, root last
  VerifiedChain self;          // of `chain`
  SigningKey tls_key;
  std::string tls_chain_pem;   // leaf, then `chain`
  std::string parent_node_id;  // pin, empty at the root
};

// A root: new keys, self-signed issuing certificate, TLS leaf. FAILED_PRECONDITION when the folder
// already holds an identity.
absl::Status CreateRootIdentity(const std::string& dir, const std::string& name);

// Loads and checks everything; errors name the file and the remedy. The TLS leaf is made anew when
// it has less than 60 days to live.
absl::StatusOr<Identity> LoadIdentity(const std::string& dir);

// The joiner's half of enrolment: dials `address`, checks the server's chain against the token's
// pins BEFORE anything is sent, sends the request, verifies and stores the answer. The signing key
// is made once and kept, so that it can be retried. Returns what the parent answered. Errors carry
// the parent's reason, or token_malformed, pin_mismatch.
absl::StatusOr<v1::EnrolResponse> JoinNetwork(const std::string& dir, const std::string& address,
                                              const std::string& token, const std::string& division,
                                              const std::string& name, v1::Level level);

// Token text <-> message.
std::string EncodeToken(const v1::JoinToken& token);
absl::StatusOr<v1::JoinToken> DecodeToken(absl::string_view text);

// The parent's half, pure: what is signed and checked. Storage of tokens is the caller's.
absl::Status CheckEnrolProof(const v1::EnrolRequest& request, absl::string_view network);
absl::StatusOr<v1::CertificateChain> IssueChild(const Identity& parent, const std::string& label,
                                                const std::string& name, const std::string& spki);
absl::StatusOr<v1::CertificateChain> IssueProfile(const Identity& node, CertificateRole role,
                                                  const std::string& uscc, const std::string& name,
                                                  const std::string& spki);

// A profile file (YAML): node address, network, node id, role, certificate chain (PEM) and private
// key (PEM) inline.
struct Profile {
  std::string node;     // HOST:PORT
  std::string network;  // 32 bytes
  std::string node_id;  // of the node it speaks to
  std::string role;     // operator, editor, approver
  std::string uscc;
  std::string certificate_pem;
  std::string key_pem;
};
absl::Status SaveProfile(const std::string& file, const Profile& profile);  // mode 0600
absl::StatusOr<Profile> LoadProfile(const std::string& file);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_IDENTITY_H_
