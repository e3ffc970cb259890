// The gRPC services of people and programs. Each method is admitted (rpc/authorise.h) and handed to
// the part that does it; nothing is decided here. The parts outlive the services.
#ifndef GUANTONG_NODE_RPC_SERVICES_H_
#define GUANTONG_NODE_RPC_SERVICES_H_

#include <memory>

namespace grpc {
class Service;
}

namespace guantong {

class Authoriser;
class Catalogue;
class Doctor;
class Enrolment;
class Finder;
class Overview;
class PushDesk;
class Questions;
class Subscriptions;
class Trace;
class Upkeep;
struct Site;

std::unique_ptr<grpc::Service> MakeEnrolmentService(Authoriser* authoriser, Enrolment* enrolment);
std::unique_ptr<grpc::Service> MakeCatalogService(Authoriser* authoriser, Catalogue* catalogue,
                                                  Finder* finder);
std::unique_ptr<grpc::Service> MakeDataService(Authoriser* authoriser, PushDesk* pushes,
                                               Questions* questions, Subscriptions* subscriptions);

struct NodeServiceParts {
  const Site* site;
  Enrolment* enrolment;
  Overview* overview;
  Trace* trace;
  Doctor* doctor;
  Upkeep* upkeep;
};
std::unique_ptr<grpc::Service> MakeNodeService(Authoriser* authoriser,
                                               const NodeServiceParts& parts);

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_SERVICES_H_
