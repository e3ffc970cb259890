// The two threads of the driver: the core, which steps the engine, and the committer.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/driver.h"
#include "node/limits.h"
#include "node/round.h"

namespace guantong {
namespace {

constexpr absl::Duration kBackoffMax = absl::Seconds(30);
// An engine that asks to be woken in the past must not turn the core into a spin.
constexpr absl::Duration kWakeAfterMin = absl::Milliseconds(1);

void SetToken(Event* event, Token token) {
  std::visit(
      [token](auto& what) {
        if constexpr (requires { what.token; }) what.token = token;
      },
      *event);
}

}  // namespace

// --- the core thread ---------------------------------------------------------------------------

void Driver::CoreLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::Time give_up = absl::InfiniteFuture();
  while (true) {
    if (stepping_) {
      core_sleeps_until_ = absl::InfiniteFuture();  // whoever steps wakes us
      core_wakes_.wait(lock);
      continue;
    }
    const absl::Time now = absl::Now();
    if (stopping_) {
      // What nobody waits for (merging, sequencing after a restart) goes on at the next start.
      give_up = std::min(give_up, now + absl::Seconds(kStopSecondsMax));
      if (now >= give_up || (inbox_.empty() && writes_.empty())) break;
    }
    stepping_ = true;
    const bool did = Turn(lock, now);
    const bool flush = !did || !InboxOpen() || !errands_.deliveries.empty() ||
                       errands_.sends.size() >= kSendsGatheredMax ||
                       errands_.send_bytes >= kSendBytesGatheredMax ||
                       errands_.calls_done.size() >= kSendsGatheredMax;
    if (flush) {
      Errands errands = End(lock);
      lock.unlock();
      RunErrands(std::move(errands), Delivered::kByCore);
      lock.lock();
    }
    stepping_ = false;
    if (did || HasWork(absl::Now())) continue;
    if (clock_was_set_) {
      core_wakes_.wait(lock);  // for the commit under way
      continue;
    }
    core_sleeps_until_ =
        std::min({engine_ != nullptr ? wake_at_ : resume_at_, give_up, now + absl::Minutes(1)});
    core_wakes_.wait_for(
        lock, absl::ToChronoNanoseconds(std::max(core_sleeps_until_ - now, absl::ZeroDuration())));
  }
  stepping_ = true;  // for good
  std::deque<Item> rest = std::move(inbox_);
  inbox_.clear();
  suspended_ = StoppingError();
  lock.unlock();
  engine_.reset();
  RunErrands(std::exchange(errands_, {}), Delivered::kByCore);
  FailWaiting(StoppingError());
  for (Item& item : rest) Take(std::move(item), absl::Now());
  RunErrands(std::exchange(errands_, {}), Delivered::kByCore);
}

bool Driver::Turn(std::unique_lock<std::mutex>& lock, absl::Time now) {
  clock_was_set_ |= clock_.Jumped(now);
  if (!commit_failure_.ok()) {
    const absl::Status why = std::exchange(commit_failure_, absl::OkStatus());
    orders_.clear();
    uncommitted_bytes_ = 0;
    committed_ticket_ = 0;
    commit_wakes_.notify_one();
    lock.unlock();
    Suspend("存储提交失败，暂停服务 (a commit failed; trying again)", why, now);
    lock.lock();
  } else if (committed_ticket_ > confirmed_ticket_) {
    confirmed_ticket_ = committed_ticket_;
    lock.unlock();
    Step(Committed{confirmed_ticket_}, now);
    lock.lock();
  } else if (clock_was_set_) {
    if (committing_ || !orders_.empty()) return false;
    // All times the engine remembers are void, and what the neighbours said of theirs.
    clock_was_set_ = false;
    committed_ticket_ = 0;
    lock.unlock();
    if (engine_ != nullptr) {
      Suspend(
          "本机时钟被改动，重新连接 (the clock of this machine was set: all links are made anew)",
          Error(absl::StatusCode::kUnavailable, "clock_was_set",
                "the clock of this machine was set while the node ran", absl::FormatTime(now),
                "try again in a few seconds"),
          now);
    }
    resume_at_ = now;
    lock.lock();
  } else if (engine_ != nullptr && now >= wake_at_) {
    wake_at_ = absl::InfiniteFuture();
    lock.unlock();
    Step(Tick{}, now);
    lock.lock();
  } else if (engine_ == nullptr && now >= resume_at_) {
    lock.unlock();
    TryResume(now);
    lock.lock();
  } else if (InboxOpen()) {
    Item item = std::move(inbox_.front());
    inbox_.pop_front();
    if (item.request) --requests_waiting_;
    request_bytes_waiting_ -= item.request_bytes;
    frame_bytes_waiting_ -= item.frame_bytes;
    const bool let_go = !held_back_.empty() && frame_bytes_waiting_ < kInboxFrameBytesMax / 2;
    lock.unlock();
    Take(std::move(item), now);
    if (let_go) ResumeTransports();
    lock.lock();
  } else {
    return false;
  }
  return true;
}

bool Driver::InboxOpen() const { return !inbox_.empty() && uncommitted_bytes_ < kCommitBytesMax; }

bool Driver::HasWork(absl::Time now) const {
  if (!commit_failure_.ok() || committed_ticket_ > confirmed_ticket_) return true;
  if (clock_was_set_) return !committing_ && orders_.empty();
  return InboxOpen() || now >= (engine_ != nullptr ? wake_at_ : resume_at_);
}

// --- visitors ------------------------------------------------------------------------------------

bool Driver::VisitorMay(absl::Time now) {
  if (stopping_ || engine_ == nullptr || !commit_failure_.ok()) return false;
  clock_was_set_ |= clock_.Jumped(now);
  if (clock_was_set_) return false;
  if (committed_ticket_ > confirmed_ticket_) return true;
  if (now >= wake_at_ || !InboxOpen()) return false;
  const Event* event = std::get_if<Event>(&inbox_.front().what);
  if (event == nullptr) return false;
  if (const auto* frame = std::get_if<FrameReceived>(event)) {
    return frame->frame.size() <= kVisitBytesMax;
  }
  if (const auto* push = std::get_if<PushRows>(event)) {
    return push->payload.size() <= kVisitBytesMax;
  }
  return std::holds_alternative<CallStart>(*event) || std::holds_alternative<CallAnswered>(*event);
}

void Driver::VisitOrWake(std::unique_lock<std::mutex> lock) {
  static thread_local const Driver* visiting = nullptr;
  if (visiting == this || !begun_) return;  // the visit goes on; the core looks when it begins
  visiting = this;
  for (int visit = 0; visit < kVisitsMax && !stepping_ && VisitorMay(absl::Now()); ++visit) {
    stepping_ = true;
    for (int turn = 0; turn < kVisitTurnsMax; ++turn) {
      const absl::Time now = absl::Now();
      if (!VisitorMay(now)) break;
      Turn(lock, now);
    }
    Errands errands = End(lock);
    stepping_ = false;
    lock.unlock();
    RunErrands(std::move(errands), Delivered::kHere);
    lock.lock();
  }
  visiting = nullptr;
  if (stepping_) return;  // and looks again when done
  const bool wake =
      stopping_ || HasWork(absl::Now()) || (engine_ != nullptr && wake_at_ < core_sleeps_until_);
  lock.unlock();
  if (wake) core_wakes_.notify_one();
}

Driver::Errands Driver::End(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  SendGathered();
  lock.lock();
  return std::exchange(errands_, {});
}

void Driver::SendGathered() {
  errands_.send_bytes = 0;
  std::vector<Send> sends = std::exchange(errands_.sends, {});
  if (links_ == nullptr) return;
  // One hand-over for what goes the same way; each lane keeps its order.
  struct Way {
    std::vector<std::shared_ptr<const std::string>> frames;
    Patience patience = Patience::kSome;
  };
  std::map<std::pair<LinkId, v1::Lane>, Way> ways;
  for (Send& send : sends) {
    Way& way = ways[{send.link, send.lane}];
    way.frames.push_back(std::move(send.frame));
    if (!send.patient) way.patience = Patience::kNone;
  }
  for (auto& [at, way] : ways)
    links_->Send(at.first, at.second, std::move(way.frames), way.patience);
}

void Driver::RunErrands(Errands errands, Delivered where) {
  const Round round;
  for (auto& [on_call, done] : errands.calls_done) on_call(std::move(done));
  if (!errands.deliveries.empty() && hooks_.on_deliveries) {
    hooks_.on_deliveries(std::move(errands.deliveries), where);
  }
}

void Driver::Take(Item item, absl::Time now) {
  if (auto* event = std::get_if<Event>(&item.what)) return TakeEvent(std::move(*event), &item, now);
  if (auto* reading = std::get_if<Reading>(&item.what)) {
    if (engine_ != nullptr) return reading->read(static_cast<const Engine*>(engine_.get()));
    return reading->read(health());
  }
  if (auto* failed = std::get_if<DialFailed>(&item.what)) {
    if (hooks_.on_dial_failed) hooks_.on_dial_failed(failed->address, failed->why);
    return;
  }
  if (auto* up = std::get_if<PeerUp>(&item.what)) {
    if (engine_ == nullptr) {
      if (links_ != nullptr) links_->Close(up->link, health());
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_links_[up->link] = {.link = up->link,
                               .node_id = up->peer.identity.node_id,
                               .path = up->peer.identity.path,
                               .address = up->peer.address,
                               .fingerprint = up->peer.identity.fingerprint,
                               .is_parent = up->peer.is_parent,
                               .since = now};
    }
    if (hooks_.on_link_up) hooks_.on_link_up(up->peer);
    return Step(LinkUp{.link = up->link,
                       .node_id = up->peer.identity.node_id,
                       .path = up->peer.identity.path,
                       .is_parent = up->peer.is_parent,
                       .address = up->peer.address},
                now);
  }
  const PeerDown& down = std::get<PeerDown>(item.what);
  LinkView gone;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    held_back_.erase(down.link);
    auto it = open_links_.find(down.link);
    if (it == open_links_.end()) return;
    gone = std::move(it->second);
    open_links_.erase(it);
  }
  if (hooks_.on_link_ended) hooks_.on_link_ended(gone, down.why, /*by_us=*/false);
  Step(LinkDown{.link = down.link, .why = std::string(down.why.message())}, now);
}

void Driver::TakeEvent(Event event, Item* item, absl::Time now) {
  if (engine_ == nullptr) {
    if (item->on_write) item->on_write({.token = 0, .status = health(), .position = {}});
    if (item->on_call) item->on_call({.token = 0, .reply = {}, .status = health()});
    return;
  }
  if (const auto* frame = std::get_if<FrameReceived>(&event)) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (open_links_.count(frame->link) == 0) return;
  }
  if (item->on_write || item->on_call) {
    const Token token = next_token_++;
    SetToken(&event, token);
    if (item->on_write) writes_[token] = std::move(item->on_write);
    if (item->on_call) calls_[token] = std::move(item->on_call);
  }
  Step(std::move(event), now);
}

void Driver::Step(Event event, absl::Time now) {
  if (engine_ == nullptr) return;
  Effects effects = engine_->Step(std::move(event), now);
  wake_at_ = std::min(wake_at_, std::max(effects.wake_at, now + kWakeAfterMin));
  CarryOut(std::move(effects));
}

void Driver::CarryOut(Effects effects) {
  if (effects.ticket != 0) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      uncommitted_bytes_ += effects.commit.bytes();
      orders_.push_back({effects.ticket, std::move(effects.commit)});
    }
    commit_wakes_.notify_one();
  }
  for (Send& send : effects.sends) {
    errands_.send_bytes += send.frame->size();
    errands_.sends.push_back(std::move(send));
  }
  if (!effects.closes.empty()) SendGathered();
  for (const CloseLink& close : effects.closes) {
    ++closed_by_us_;
    LinkView view;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto it = open_links_.find(close.link);
      if (it != open_links_.end()) view = it->second;
    }
    if (hooks_.on_link_ended) hooks_.on_link_ended(view, close.why, /*by_us=*/true);
    if (links_ != nullptr) links_->Close(close.link, close.why);
  }
  for (CallDelivery& delivery : effects.deliveries) {
    errands_.deliveries.push_back(std::move(delivery));
  }
  for (CallDone& done : effects.calls_done) FinishCall(std::move(done));
  for (const WriteDone& done : effects.writes_done) FinishWrite(done);
  for (const MakeSnapshot& make : effects.snapshots) {
    if (hooks_.on_snapshot) hooks_.on_snapshot(make);
  }
  for (const Notice& notice : effects.notices) {
    if (hooks_.on_notice) hooks_.on_notice(notice);
  }
}

void Driver::FinishWrite(const WriteDone& done) {
  auto it = writes_.find(done.token);
  if (it == writes_.end()) return;
  OnWrite on_write = std::move(it->second);
  writes_.erase(it);
  on_write(done);
}

void Driver::FinishCall(CallDone done) {
  auto it = calls_.find(done.token);
  if (it == calls_.end()) return;
  errands_.calls_done.push_back({std::move(it->second), std::move(done)});
  calls_.erase(it);
}

// --- failure -----------------------------------------------------------------------------------

void Driver::Suspend(absl::string_view text, const absl::Status& why, absl::Time now) {
  engine_.reset();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    suspended_ = why;
  }
  confirmed_ticket_ = 0;
  resume_at_ = now + backoff_;
  if (hooks_.on_notice) {
    hooks_.on_notice({.alarm = true, .text = absl::StrCat(text, ": ", why.message())});
  }
  CloseAllLinks(why);
  FailWaiting(why);
}

void Driver::TryResume(absl::Time now) {
  // The commit thread has nothing to do without an engine, so there is still one committer at a
  // time.
  WriteSet probe;
  probe.Put(NodeFactKey("probe"), absl::FormatTime(now));
  absl::Status status = store_->Commit({&probe, 1});
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<Engine>> engine = make_engine_(now);
    if (engine.ok()) {
      engine_ = *std::move(engine);
      backoff_ = kBackoffMin;
      wake_at_ = absl::InfinitePast();
      {
        std::lock_guard<std::mutex> lock(mutex_);
        suspended_ = absl::OkStatus();
      }
      if (hooks_.on_notice) {
        hooks_.on_notice({.alarm = false, .text = "存储恢复，继续服务 (the store commits again)"});
      }
      return;
    }
    status = engine.status();
  }
  backoff_ = std::min(backoff_ * 2, kBackoffMax);
  resume_at_ = now + backoff_;
  std::lock_guard<std::mutex> lock(mutex_);
  suspended_ = status;
}

void Driver::FailWaiting(const absl::Status& why) {
  auto writes = std::exchange(writes_, {});
  for (auto& [token, done] : writes) done({.token = token, .status = why, .position = {}});
  auto calls = std::exchange(calls_, {});
  for (auto& [token, done] : calls) done({.token = token, .reply = {}, .status = why});
}

void Driver::CloseAllLinks(const absl::Status& why) {
  std::map<LinkId, LinkView> links;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    links = std::exchange(open_links_, {});
  }
  if (links_ == nullptr) return;
  for (const auto& [link, view] : links) links_->Close(link, why);
}

void Driver::ResumeTransports() {
  std::set<LinkId> links;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    links = std::exchange(held_back_, {});
  }
  if (links_ == nullptr) return;
  for (LinkId link : links) links_->Resume(link);
}

// --- the commit thread -------------------------------------------------------------------------

void Driver::CommitLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    commit_wakes_.wait(lock, [this] { return !orders_.empty() || stop_committer_; });
    if (orders_.empty()) return;
    std::vector<WriteSet> groups;
    size_t bytes = 0;
    const uint64_t ticket = orders_.back().ticket;
    for (Order& order : orders_) {
      bytes += order.writes.bytes();
      groups.push_back(std::move(order.writes));
    }
    orders_.clear();
    committing_ = true;
    lock.unlock();
    const absl::Status status = store_->Commit(groups);
    groups.clear();
    lock.lock();
    committing_ = false;
    uncommitted_bytes_ -= bytes;
    if (status.ok()) {
      committed_ticket_ = ticket;
    } else {
      commit_failure_ = status;
    }
    if (commit_failure_.ok() && !orders_.empty()) {
      // The next group first: the core confirms meanwhile.
      core_wakes_.notify_one();
      continue;
    }
    if (commit_failure_.ok()) {
      lock.unlock();
      VisitOrWake(std::unique_lock<std::mutex>(mutex_));
      lock.lock();
      continue;
    }
    core_wakes_.notify_one();
    // What is ordered until the core has seen the failure stands on what has just failed: the core
    // drops it, and so does a stop.
    commit_wakes_.wait(lock, [this] { return commit_failure_.ok() || stop_committer_; });
    if (!commit_failure_.ok()) return;
  }
}

}  // namespace guantong
