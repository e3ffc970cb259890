// The gRPC service of searches; see services.h.
#ifndef GUANTONG_NODE_RPC_SEARCH_SERVICE_H_
#define GUANTONG_NODE_RPC_SEARCH_SERVICE_H_

#include <memory>

namespace grpc {
class Service;
}

namespace guantong {

class Authoriser;
class Rulings;
class Searches;

std::unique_ptr<grpc::Service> MakeSearchService(Authoriser* authoriser, Searches* searches,
                                                 const Rulings* rulings);

}  // namespace guantong

#endif  // GUANTONG_NODE_RPC_SEARCH_SERVICE_H_
