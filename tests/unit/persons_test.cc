// People of a department: profiles, contacts and work move together; a profile ends with its
// person.
#include "node/persons.h"

#include "catalog/base/signature.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

class Staff : public Office {
 public:
  // Adds a person with the roles; the caller's identity is by the key of the first.
  struct One {
    v1::Person person;
    CallerIdentity editor, approver;
  };
  One Add(const std::string& name, const std::vector<std::string>& roles) {
    v1::AddPersonRequest request;
    request.mutable_person()->set_name(name);
    request.mutable_person()->set_phone("0971-" + name);
    One one;
    for (const std::string& role : roles) {
      const SigningKey key = SigningKey::Generate().value();
      v1::ProfileKey* wanted = request.add_keys();
      wanted->set_role(role);
      wanted->set_public_key(key.public_key());
      CallerIdentity& caller = role == "editor" ? one.editor : one.approver;
      caller = As(role == "editor" ? CertificateRole::kEditor : CertificateRole::kApprover,
                  kOurUscc, "x");
      caller.key_digest = Sha256(key.public_key());
    }
    const auto added = node.persons().Add(approver(), request);
    REQUIRE(added.ok());
    CHECK(added->certificates_size() == static_cast<int>(roles.size()));
    one.person = added->person();
    return one;
  }
  static v1::HandOverRequest To(const One& from, const One& to) {
    v1::HandOverRequest request;
    request.set_from(from.person.id());
    request.set_to(to.person.id());
    request.set_reason("调离");
    return request;
  }
};

TEST_CASE("persons: added by an approver or the operator, a key is one person's") {
  Staff staff;
  LoneNode& node = staff.node;
  v1::AddPersonRequest request;
  request.mutable_person()->set_name("王芳");
  CHECK(ReasonOf(node.persons().Add(staff.editor(), request).status()) == "not_your_department");
  request.mutable_person()->set_uscc(kSupervisorUscc);
  CHECK(ReasonOf(node.persons().Add(staff.approver(), request).status()) == "not_your_department");
  request.mutable_person()->set_uscc(kOurUscc);
  v1::ProfileKey* key = request.add_keys();
  key->set_role("editor");
  key->set_public_key(SigningKey::Generate().value().public_key());
  const auto added = node.persons().Add(staff.approver(), request);
  REQUIRE(added.ok());
  CHECK(added->person().id() == "P000001");
  CHECK(ReasonOf(node.persons().Add(staff.approver(), request).status()) == "key_in_use");
  key->set_role("auditor");
  CHECK(ReasonOf(node.persons().Add(staff.approver(), request).status()) == "person_invalid");
  CHECK(node.persons().List(staff.editor(), {})->persons_size() == 1);
  CHECK(node.persons().List(staff.supervisor(), {})->persons_size() == 0);
}

TEST_CASE("persons: one who holds both roles approves nothing of his own") {
  Staff staff;
  LoneNode& node = staff.node;
  const auto both = staff.Add("王芳", {"editor", "approver"});
  const std::string code = staff.Draft();
  REQUIRE(node.approvals().Submit(both.editor, Office::Of(code)).ok());
  CHECK(ReasonOf(node.approvals().Approve(both.approver, Office::Of(code)).status()) ==
        "own_draft");
  CHECK(node.approvals().Approve(staff.approver(), Office::Of(code)).ok());
  CHECK(staff.History(code).acts(1).by().person_name() == "王芳");
}

TEST_CASE("persons: a contact that names a person is the person's") {
  Staff staff;
  const auto one = staff.Add("王芳", {"editor"});
  const std::string code =
      staff.Draft([&](auto* entry) { entry->mutable_contact()->set_person(one.person.id()); });
  const auto shown =
      staff.node.catalogue().Show(staff.editor(), code, absl::InfiniteFuture())->entry();
  CHECK(shown.contact().name() == "王芳");
  CHECK(shown.contact().phone() == "0971-王芳");
  v1::RegisterRequest request;
  *request.mutable_entry() = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
  request.mutable_entry()->mutable_responsible()->set_person("P000099");
  const auto refused = staff.node.drafts().Register(staff.editor(), request);
  CHECK(ReasonOf(refused.status()) == "entry_invalid");
  CHECK(DetailOf(refused.status()).subject == "responsible.person");
}

TEST_CASE("persons: work, contacts and role move together, the old profile ends") {
  Staff staff;
  LoneNode& node = staff.node;
  const auto old = staff.Add("王芳", {"editor", "approver"});
  const auto young = staff.Add("李强", {"editor"});
  const auto named = [&](auto* entry) { entry->mutable_contact()->set_person(old.person.id()); };
  const std::string published = staff.Draft(named), suspended = staff.Draft(named);
  staff.Publish(published);
  staff.Publish(suspended);
  v1::EntryRequest why = LoneNode::OfCode(suspended);
  why.set_reason("核对");
  REQUIRE(node.publication().Suspend(staff.approver(), why).ok());
  const std::string draft = staff.Draft();
  REQUIRE(node.approvals().Submit(old.editor, Office::Of(draft)).ok());

  v1::DisablePersonRequest end;
  end.set_id(old.person.id());
  CHECK(ReasonOf(node.persons().Disable(staff.approver(), end).status()) == "person_has_work");
  v1::HandOverRequest request = Staff::To(old, young);
  CHECK(ReasonOf(node.persons().HandOver(staff.approver(), request).status()) == "keys_missing");
  const SigningKey key = SigningKey::Generate().value();
  v1::ProfileKey* wanted = request.add_keys();
  wanted->set_role("approver");
  wanted->set_public_key(key.public_key());
  const auto done = node.persons().HandOver(staff.approver(), request);
  REQUIRE(done.ok());
  CHECK(done->entries() == 2);
  CHECK(done->drafts() == 1);
  CHECK(done->from().successor() == young.person.id());
  CHECK(done->to().roles_size() == 2);
  for (const std::string& code : {published, suspended}) {
    const auto entry = node.catalogue().Show(staff.editor(), code, absl::InfiniteFuture())->entry();
    CHECK(entry.contact().name() == "李强");
    CHECK(entry.contact().person() == young.person.id());
    CHECK(entry.state() ==
          (code == published ? v1::ENTRY_STATE_PUBLISHED : v1::ENTRY_STATE_SUSPENDED));
    CHECK(staff.History(code).acts().rbegin()->kind() == v1::ACT_KIND_HAND_OVER);
  }
  // Whoever has taken over a submitted draft does not approve it.
  CallerIdentity successor = staff.approver();
  successor.key_digest = Sha256(key.public_key());
  CHECK(ReasonOf(node.approvals().Approve(successor, Office::Of(draft)).status()) == "own_draft");
  CHECK(ReasonOf(node.persons().HandOver(staff.approver(), Staff::To(old, young)).status()) ==
        "person_disabled");
  CHECK(node.persons().Disable(staff.approver(), end).ok());
}

}  // namespace
}  // namespace guantong
