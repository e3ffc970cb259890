#include "node/rpc/search_service.h"

#include "guantong/v1/search.grpc.pb.h"
#include "node/entries/rulings.h"
#include "node/rpc/serve.h"
#include "node/searches.h"

namespace guantong {
namespace {

class SearchService final : public v1::SearchService::Service {
 public:
  SearchService(Authoriser* authoriser, Searches* searches, const Rulings* rulings)
      : authoriser_(authoriser), searches_(*searches), rulings_(*rulings) {}

  grpc::Status Find(grpc::ServerContext* context, const v1::FindRequest* request,
                    v1::FindResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.SearchService.Find",
                 [&](const CallerIdentity& caller) {
                   auto found = searches_.Find(*request, caller, DeadlineOf(*context),
                                               rulings_.HiddenInDivision(caller));
                   if (found.ok()) rulings_.Describe(&*found);
                   return Fill(std::move(found), response);
                 });
  }
  grpc::Status Browse(grpc::ServerContext* context, const v1::BrowseRequest* request,
                      v1::BrowseResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.SearchService.Browse",
                 [&](const CallerIdentity& caller) {
                   *response = searches_.Browse(*request, rulings_.HiddenInDivision(caller));
                   return absl::OkStatus();
                 });
  }

 private:
  Authoriser* const authoriser_;
  Searches& searches_;
  const Rulings& rulings_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSearchService(Authoriser* authoriser, Searches* searches,
                                                 const Rulings* rulings) {
  return std::make_unique<SearchService>(authoriser, searches, rulings);
}

}  // namespace guantong
