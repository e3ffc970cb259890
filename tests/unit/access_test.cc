// Every rpc says beside itself who may call it; one that forgets is refused to all.
#include <google/protobuf/descriptor.h>

#include "guantong/v1/access.pb.h"
#include "guantong/v1/catalog.pb.h"
#include "guantong/v1/class.pb.h"
#include "guantong/v1/data.pb.h"
#include "guantong/v1/enrolment.pb.h"
#include "guantong/v1/node.pb.h"
#include "guantong/v1/person.pb.h"
#include "guantong/v1/review.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("Every method of every service declares its access") {
  const google::protobuf::FileDescriptor* files[] = {
      v1::EntryRequest::descriptor()->file(), v1::PushRequest::descriptor()->file(),
      v1::EnrolRequest::descriptor()->file(), v1::StatusRequest::descriptor()->file(),
      v1::ClassNode::descriptor()->file(),    v1::Person::descriptor()->file(),
      v1::ReviewRequest::descriptor()->file()};
  int methods = 0;
  for (const auto* file : files) {
    REQUIRE(file->service_count() == 1);
    const auto* service = file->service(0);
    for (int i = 0; i < service->method_count(); ++i, ++methods) {
      INFO(service->method(i)->full_name());
      const v1::Access access = service->method(i)->options().GetExtension(v1::access);
      CHECK(access != v1::ACCESS_UNSPECIFIED);
      // Only the joiner has no certificate of this network yet.
      CHECK((access == v1::ACCESS_ANY_CERTIFICATE) == (service->name() == "EnrolmentService"));
    }
  }
  CHECK(methods > 20);
}

}  // namespace
}  // namespace guantong
