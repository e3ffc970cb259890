#include "guantong/v1/data.grpc.pb.h"
#include "node/push.h"
#include "node/query.h"
#include "node/rpc/question_streams.h"
#include "node/rpc/serve.h"
#include "node/rpc/services.h"
#include "node/subscriptions.h"

namespace guantong {
namespace {

class DataService final : public v1::DataService::WithCallbackMethod_Query<
                              v1::DataService::WithCallbackMethod_Ask<v1::DataService::Service>> {
 public:
  DataService(Authoriser* authoriser, PushDesk* pushes, Questions* questions,
              QuestionStreams* streams, guantong::Subscriptions* subscriptions)
      : authoriser_(authoriser),
        pushes_(*pushes),
        questions_(*questions),
        streams_(*streams),
        subscriptions_(*subscriptions) {}

  grpc::Status Push(grpc::ServerContext* context, grpc::ServerReader<v1::PushRequest>* reader,
                    v1::PushResponse* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DataService.Push",
                 [&](const CallerIdentity& caller) {
                   return Fill(pushes_.Take(caller, StreamOf(context, reader)), response);
                 });
  }
  grpc::Status Pushes(grpc::ServerContext* context,
                      grpc::ServerReaderWriter<v1::PushAnswer, v1::PushRequest>* stream) override {
    constexpr const char* kMethod = "guantong.v1.DataService.Pushes";
    return Serve(authoriser_, *context, kMethod, [&](const CallerIdentity&) {
      return pushes_.TakeAll(
          StreamOf(context, stream),
          // The stream outlives certificates and appointments.
          [&] { return authoriser_->Admit(MethodNamed(kMethod), *context); },
          [&](const absl::StatusOr<v1::PushResponse>& made) { stream->Write(AnswerOf(made)); });
    });
  }
  // Most questions go to another node and wait for it: no thread does.
  grpc::ServerUnaryReactor* Query(grpc::CallbackServerContext* context,
                                  const v1::QueryRequest* request,
                                  v1::QueryResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    ServeLater(authoriser_, *context, "guantong.v1.DataService.Query", reactor,
               [&](const CallerIdentity& caller) {
                 questions_.Query(caller, *request, DeadlineOf(*context),
                                  [reactor, response](absl::StatusOr<v1::QueryResponse> made) {
                                    reactor->Finish(ToGrpc(Fill(std::move(made), response)));
                                  });
               });
    return reactor;
  }
  QuestionStreams::Reactor* Ask(grpc::CallbackServerContext* context) override {
    return streams_.Open(context);
  }
  grpc::Status Subscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                         v1::Subscription* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DataService.Subscribe",
                 [&](const CallerIdentity& caller) {
                   return Fill(subscriptions_.Subscribe(caller, *request, DeadlineOf(*context)),
                               response);
                 });
  }
  grpc::Status Unsubscribe(grpc::ServerContext* context, const v1::SubscribeRequest* request,
                           v1::Subscription* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DataService.Unsubscribe",
                 [&](const CallerIdentity&) {
                   return Fill(subscriptions_.Unsubscribe(*request), response);
                 });
  }
  grpc::Status Subscriptions(grpc::ServerContext* context, const v1::SubscriptionsRequest*,
                             v1::SubscriptionList* response) override {
    return Serve(authoriser_, *context, "guantong.v1.DataService.Subscriptions",
                 [&](const CallerIdentity&) { return Fill(subscriptions_.List(), response); });
  }

 private:
  static PushSource StreamOf(grpc::ServerContext* context,
                             grpc::internal::ReaderInterface<v1::PushRequest>* reader) {
    return {.read = [reader](v1::PushRequest* request) { return reader->Read(request); },
            .broken = [context] { return context->IsCancelled(); },
            .cancel = [context] { context->TryCancel(); }};
  }
  static v1::PushAnswer AnswerOf(const absl::StatusOr<v1::PushResponse>& made) {
    v1::PushAnswer answer;
    if (made.ok()) {
      *answer.mutable_response() = *made;
      return answer;
    }
    const grpc::Status status = ToGrpc(made.status());
    answer.set_code(status.error_code());
    answer.set_message(status.error_message());
    answer.set_detail(status.error_details());
    return answer;
  }

  Authoriser* const authoriser_;
  PushDesk& pushes_;
  Questions& questions_;
  QuestionStreams& streams_;
  guantong::Subscriptions& subscriptions_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDataService(Authoriser* authoriser, PushDesk* pushes,
                                               Questions* questions, QuestionStreams* streams,
                                               Subscriptions* subscriptions) {
  return std::make_unique<DataService>(authoriser, pushes, questions, streams, subscriptions);
}

}  // namespace guantong
