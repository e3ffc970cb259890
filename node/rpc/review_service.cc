#include "guantong/v1/review.grpc.pb.h"
#include "node/entries/approvals.h"
#include "node/entries/versions.h"
#include "node/entries/worklist.h"
#include "node/readers.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class ReviewService final : public v1::ReviewService::Service {
 public:
  ReviewService(Authoriser* authoriser, Approvals* approvals, Versions* versions,
                Worklist* worklist, Readers* readers)
      : authoriser_(authoriser),
        approvals_(*approvals),
        versions_(*versions),
        worklist_(*worklist),
        readers_(*readers) {}

  grpc::Status Submit(grpc::ServerContext* context, const v1::ReviewRequest* request,
                      v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Submit",
                 [&](const CallerIdentity& caller) {
                   return Fill(approvals_.Submit(caller, *request), response);
                 });
  }
  grpc::Status Recall(grpc::ServerContext* context, const v1::ReviewRequest* request,
                      v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Recall",
                 [&](const CallerIdentity& caller) {
                   return Fill(approvals_.Recall(caller, *request), response);
                 });
  }
  grpc::Status Approve(grpc::ServerContext* context, const v1::ReviewRequest* request,
                       v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Approve",
                 [&](const CallerIdentity& caller) {
                   return Fill(readers_.Named(approvals_.Approve(caller, *request), request->code(),
                                              caller, DeadlineOf(*context)),
                               response);
                 });
  }
  grpc::Status Return(grpc::ServerContext* context, const v1::ReviewRequest* request,
                      v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Return",
                 [&](const CallerIdentity& caller) {
                   return Fill(approvals_.Return(caller, *request), response);
                 });
  }
  grpc::Status Refuse(grpc::ServerContext* context, const v1::ReviewRequest* request,
                      v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Refuse",
                 [&](const CallerIdentity& caller) {
                   return Fill(approvals_.Refuse(caller, *request), response);
                 });
  }
  grpc::Status Todo(grpc::ServerContext* context, const v1::TodoRequest*,
                    v1::TodoResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.ReviewService.Todo",
        [&](const CallerIdentity& caller) { return Fill(worklist_.Todo(caller), response); });
  }
  grpc::Status Mine(grpc::ServerContext* context, const v1::MineRequest*,
                    v1::MineResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.ReviewService.Mine",
        [&](const CallerIdentity& caller) { return Fill(worklist_.Mine(caller), response); });
  }
  grpc::Status Why(grpc::ServerContext* context, const v1::WhyRequest* request,
                   v1::WhyResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Why",
                 [&](const CallerIdentity& caller) {
                   return Fill(worklist_.Why(caller, *request), response);
                 });
  }
  grpc::Status History(grpc::ServerContext* context, const v1::HistoryRequest* request,
                       v1::HistoryResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.ReviewService.History",
        [&](const CallerIdentity&) { return Fill(versions_.History(*request), response); });
  }
  grpc::Status Diff(grpc::ServerContext* context, const v1::DiffRequest* request,
                    v1::DiffResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ReviewService.Diff",
                 [&](const CallerIdentity& caller) {
                   return Fill(versions_.Diff(caller, *request), response);
                 });
  }

 private:
  Authoriser* const authoriser_;
  Approvals& approvals_;
  Versions& versions_;
  Worklist& worklist_;
  Readers& readers_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeReviewService(Authoriser* authoriser, Approvals* approvals,
                                                 Versions* versions, Worklist* worklist,
                                                 Readers* readers) {
  return std::make_unique<ReviewService>(authoriser, approvals, versions, worklist, readers);
}

}  // namespace guantong
