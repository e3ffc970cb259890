// The gRPC services of people and programs. Each method is admitted (rpc/authorise.h) and handed to
// the part that does it; nothing is decided here. The parts outlive the services.
#ifndef GUANTONG_NODE_RPC_SERVICES_H_
#define GUANTONG_NODE_RPC_SERVICES_H_

#include <memory>

namespace grpc {
class Service;
}

namespace guantong {

class Approvals;
class Authoriser;
class Bindings;
class Catalogue;
class Classes;
class CodeLists;
class Demands;
class Doctor;
class Drafts;
class Enrolment;
class Overview;
class Persons;
class Publication;
class PushDesk;
class Readers;
class Questions;
class QuestionStreams;
class Rulings;
class Subscriptions;
class Trace;
class Upkeep;
class Versions;
class Worklist;
struct Site;

std::unique_ptr<grpc::Service> MakeEnrolmentService(Authoriser* authoriser, Enrolment* enrolment);
struct CatalogServiceParts {
  Catalogue* catalogue;
  Drafts* drafts;
  Approvals* approvals;
  Publication* publication;
  Bindings* bindings;
  Readers* readers;
};
std::unique_ptr<grpc::Service> MakeCatalogService(Authoriser* authoriser,
                                                  const CatalogServiceParts& parts);
std::unique_ptr<grpc::Service> MakeClassService(Authoriser* authoriser, Classes* classes);
std::unique_ptr<grpc::Service> MakeRulingService(Authoriser* authoriser, Rulings* rulings);
std::unique_ptr<grpc::Service> MakePersonService(Authoriser* authoriser, Persons* persons);
std::unique_ptr<grpc::Service> MakeCodeListService(Authoriser* authoriser, CodeLists* lists);
std::unique_ptr<grpc::Service> MakeDemandService(Authoriser* authoriser, Demands* demands);
std::unique_ptr<grpc::Service> MakeReviewService(Authoriser* authoriser, Approvals* approvals,
                                                 Versions* versions, Worklist* worklist,
                                                 Readers* readers);
std::unique_ptr<grpc::Service> MakeDataService(Authoriser* authoriser, PushDesk* pushes,
                                               Questions* questions, QuestionStreams* streams,
                                               Subscriptions* subscriptions);

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
