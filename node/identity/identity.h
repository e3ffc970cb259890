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

// How long what a node issues lives, never past its own chain, and how long before its end it is
// made anew: so much, or half of a shorter life.
struct CertificateTerms {
  absl::Duration child = absl::Hours(24 * 365 * 5);
  absl::Duration tls = absl::Hours(24 * 397);
  absl::Duration renew_before = absl::Hours(24 * 60);
};

struct Identity {
  SigningKey signing_key;
  v1::CertificateChain chain;  // issuing certificate first, root last
  VerifiedChain self;          // of `chain`
  SigningKey tls_key;
  std::string tls_chain_pem;   // leaf, then `chain`
  std::string parent_node_id;  // pin, empty at the root
  CertificateTerms terms;
  absl::Time renew_chain_at;  // what the parent issued; at the root its own
  absl::Time renew_tls_at;
};

// A root: new keys, self-signed issuing certificate, TLS leaf. FAILED_PRECONDITION when the folder
// already holds an identity.
absl::Status CreateRootIdentity(const std::string& dir, const std::string& name);

// A move that was cut off; OK when there is none.
absl::Status FinishMove(const std::string& dir);

// Loads and checks everything; errors name the file and the remedy. A move that was cut off is
// finished, and the TLS leaf made anew when it comes near its end or the chain is another one. The
// root makes its own certificate anew, with the same key.
absl::StatusOr<Identity> LoadIdentity(const std::string& dir, const CertificateTerms& terms = {});

// The certificates as they stand in the folder now; changes with every renewal and move.
std::string IdentityStamp(const std::string& dir);

// Asks the parent to issue the chain anew, also when the one held has run out or the parent stands
// elsewhere now: the parent is known by its NodeId, this node by its key. True when the folder
// holds another chain now. Errors carry the parent's reason.
absl::StatusOr<bool> RenewIdentity(const std::string& dir, const std::string& address);

// This node moves below another parent, or joins a network, with its key, its store and all that is
// below it. Returns the path given; said again after a failure it goes on where it stopped.
absl::StatusOr<std::string> MoveIdentity(const std::string& dir, const std::string& address,
                                         const std::string& token, const std::string& division,
                                         const std::string& name, v1::Level level);

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
absl::Status CheckRenewProof(const v1::RenewRequest& request, absl::string_view parent);
// Later than `former`, the narrowest begin of the chain the child had: of two the later one counts.
absl::StatusOr<v1::CertificateChain> IssueChild(const Identity& parent, const std::string& label,
                                                const std::string& name, const std::string& spki,
                                                absl::Time former = absl::InfinitePast());
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
