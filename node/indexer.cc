#include "node/indexer.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "node/log.h"
#include "node/upkeep/damage.h"

namespace guantong {
namespace {

constexpr std::chrono::milliseconds kRoundPause(200);  // changes of that time go in together
constexpr std::chrono::milliseconds kBurstPause(800);  // while very many come
constexpr size_t kBurstCodes = 500;                    // of one round
constexpr std::chrono::seconds kIdlePause(5);
constexpr absl::Duration kSaveEvery = absl::Seconds(30);
constexpr absl::Duration kContestedAfter = absl::Seconds(10);

constexpr size_t kLoadThreads = 2;  // beside the one that reads the store
constexpr int kNice = 5;

// The calling thread, for as long as it lives, yields to those that serve.
void StandBack() {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  setpriority(PRIO_PROCESS, thread, kNice);
}

search::Helpers HelpersOf() {
  return {.beside =
              [](const std::function<void()>& work) {
                auto thread = std::make_shared<std::thread>([work] {
                  StandBack();
                  work();
                });
                return [thread] { thread->join(); };
              },
          .at_once = kLoadThreads};
}

// Names the store and what was done to it: a store that was mended lost facts without a trace in
// its feeds.
std::string MarkOf(const Site& site) {
  std::string mark = site.node_id();
  for (const v1::Damage& damage : PastDamage(*site.store))
    absl::StrAppend(&mark, damage.SerializeAsString());
  return Sha256(mark);
}

}  // namespace

Indexer::Indexer(const Site* site, const Directory* directory, Hidden* hidden, std::string folder)
    : site_(*site), directory_(*directory), hidden_(*hidden), folder_(std::move(folder)) {}

Indexer::~Indexer() { Stop(); }

void Indexer::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Indexer::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_all();
  taken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Indexer::stopping() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopping_;
}

void Indexer::Note(absl::Span<const WriteSet> groups) {
  search::Codes codes;
  const bool members = search::NoteChanges(groups, &codes);
  if (codes.empty() && !members) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    noted_.merge(codes);
    members_noted_ |= members;
    ++notes_;
    oldest_noted_ = std::min(oldest_noted_, absl::Now());
  }
  wakes_.notify_one();
}

std::shared_ptr<const search::View> Indexer::view() const {
  std::shared_ptr<search::Index> index;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    index = index_;
  }
  return index == nullptr ? std::make_shared<const search::View>() : index->view();
}

v1::IndexState Indexer::state() const {
  v1::IndexState state;
  state.set_entries(view()->documents);
  std::lock_guard<std::mutex> lock(mutex_);
  state.set_building(building_);
  const absl::Time oldest = std::min(oldest_noted_, taking_since_);
  if (oldest != absl::InfiniteFuture()) {
    state.set_behind_ms(static_cast<uint64_t>(
        std::max<int64_t>(1, absl::ToInt64Milliseconds(absl::Now() - oldest))));
  }
  return state;
}

uint64_t Indexer::disk_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return index_ == nullptr ? 0 : index_->DiskBytes();
}

bool Indexer::WaitCurrent(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t wanted = notes_;
  return taken_.wait_until(lock, absl::ToChronoTime(deadline), [&] {
    return stopping_ || (!building_ && notes_taken_ >= wanted);
  }) && !stopping_;
}

void Indexer::Loop() {
  absl::Status last = Begin();
  if (!last.ok()) Log(LogLevel::kError, last.message());
  auto began = std::chrono::steady_clock::now();
  while (!stopping()) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wakes_.wait_for(lock, last.ok() ? kIdlePause : kRoundPause * 10, [&] {
        return stopping_ || merge_done_ || (last.ok() && (!noted_.empty() || members_noted_));
      });
      // Those that come close upon each other go in together.
      wakes_.wait_until(lock, began + (burst_ ? kBurstPause : kRoundPause),
                        [&] { return stopping_; });
      if (stopping_) break;
    }
    began = std::chrono::steady_clock::now();
    const absl::Status now = begun_ ? Round() : Begin();
    if (!now.ok() && now != last) Log(LogLevel::kError, now.message());
    last = now;
  }
  EndMerge();
  // So that the next start need not look at what moved since the last one.
  if (begun_ && unsaved_ && last.ok()) last = SaveNow();
  if (!last.ok()) Log(LogLevel::kWarning, last.message());
}

absl::Status Indexer::SaveNow() {
  GT_ASSIGN_OR_RETURN(const search::Heads heads, search::HeadsOf(*site_.store->Snapshot()));
  GT_RETURN_IF_ERROR(TakeInNoted(nullptr));
  return index_->Save(heads);
}

absl::Status Indexer::Begin() {
  if (index_ == nullptr) {
    GT_ASSIGN_OR_RETURN(std::unique_ptr<search::Index> opened,
                        search::Index::Open(folder_, MarkOf(site_)));
    if (!opened->started_empty().empty() && !folder_.empty()) {
      Log(LogLevel::kInfo, absl::StrCat("检索索引从头建立 (the search index is made anew): ",
                                        opened->started_empty()));
    }
    std::lock_guard<std::mutex> lock(mutex_);
    index_ = std::move(opened);
  }
  UpdateNodes();
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  if (!index_->heads().has_value()) {
    GT_RETURN_IF_ERROR(LoadAnew());
  } else {
    GT_ASSIGN_OR_RETURN(const search::Codes codes,
                        search::ChangedSince(*snapshot, *index_->heads(), *index_->view()));
    GT_RETURN_IF_ERROR(TakeInCodes(*snapshot, codes));
  }
  begun_ = unsaved_ = true;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    building_ = false;
  }
  return Round();
}

absl::Status Indexer::LoadAnew() {
  index_->Clear();
  UpdateNodes();
  const absl::Time began = absl::Now();
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  absl::Status kept;
  search::LoadOptions options = {.helpers = HelpersOf()};
  options.between = [&](search::Codes* taken) {
    kept = TakeInNoted(taken);
    // Merging goes on beside it, or a large catalogue would end in hundreds of files.
    if (kept.ok() && !merge_.has_value()) kept = TendMerge({});
    if (kept.ok() && merge_.has_value()) {
      std::unique_lock<std::mutex> lock(mutex_);
      const bool done = merge_done_;
      lock.unlock();
      if (done) kept = TendMerge({});
    }
    return kept.ok() && !stopping();
  };
  const absl::Status loaded =
      search::LoadAll(*snapshot, options, index_.get(), *hidden_.At(*snapshot));
  GT_RETURN_IF_ERROR(kept);
  GT_RETURN_IF_ERROR(loaded);
  const uint64_t documents = index_->view()->documents;
  if (documents > search::kLoadDocumentsMax) {
    Log(LogLevel::kInfo,
        absl::StrCat(
            "检索索引建成 (search index made): ", documents, " 条 (entries), ",
            absl::FormatDuration(absl::Trunc(absl::Now() - began, absl::Milliseconds(1)))));
  }
  return absl::OkStatus();
}

absl::Status Indexer::TakeInCodes(const Reader& snapshot, const search::Codes& codes) {
  const bool many = codes.size() >= search::kFileAtOnceMin;
  return search::TakeIn(snapshot, codes, index_.get(), *hidden_.At(snapshot),
                        many ? HelpersOf() : search::Helpers());
}

absl::Status Indexer::TakeInNoted(search::Codes* taken) {
  search::Codes codes;
  uint64_t notes = 0;
  bool members = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    codes = std::exchange(noted_, {});
    members = std::exchange(members_noted_, false);
    notes = notes_;
    taking_since_ = std::min(taking_since_, std::exchange(oldest_noted_, absl::InfiniteFuture()));
  }
  if (members) {
    UpdateNodes();
    if (contested_due_ == absl::InfiniteFuture()) contested_due_ = absl::Now() + kContestedAfter;
  }
  // Looked at after they were forgotten: a commit that follows notes them again.
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const absl::Status done = TakeInCodes(*snapshot, codes);
  unsaved_ |= !codes.empty();
  burst_ = codes.size() >= kBurstCodes;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!done.ok()) {
    noted_.merge(codes);
    return done;
  }
  if (taken != nullptr) taken->merge(codes);
  notes_taken_ = notes;
  taking_since_ = absl::InfiniteFuture();
  taken_.notify_all();
  return done;
}

absl::Status Indexer::Round() {
  GT_ASSIGN_OR_RETURN(const search::Heads heads, search::HeadsOf(*site_.store->Snapshot()));
  GT_RETURN_IF_ERROR(TakeInNoted(nullptr));
  if (absl::Now() >= contested_due_) {
    contested_due_ = absl::InfiniteFuture();
    const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
    GT_ASSIGN_OR_RETURN(const search::Codes contested, search::Contested(*snapshot));
    GT_RETURN_IF_ERROR(search::TakeIn(*snapshot, contested, index_.get(), *hidden_.At(*snapshot)));
  }
  GT_RETURN_IF_ERROR(TendMerge(heads));
  const bool due = unsaved_ && absl::Now() - saved_at_ >= kSaveEvery;
  if (!index_->WantsSave() && !due) return absl::OkStatus();
  GT_RETURN_IF_ERROR(index_->Save(heads));
  unsaved_ = false;
  saved_at_ = absl::Now();
  return absl::OkStatus();
}

absl::Status Indexer::TendMerge(const search::Heads& heads) {
  if (merge_.has_value()) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!merge_done_) return absl::OkStatus();
      merge_done_ = false;
    }
    merger_.join();
    const search::MergeJob job = *std::exchange(merge_, std::nullopt);
    GT_RETURN_IF_ERROR(merged_.status());
    GT_RETURN_IF_ERROR(index_->FinishMerge(job, *merged_));
    // While everything is loaded the heads are not there yet, and no manifest says it is whole.
    GT_RETURN_IF_ERROR(
        index_->Save(heads.empty() ? std::nullopt : std::optional<search::Heads>(heads)));
  }
  merge_ = index_->NextMerge();
  if (!merge_.has_value()) return absl::OkStatus();
  merger_ = std::thread([this] {
    StandBack();
    merged_ = merge_->Run([this] { return !stopping(); });
    std::lock_guard<std::mutex> lock(mutex_);
    merge_done_ = true;
    wakes_.notify_one();
  });
  return absl::OkStatus();
}

void Indexer::EndMerge() {
  if (merger_.joinable()) merger_.join();
}

void Indexer::UpdateNodes() {
  search::NodePlaces places;
  for (const v1::TreeNode& node : directory_.Tree(*site_.store->Snapshot())) {
    absl::StatusOr<NodePath> path = NodePath::Parse(node.path());
    if (path.ok()) places[node.node_id()] = {*std::move(path), node.level(), node.division()};
  }
  index_->SetNodes(std::move(places));
}

}  // namespace guantong
