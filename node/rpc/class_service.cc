#include "guantong/v1/class.grpc.pb.h"
#include "node/classes.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"

namespace guantong {
namespace {

class ClassService final : public v1::ClassService::Service {
 public:
  ClassService(Authoriser* authoriser, guantong::Classes* classes)
      : authoriser_(authoriser), classes_(*classes) {}

  grpc::Status Import(grpc::ServerContext* context, const v1::ImportClassesRequest* request,
                      v1::ImportClassesResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ClassService.Import",
                 [&](const CallerIdentity&) { return Fill(classes_.Import(*request), response); });
  }
  grpc::Status Classes(grpc::ServerContext* context, const v1::ClassesRequest* request,
                       v1::ClassesResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ClassService.Classes",
                 [&](const CallerIdentity&) { return Fill(classes_.List(*request), response); });
  }
  grpc::Status Delegate(grpc::ServerContext* context, const v1::DelegateClassRequest* request,
                        v1::ClassNode* response) override {
    return Serve(
        authoriser_, *context, "guantong.v1.ClassService.Delegate",
        [&](const CallerIdentity&) { return Fill(classes_.Delegate(*request), response); });
  }
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseClassRequest* request,
                     v1::ClassNode* response) override {
    return Serve(authoriser_, *context, "guantong.v1.ClassService.Close",
                 [&](const CallerIdentity&) { return Fill(classes_.Close(*request), response); });
  }

 private:
  Authoriser* const authoriser_;
  guantong::Classes& classes_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeClassService(Authoriser* authoriser, Classes* classes) {
  return std::make_unique<ClassService>(authoriser, classes);
}

}  // namespace guantong
