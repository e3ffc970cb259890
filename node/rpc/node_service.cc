#include "guantong/v1/node.grpc.pb.h"
#include "node/doctor.h"
#include "node/enrolment.h"
#include "node/overview.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"
#include "node/superseded.h"
#include "node/trace.h"
#include "node/upkeep/upkeep.h"

namespace guantong {
namespace {

class NodeService final : public v1::NodeService::Service {
 public:
  NodeService(Authoriser* authoriser, const NodeServiceParts& parts)
      : authoriser_(authoriser), parts_(parts) {}

  grpc::Status Invite(grpc::ServerContext* context, const v1::InviteRequest* request,
                      v1::InviteResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.NodeService.Invite",
        [&](const CallerIdentity&) { return Fill(parts_.enrolment->Invite(*request), response); });
  }
  grpc::Status AddDepartment(grpc::ServerContext* context, const v1::AddDepartmentRequest* request,
                             v1::AddDepartmentResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.AddDepartment",
                 [&](const CallerIdentity&) {
                   return Fill(parts_.enrolment->AddDepartment(*request), response);
                 });
  }
  grpc::Status Tree(grpc::ServerContext* context, const v1::TreeRequest*,
                    v1::TreeResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Tree",
                 [&](const CallerIdentity&) { return Fill(parts_.overview->Tree(), response); });
  }
  grpc::Status Status(grpc::ServerContext* context, const v1::StatusRequest*,
                      v1::StatusResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Status",
                 [&](const CallerIdentity&) {
                   GT_RETURN_IF_ERROR(Fill(parts_.overview->Status(), response));
                   parts_.upkeep->Describe(response);
                   return absl::OkStatus();
                 });
  }
  grpc::Status Feeds(grpc::ServerContext* context, const v1::FeedsRequest* request,
                     v1::FeedsResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.NodeService.Feeds",
        [&](const CallerIdentity&) { return Fill(parts_.overview->Feeds(*request), response); });
  }
  grpc::Status Links(grpc::ServerContext* context, const v1::LinksRequest*,
                     v1::LinksResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Links",
                 [&](const CallerIdentity&) { return Fill(parts_.overview->Links(), response); });
  }
  grpc::Status Superseded(grpc::ServerContext* context, const v1::SupersededRequest* request,
                          v1::SupersededResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Superseded",
                 [&](const CallerIdentity&) {
                   return Fill(ListSuperseded(*parts_.site->store->Snapshot(), request->resource()),
                               response);
                 });
  }
  grpc::Status Trace(grpc::ServerContext* context, const v1::TraceRequest* request,
                     v1::TraceResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.NodeService.Trace", [&](const CallerIdentity& caller) {
          return Fill(parts_.trace->Run(caller, request->what(), DeadlineOf(*context)), response);
        });
  }
  grpc::Status Doctor(grpc::ServerContext* context, const v1::DoctorRequest*,
                      v1::DoctorResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Doctor",
                 [&](const CallerIdentity&) {
                   *response = parts_.doctor->Examine(DeadlineOf(*context));
                   return absl::OkStatus();
                 });
  }
  grpc::Status Verify(grpc::ServerContext* context, const v1::VerifyRequest* request,
                      v1::VerifyResponse* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.NodeService.Verify", [&](const CallerIdentity& caller) {
          if (request->code().empty()) return Fill(parts_.upkeep->Verify(), response);
          return Fill(
              parts_.upkeep->copies().Compare(caller, request->code(), DeadlineOf(*context)),
              response);
        });
  }
  grpc::Status Backup(grpc::ServerContext* context, const v1::BackupRequest* request,
                      grpc::ServerWriter<v1::BackupProgress>* writer) override {
    return Serve(authoriser_, *context, "guantong.v1.NodeService.Backup",
                 [&](const CallerIdentity&) {
                   v1::BackupProgress progress;
                   progress.set_bytes_total(parts_.site->store->Usage().disk_bytes);
                   GT_ASSIGN_OR_RETURN(v1::Backup made,
                                       parts_.upkeep->BackUp(request->to(), [&](uint64_t bytes) {
                                         progress.set_bytes(bytes);
                                         writer->Write(progress);
                                       }));
                   *progress.mutable_done() = std::move(made);
                   writer->Write(progress);
                   return absl::OkStatus();
                 });
  }

 private:
  Authoriser* const authoriser_;
  const NodeServiceParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeNodeService(Authoriser* authoriser,
                                               const NodeServiceParts& parts) {
  return std::make_unique<NodeService>(authoriser, parts);
}

}  // namespace guantong
