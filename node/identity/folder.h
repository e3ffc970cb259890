// The files of D/identity, and how long what stands in them lives. For the identity sources only.
//
// `chain.pem` is written last: with it the folder holds an identity, without it init or join begins
// again and keeps the signing key, so that a parent that has bound its token to that key answers
// the retry alike.
#ifndef GUANTONG_NODE_IDENTITY_FOLDER_H_
#define GUANTONG_NODE_IDENTITY_FOLDER_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/base/signature.h"
#include "guantong/v1/feed.pb.h"

namespace guantong {

inline constexpr absl::Duration kClockSkew =
    absl::Minutes(10);  // certificates begin so far in the past
inline constexpr absl::Duration kRootLifetime = absl::Hours(24 * 365 * 20);
inline constexpr absl::Duration kProfileLifetime = absl::Hours(24 * 365 * 2);

class IdentityFolder {
 public:
  explicit IdentityFolder(const std::string& dir) : path_(dir + "/identity") {}

  const std::string& path() const { return path_; }
  std::string SigningKeyFile() const { return path_ + "/signing.key"; }
  std::string Chain() const { return path_ + "/chain.pem"; }
  std::string TlsKey() const { return path_ + "/tls.key"; }
  std::string TlsChain() const { return path_ + "/tls.pem"; }
  std::string Moving() const { return path_ + "/moving"; }         // a move that is not finished
  std::string ParentPin() const { return path_ + "/parent.pin"; }  // hex

 private:
  std::string path_;
};

// FAILED_PRECONDITION identity_exists.
absl::Status CheckUnused(const IdentityFolder& folder);

// Chain and pin of another parent, and its address in node.yaml: first as one file, so that a crash
// leaves all or nothing, then each in its place.
absl::Status TakePlace(const std::string& dir, const std::string& address,
                       const std::string& parent, const v1::CertificateChain& chain);

// Made once and kept.
absl::StatusOr<SigningKey> KeptSigningKey(const IdentityFolder& folder);

}  // namespace guantong

#endif  // GUANTONG_NODE_IDENTITY_FOLDER_H_
