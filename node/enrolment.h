// Admission: tokens for children, their certificates, the departments of this node, and who may
// link.
#ifndef GUANTONG_NODE_ENROLMENT_H_
#define GUANTONG_NODE_ENROLMENT_H_

#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "guantong/storage/v1/store.pb.h"
#include "guantong/v1/enrolment.pb.h"
#include "guantong/v1/node.pb.h"
#include "node/rules.h"
#include "node/site.h"

namespace guantong {

// Any thread; waits for commits. Changes are made one at a time.
class Enrolment {
 public:
  Enrolment(const Site* site, const Rules* rules) : site_(*site), rules_(*rules) {}

  // The root is a member that nobody admitted: it writes itself down at its first start.
  absl::Status Begin();

  absl::StatusOr<v1::InviteResponse> Invite(const v1::InviteRequest& request);

  // One effect however often it is repeated with one key. Errors: enrolment.proto; refusals are
  // logged with `peer`.
  absl::StatusOr<v1::EnrolResponse> Enrol(const v1::EnrolRequest& request, const std::string& peer);

  // A child's chain anew. Refusals are logged with `peer`.
  absl::StatusOr<v1::EnrolResponse> Renew(const v1::RenewRequest& request, const std::string& peer);

  absl::StatusOr<v1::AddDepartmentResponse> AddDepartment(const v1::AddDepartmentRequest& request);

  // May this node link with us? PERMISSION_DENIED not_our_parent, not_admitted, path_mismatch,
  // removed.
  absl::Status AuthorisePeer(const VerifiedChain& peer, bool is_parent) const;

 private:
  absl::StatusOr<v1::EnrolResponse> TryEnrol(const v1::EnrolRequest& request);
  absl::StatusOr<v1::EnrolResponse> TryRenew(const v1::RenewRequest& request);
  absl::StatusOr<storage::v1::StoredToken> FindToken(const Reader& snapshot,
                                                     const std::string& secret_hash) const;
  absl::StatusOr<std::string> FreeLabel(const Reader& snapshot, const std::string& division) const;
  absl::StatusOr<v1::Member> OwnChild(const Reader& snapshot, const std::string& node_id) const;

  const Site& site_;
  const Rules& rules_;
  std::mutex mutex_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENROLMENT_H_
