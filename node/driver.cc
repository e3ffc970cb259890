#include "node/driver.h"

#include <algorithm>
#include <future>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/limits.h"

namespace guantong {
namespace {

absl::Status Busy() {
  return Error(absl::StatusCode::kResourceExhausted, "node_busy",
               "节点繁忙，请求队列已满 (the node's queue is full)", "",
               "稍后重试 (try again later)");
}

size_t BytesOf(const Event& event) {
  if (const auto* push = std::get_if<PushRows>(&event)) return push->payload.size();
  if (const auto* facts = std::get_if<WriteFacts>(&event)) return facts->writes.bytes();
  if (const auto* call = std::get_if<CallStart>(&event)) return call->body.size();
  if (const auto* append = std::get_if<AppendRecords>(&event)) {
    size_t bytes = append->extra.bytes();
    for (const v1::Record& record : append->records) bytes += record.ByteSizeLong();
    return bytes;
  }
  return 0;
}

}  // namespace

absl::Status Driver::StoppingError() {
  return Error(absl::StatusCode::kUnavailable, "node_stopping",
               "节点正在停止 (the node is stopping)", "",
               "节点重新启动后重试；推送用同一批次号重试 (try again when it runs; repeat a push "
               "with its batch id)");
}

absl::StatusOr<std::unique_ptr<Driver>> Driver::Make(Store* store, MakeEngine make_engine,
                                                     Hooks hooks) {
  std::unique_ptr<Driver> driver(new Driver(store, std::move(make_engine), std::move(hooks)));
  GT_ASSIGN_OR_RETURN(driver->engine_, driver->make_engine_(absl::Now()));
  driver->wake_at_ = absl::InfinitePast();
  return driver;
}

void Driver::Begin() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    begun_ = true;
  }
  core_ = std::thread([this] { CoreLoop(); });
  committer_ = std::thread([this] { CommitLoop(); });
}

Driver::Driver(Store* store, MakeEngine make_engine, Hooks hooks)
    : store_(store), make_engine_(std::move(make_engine)), hooks_(std::move(hooks)) {}

Driver::~Driver() { Stop(); }

// --- the way in --------------------------------------------------------------------------------

absl::Status Driver::Enqueue(Item item) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (stopping_) return StoppingError();
  if (requests_waiting_ >= kInboxRequestsMax ||
      (request_bytes_waiting_ > 0 &&
       request_bytes_waiting_ + item.request_bytes > kInboxRequestBytesMax)) {
    return Busy();
  }
  item.request = true;
  ++requests_waiting_;
  request_bytes_waiting_ += item.request_bytes;
  inbox_.push_back(std::move(item));
  VisitOrWake(std::move(lock));
  return absl::OkStatus();
}

void Driver::EnqueueAlways(Item item) {
  std::unique_lock<std::mutex> lock(mutex_);
  inbox_.push_back(std::move(item));
  VisitOrWake(std::move(lock));
}

absl::Status Driver::Submit(Event event, OnWrite done) {
  const size_t bytes = BytesOf(event);
  return Enqueue({.what = std::move(event), .on_write = std::move(done), .request_bytes = bytes});
}

absl::Status Driver::Call(CallStart call, OnCall done) {
  Event event = std::move(call);
  const size_t bytes = BytesOf(event);
  return Enqueue({.what = std::move(event), .on_call = std::move(done), .request_bytes = bytes});
}

absl::StatusOr<WriteDone> Driver::Write(Event event) {
  auto promise = std::make_shared<std::promise<WriteDone>>();
  std::future<WriteDone> future = promise->get_future();
  GT_RETURN_IF_ERROR(
      Submit(std::move(event), [promise](const WriteDone& done) { promise->set_value(done); }));
  WriteDone done = future.get();
  if (!done.status.ok()) return done.status;
  return done;
}

absl::Status Driver::WriteOwn(WriteSet writes) {
  return Write(WriteFacts{.writes = std::move(writes)}).status();
}

CallDone Driver::Ask(CallStart call) {
  auto promise = std::make_shared<std::promise<CallDone>>();
  std::future<CallDone> future = promise->get_future();
  absl::Status taken =
      Call(std::move(call), [promise](const CallDone& done) { promise->set_value(done); });
  if (!taken.ok()) return {.token = 0, .reply = {}, .status = taken};
  return future.get();
}

absl::Status Driver::Read(std::function<void(const Engine&)> read) {
  auto promise = std::make_shared<std::promise<absl::Status>>();
  std::future<absl::Status> future = promise->get_future();
  GT_RETURN_IF_ERROR(Enqueue({.what = Reading{[promise, read = std::move(read)](
                                                  const absl::StatusOr<const Engine*>& engine) {
                                if (engine.ok()) read(**engine);
                                promise->set_value(engine.status());
                              }}}));
  return future.get();
}

void Driver::Answer(Event event) { EnqueueAlways({.what = std::move(event)}); }

void Driver::Answer(std::vector<Event> events) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (Event& event : events) inbox_.push_back({.what = std::move(event)});
  VisitOrWake(std::move(lock));
}

void Driver::OnLinkUp(LinkId link, const LinkPeer& peer) {
  EnqueueAlways({.what = PeerUp{link, peer}});
}

bool Driver::OnFrame(LinkId link, v1::Lane, std::string frame) {
  const size_t bytes = frame.size() + kInboxFrameCost;
  bool room;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    inbox_.push_back({.what = Event(FrameReceived{link, std::move(frame)}), .frame_bytes = bytes});
    frame_bytes_waiting_ += bytes;
    room = frame_bytes_waiting_ < kInboxFrameBytesMax;
    if (!room) held_back_.insert(link);
  }
  return room;
}

void Driver::OnFramesEnd(LinkId) { VisitOrWake(std::unique_lock<std::mutex>(mutex_)); }

void Driver::OnLinkDown(LinkId link, const absl::Status& why) {
  EnqueueAlways({.what = PeerDown{link, why}});
}

void Driver::OnDialFailed(const std::string& address, const absl::Status& why) {
  EnqueueAlways({.what = DialFailed{address, why}});
}

std::vector<Driver::LinkView> Driver::OpenLinks() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<LinkView> links;
  for (const auto& [id, view] : open_links_) links.push_back(view);
  return links;
}

absl::Status Driver::health() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return suspended_;
}

void Driver::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  core_wakes_.notify_all();
  if (core_.joinable()) core_.join();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_committer_ = true;
  }
  commit_wakes_.notify_all();
  if (committer_.joinable()) committer_.join();
}

}  // namespace guantong
