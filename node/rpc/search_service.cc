#include "node/rpc/search_service.h"

#include "guantong/v1/search.grpc.pb.h"
#include "node/rpc/serve.h"
#include "node/searches.h"

namespace guantong {
namespace {

class SearchService final : public v1::SearchService::Service {
 public:
  SearchService(Authoriser* authoriser, Searches* searches)
      : authoriser_(authoriser), searches_(*searches) {}

  grpc::Status Find(grpc::ServerContext* context, const v1::FindRequest* request,
                    v1::FindResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.SearchService.Find",
                 [&](const CallerIdentity& caller) {
                   return Fill(searches_.Find(*request, caller, DeadlineOf(*context)), response);
                 });
  }
  grpc::Status Browse(grpc::ServerContext* context, const v1::BrowseRequest* request,
                      v1::BrowseResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.SearchService.Browse",
                 [&](const CallerIdentity&) {
                   *response = searches_.Browse(*request);
                   return absl::OkStatus();
                 });
  }

 private:
  Authoriser* const authoriser_;
  Searches& searches_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSearchService(Authoriser* authoriser, Searches* searches) {
  return std::make_unique<SearchService>(authoriser, searches);
}

}  // namespace guantong
