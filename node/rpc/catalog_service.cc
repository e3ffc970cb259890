#include "guantong/v1/catalog.grpc.pb.h"
#include "node/catalogue.h"
#include "node/entries/approvals.h"
#include "node/entries/bindings.h"
#include "node/entries/drafts.h"
#include "node/entries/import_stream.h"
#include "node/entries/publication.h"
#include "node/readers.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class CatalogService final : public v1::CatalogService::Service {
 public:
  CatalogService(Authoriser* authoriser, const CatalogServiceParts& parts)
      : authoriser_(authoriser),
        catalogue_(*parts.catalogue),
        drafts_(*parts.drafts),
        approvals_(*parts.approvals),
        publication_(*parts.publication),
        bindings_(*parts.bindings),
        readers_(*parts.readers) {}

  grpc::Status Register(grpc::ServerContext* context, const v1::RegisterRequest* request,
                        v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Register",
                 [&](const CallerIdentity& caller) {
                   return Fill(drafts_.Register(caller, *request), response);
                 });
  }
  grpc::Status Edit(grpc::ServerContext* context, const v1::RegisterRequest* request,
                    v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Edit",
                 [&](const CallerIdentity& caller) {
                   return Fill(
                       readers_.Named(drafts_.Edit(caller, *request), request->entry().code(),
                                      caller, DeadlineOf(*context)),
                       response);
                 });
  }
  grpc::Status Publish(grpc::ServerContext* context, const v1::EntryRequest* request,
                       v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Publish",
                 [&](const CallerIdentity& caller) {
                   v1::ReviewRequest approval;
                   approval.set_code(request->code());
                   approval.set_reason(request->reason());
                   return Fill(readers_.Named(approvals_.TakesPublish(caller, request->code())
                                                  ? approvals_.Approve(caller, approval)
                                                  : publication_.Publish(caller, *request),
                                              request->code(), caller, DeadlineOf(*context)),
                               response);
                 });
  }
  grpc::Status Withdraw(grpc::ServerContext* context, const v1::EntryRequest* request,
                        v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Withdraw",
                 [&](const CallerIdentity& caller) {
                   return Fill(publication_.Withdraw(caller, *request), response);
                 });
  }
  grpc::Status Import(grpc::ServerContext* context, grpc::ServerReader<v1::ImportRequest>* reader,
                      v1::ImportResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.CatalogService.Import",
        [&](const CallerIdentity& caller) {
          const auto request =
              GatherImport([reader](v1::ImportRequest* part) { return reader->Read(part); });
          if (!request.ok()) return request.status();
          return Fill(drafts_.Import(caller, *request,
                                     [&](const absl::Status& refused, const std::string& code) {
                                       return readers_
                                           .Named(absl::StatusOr<v1::CatalogEntry>(refused), code,
                                                  caller, DeadlineOf(*context))
                                           .status();
                                     }),
                      response);
        });
  }
  grpc::Status Suspend(grpc::ServerContext* context, const v1::EntryRequest* request,
                       v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Suspend",
                 [&](const CallerIdentity& caller) {
                   return Fill(publication_.Suspend(caller, *request), response);
                 });
  }
  grpc::Status Bind(grpc::ServerContext* context, const v1::BindRequest* request,
                    v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Bind",
                 [&](const CallerIdentity& caller) {
                   return Fill(bindings_.Bind(caller, *request), response);
                 });
  }
  grpc::Status Unbind(grpc::ServerContext* context, const v1::UnbindRequest* request,
                      v1::CatalogEntry* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CatalogService.Unbind",
                 [&](const CallerIdentity& caller) {
                   return Fill(bindings_.Unbind(caller, *request), response);
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

 private:
  Authoriser* const authoriser_;
  Catalogue& catalogue_;
  Drafts& drafts_;
  Approvals& approvals_;
  Publication& publication_;
  Bindings& bindings_;
  Readers& readers_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCatalogService(Authoriser* authoriser,
                                                  const CatalogServiceParts& parts) {
  return std::make_unique<CatalogService>(authoriser, parts);
}

}  // namespace guantong
