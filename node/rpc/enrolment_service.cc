#include "guantong/v1/enrolment.grpc.pb.h"
#include "node/enrolment.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class EnrolmentService final : public v1::EnrolmentService::Service {
 public:
  EnrolmentService(Authoriser* authoriser, Enrolment* enrolment)
      : authoriser_(authoriser), enrolment_(*enrolment) {}

  grpc::Status Enrol(grpc::ServerContext* context, const v1::EnrolRequest* request,
                     v1::EnrolResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.EnrolmentService.Enrol",
                 [&](const CallerIdentity&) {
                   return Fill(enrolment_.Enrol(*request, context->peer()), response);
                 });
  }

  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                     v1::EnrolResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.EnrolmentService.Renew",
                 [&](const CallerIdentity&) {
                   return Fill(enrolment_.Renew(*request, context->peer()), response);
                 });
  }

 private:
  Authoriser* const authoriser_;
  Enrolment& enrolment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEnrolmentService(Authoriser* authoriser, Enrolment* enrolment) {
  return std::make_unique<EnrolmentService>(authoriser, enrolment);
}

}  // namespace guantong
