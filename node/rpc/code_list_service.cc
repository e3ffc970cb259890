#include "guantong/v1/code_list.grpc.pb.h"
#include "node/code_lists.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class CodeListService final : public v1::CodeListService::Service {
 public:
  CodeListService(Authoriser* authoriser, CodeLists* lists)
      : authoriser_(authoriser), lists_(*lists) {}

  grpc::Status Import(grpc::ServerContext* context, const v1::ImportCodeListRequest* request,
                      v1::ImportCodeListResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.Import",
                 [&](const CallerIdentity&) { return Fill(lists_.Import(*request), response); });
  }
  grpc::Status List(grpc::ServerContext* context, const v1::ListCodeListsRequest* request,
                    v1::ListCodeListsResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.List",
                 [&](const CallerIdentity&) { return Fill(lists_.List(*request), response); });
  }
  grpc::Status Show(grpc::ServerContext* context, const v1::ShowCodeListRequest* request,
                    v1::ShowCodeListResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.Show",
                 [&](const CallerIdentity&) {
                   return Fill(lists_.Show(*request, DeadlineOf(*context)), response);
                 });
  }
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseCodeListRequest* request,
                     v1::HeldCodeList* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.Close",
                 [&](const CallerIdentity&) { return Fill(lists_.Close(*request), response); });
  }
  grpc::Status ImportMap(grpc::ServerContext* context, const v1::ImportCodeMapRequest* request,
                         v1::ImportCodeMapResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.ImportMap",
                 [&](const CallerIdentity&) { return Fill(lists_.ImportMap(*request), response); });
  }
  grpc::Status Map(grpc::ServerContext* context, const v1::MapCodesRequest* request,
                   v1::MapCodesResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.CodeListService.Map",
                 [&](const CallerIdentity&) { return Fill(lists_.Map(*request), response); });
  }

 private:
  Authoriser* const authoriser_;
  CodeLists& lists_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCodeListService(Authoriser* authoriser, CodeLists* lists) {
  return std::make_unique<CodeListService>(authoriser, lists);
}

}  // namespace guantong
