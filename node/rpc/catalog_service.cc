#include "guantong/v1/catalog.grpc.pb.h"
#include "node/catalogue.h"
#include "node/finder.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class CatalogService final : public v1::CatalogService::Service {
 public:
  CatalogService(Authoriser* authoriser, Catalogue* catalogue, Finder* finder)
      : authoriser_(authoriser), catalogue_(*catalogue), finder_(*finder) {}

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Register",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.Register(caller, request->entry()), response);
                 });
  }
  grpc::Status Edit(grpc::ServerContext* context, const v1::RegisterRequest* request,
                    v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Edit",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.Edit(caller, request->entry()), response);
                 });
  }
  grpc::Status Publish(grpc::ServerContext* context, const v1::EntryRequest* request,
                       v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Publish",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.Publish(caller, request->code()), response);
                 });
  }
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::EntryRequest* request,
                        v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Withdraw",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.Withdraw(caller, request->code()), response);
                 });
  }
  grpc::Status Show(grpc::ServerContext* context, const v1::EntryRequest* request,
                    v1::ShowResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Show",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.Show(caller, request->code(), DeadlineOf(*context)),
                               response);
                 });
  }
  grpc::Status List(grpc::ServerContext* context, const v1::ListRequest* request,
                    v1::EntryList* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.List",
                 [&](const CallerIdentity& caller) {
                   return Fill(catalogue_.List(caller, *request), response);
                 });
  }
  grpc::Status Search(grpc::ServerContext* context, const v1::SearchRequest* request,
                      v1::EntryList* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Search",
                 [&](const CallerIdentity& caller) {
                   return Fill(finder_.Search(*request, caller, DeadlineOf(*context)), response);
                 });
  }

 private:
  Authoriser* const authoriser_;
  Catalogue& catalogue_;
  Finder& finder_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCatalogService(Authoriser* authoriser, Catalogue* catalogue,
                                                  Finder* finder) {
  return std::make_unique<CatalogService>(authoriser, catalogue, finder);
}

}  // namespace guantong
