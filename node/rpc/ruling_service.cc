#include "guantong/v1/ruling.grpc.pb.h"
#include "node/entries/rulings.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class RulingService final : public v1::RulingService::Service {
 public:
  RulingService(Authoriser* authoriser, guantong::Rulings* rulings)
      : authoriser_(authoriser), rulings_(*rulings) {}

  grpc::Status Rule(grpc::ServerContext* context, const v1::RuleRequest* request,
                    v1::Ruling* response) override {
    return Serve(authoriser_, *context, "guantong.v1.RulingService.Rule",
                 [&](const CallerIdentity& caller) {
                   return Fill(rulings_.Rule(caller, *request), response);
                 });
  }
  grpc::Status Rulings(grpc::ServerContext* context, const v1::RulingsRequest* request,
                       v1::RulingsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.RulingService.Rulings",
                 [&](const CallerIdentity&) { return Fill(rulings_.List(*request), response); });
  }

 private:
  Authoriser* const authoriser_;
  guantong::Rulings& rulings_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRulingService(Authoriser* authoriser, Rulings* rulings) {
  return std::make_unique<RulingService>(authoriser, rulings);
}

}  // namespace guantong
