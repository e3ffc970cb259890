// A node under approvals with a department and the supervising authority of its division.
#ifndef GUANTONG_TESTS_UNIT_OFFICE_H_
#define GUANTONG_TESTS_UNIT_OFFICE_H_

#include <functional>
#include <memory>
#include <string>

#include "catalog/keys.h"
#include "guantong/storage/v1/store.pb.h"
#include "tests/catch.h"
#include "tests/unit/lone_node.h"

namespace guantong {

inline constexpr char kSupervisorUscc[] = "11630102MB00000031";

class Office {
 public:
  explicit Office(int approvals = 2) : node(std::make_unique<MemoryStore>(), approvals) {
    AddDepartment(kOurUscc, "民政局", false);
    AddDepartment(kSupervisorUscc, "数据局", true);
  }

  CallerIdentity As(CertificateRole role, const std::string& uscc, const std::string& key) const {
    CallerIdentity caller = node.Editor(uscc);
    caller.role = role;
    caller.key_digest = std::string(32, key[0]);
    return caller;
  }
  CallerIdentity editor() const { return As(CertificateRole::kEditor, kOurUscc, "e"); }
  CallerIdentity approver() const { return As(CertificateRole::kApprover, kOurUscc, "a"); }
  CallerIdentity supervisor() const { return As(CertificateRole::kApprover, kSupervisorUscc, "s"); }

  std::string Draft(const std::function<void(v1::CatalogEntry*)>& change = nullptr) {
    v1::RegisterRequest request;
    *request.mutable_entry() = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
    if (change) change(request.mutable_entry());
    const auto entry = node.drafts().Register(editor(), request);
    REQUIRE(entry.ok());
    return entry->code();
  }
  absl::Status Edit(const std::string& code, const std::function<void(v1::CatalogEntry*)>& change) {
    v1::RegisterRequest request;
    *request.mutable_entry() =
        node.catalogue().Show(editor(), code, absl::InfiniteFuture())->entry();
    change(request.mutable_entry());
    return node.drafts().Edit(editor(), request).status();
  }
  static v1::ReviewRequest Of(const std::string& code, const std::string& reason = "") {
    v1::ReviewRequest request;
    request.set_code(code);
    request.set_reason(reason);
    return request;
  }
  void Publish(const std::string& code) {
    REQUIRE(node.approvals().Submit(editor(), Of(code)).ok());
    REQUIRE(node.approvals().Approve(approver(), Of(code)).ok());
    REQUIRE(node.approvals().Approve(supervisor(), Of(code)).ok());
  }
  v1::WhyResponse Why(const std::string& code) {
    v1::WhyRequest request;
    request.set_code(code);
    return *node.worklist().Why(editor(), request);
  }
  v1::HistoryResponse History(const std::string& code) {
    v1::HistoryRequest request;
    request.set_code(code);
    return *node.versions().History(request);
  }

  void AddDepartment(const std::string& uscc, const std::string& name, bool supervising,
                     const std::string& division = "630102") {
    storage::v1::StoredDepartment stored;
    stored.mutable_department()->set_uscc(uscc);
    stored.mutable_department()->set_division(division);
    stored.mutable_department()->set_name(name);
    stored.mutable_department()->set_supervising(supervising);
    WriteSet writes;
    writes.Put(DepartmentKey(uscc), stored.SerializeAsString());
    GT_CHECK(node.driver().WriteOwn(std::move(writes)).ok());
  }

  LoneNode node;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_OFFICE_H_
