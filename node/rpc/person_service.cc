#include "guantong/v1/person.grpc.pb.h"
#include "node/persons.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class PersonService final : public v1::PersonService::Service {
 public:
  PersonService(Authoriser* authoriser, Persons* persons)
      : authoriser_(authoriser), persons_(*persons) {}

  grpc::Status Add(grpc::ServerContext* context, const v1::AddPersonRequest* request,
                   v1::AddPersonResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.PersonService.Add",
                 [&](const CallerIdentity& caller) {
                   return Fill(persons_.Add(caller, *request), response);
                 });
  }
  grpc::Status HandOver(grpc::ServerContext* context, const v1::HandOverRequest* request,
                        v1::HandOverResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.PersonService.HandOver",
                 [&](const CallerIdentity& caller) {
                   return Fill(persons_.HandOver(caller, *request), response);
                 });
  }
  grpc::Status Disable(grpc::ServerContext* context, const v1::DisablePersonRequest* request,
                       v1::Person* response) override {
    return Serve(authoriser_, *context, "guantong.v1.PersonService.Disable",
                 [&](const CallerIdentity& caller) {
                   return Fill(persons_.Disable(caller, *request), response);
                 });
  }
  grpc::Status List(grpc::ServerContext* context, const v1::ListPersonsRequest* request,
                    v1::ListPersonsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.PersonService.List",
                 [&](const CallerIdentity& caller) {
                   return Fill(persons_.List(caller, *request), response);
                 });
  }

 private:
  Authoriser* const authoriser_;
  Persons& persons_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakePersonService(Authoriser* authoriser, Persons* persons) {
  return std::make_unique<PersonService>(authoriser, persons);
}

}  // namespace guantong
