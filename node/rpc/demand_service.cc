#include "guantong/v1/demand.grpc.pb.h"
#include "node/demands/demands.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class DemandService final : public v1::DemandService::Service {
 public:
  DemandService(Authoriser* authoriser, Demands* demands)
      : authoriser_(authoriser), demands_(*demands) {}

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterDemandRequest* request,
                        v1::DemandView* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.Register",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.Say(caller, *request), response);
                 });
  }
  grpc::Status Import(grpc::ServerContext* context, const v1::ImportDemandsRequest* request,
                      v1::ImportDemandsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.Import",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.Import(caller, *request), response);
                 });
  }
  grpc::Status List(grpc::ServerContext* context, const v1::ListDemandsRequest* request,
                    v1::ListDemandsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.List",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.List(caller, *request, DeadlineOf(*context)), response);
                 });
  }
  grpc::Status Show(grpc::ServerContext* context, const v1::ShowDemandRequest* request,
                    v1::DemandView* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.DemandService.Show", [&](const CallerIdentity& caller) {
          return Fill(demands_.Show(caller, request->id(), DeadlineOf(*context)), response);
        });
  }
  grpc::Status Answer(grpc::ServerContext* context, const v1::AnswerDemandRequest* request,
                      v1::DemandView* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.Answer",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.Answer(caller, *request, DeadlineOf(*context)), response);
                 });
  }
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseDemandRequest* request,
                     v1::DemandView* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.Close",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.Close(caller, *request, DeadlineOf(*context)), response);
                 });
  }
  grpc::Status Count(grpc::ServerContext* context, const v1::CountDemandsRequest*,
                     v1::CountDemandsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DemandService.Count",
                 [&](const CallerIdentity& caller) {
                   return Fill(demands_.Count(caller, DeadlineOf(*context)), response);
                 });
  }

 private:
  Authoriser* const authoriser_;
  Demands& demands_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDemandService(Authoriser* authoriser, Demands* demands) {
  return std::make_unique<DemandService>(authoriser, demands);
}

}  // namespace guantong
