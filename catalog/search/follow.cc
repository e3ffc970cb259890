#include "catalog/search/follow.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"

namespace guantong::search {
namespace {

constexpr size_t kTakeInMax = 8192;  // codes of one segment

// E feed code; J code 0 feed.
absl::string_view CodeOfEntryKey(absl::string_view key) { return key.substr(1 + kFeedKeyBytes); }
absl::string_view CodeOfIndexKey(absl::string_view key) {
  return key.substr(1, key.size() - 1 - 1 - kFeedKeyBytes);
}
constexpr size_t kIndexKeyBytesMin = 1 + 1 + kFeedKeyBytes;

FeedKey CatalogFeed(absl::string_view node, v1::FeedKind kind) {
  v1::FeedId feed;
  feed.set_origin(std::string(node));
  feed.set_kind(kind);
  return FeedKey::Of(feed);
}

bool SameAsHeld(const View& view, const std::string& code, const std::vector<Document>& documents) {
  std::vector<std::pair<uint8_t, uint64_t>> held, wanted;
  for (const Part& part : view.parts) {
    for (uint32_t d : part.segment->WithCode(code)) {
      if (!HasBit(*part.deleted, d))
        held.emplace_back(part.segment->audience(d), part.segment->fingerprint(d));
    }
  }
  for (const Document& document : documents)
    wanted.emplace_back(document.audience, document.fingerprint);
  std::sort(held.begin(), held.end());
  std::sort(wanted.begin(), wanted.end());
  return held == wanted;
}

std::vector<Document> ShownOf(const Reader& snapshot, const std::string& code,
                              const HiddenEntries& hidden) {
  if (!hidden.empty()) {
    const absl::StatusOr<v1::CatalogEntry> entry = FindEntry(snapshot, code);
    if (entry.ok() && hidden.Hides(snapshot, *entry)) return {};
  }
  return DocumentsOf(snapshot, code);
}

// Calls visit(code, feed) for the codes in all open feeds.
template <typename Visit>
absl::Status VisitIndex(const Reader& snapshot, Visit visit) {
  const std::string kind = KindPrefix('J');
  const auto cursor = snapshot.Scan(kind, PrefixEnd(kind));
  for (; cursor->Valid(); cursor->Next()) {
    if (cursor->key().size() < kIndexKeyBytesMin) continue;
    visit(CodeOfIndexKey(cursor->key()), FeedOfIndexKey(cursor->key()));
  }
  return cursor->status();
}

}  // namespace

bool NoteChanges(absl::Span<const WriteSet> groups, Codes* codes) {
  bool members = false;
  for (const WriteSet& group : groups) {
    for (const WriteSet::Op& op : group.ops()) {
      const char kind = op.key.empty() ? '\0' : op.key[0];
      // A range of entries goes with the deletion of each of their index keys.
      if (op.kind == WriteSet::Kind::kDeleteRange) {
        members |= kind == 'M';
        continue;
      }
      if (kind == 'E' && op.key.size() > 1 + kFeedKeyBytes) {
        codes->insert(std::string(CodeOfEntryKey(op.key)));
      } else if (kind == 'J' && op.key.size() >= kIndexKeyBytesMin) {
        codes->insert(std::string(CodeOfIndexKey(op.key)));
      }
      members |= kind == 'M';
    }
  }
  return members;
}

absl::StatusOr<Heads> HeadsOf(const Reader& snapshot) {
  Heads heads;
  const std::string kind = KindPrefix('F');
  const auto cursor = snapshot.Scan(kind, PrefixEnd(kind));
  for (; cursor->Valid(); cursor->Next()) {
    storage::v1::FeedRecord record;
    const absl::string_view value = cursor->value();
    if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) continue;
    const v1::FeedKind feed = record.feed().kind();
    if (feed != v1::FEED_KIND_CATALOG_OPEN && feed != v1::FEED_KIND_CATALOG_UPWARD &&
        feed != v1::FEED_KIND_RULINGS) {
      continue;
    }
    heads[std::string(cursor->key().substr(1))] = record.head().SerializeAsString();
  }
  GT_RETURN_IF_ERROR(cursor->status());
  return heads;
}

namespace {

// Some of the codes on their way into one segment. `beside` runs Make, the rest
// is the caller's.
class Share {
 public:
  Share(const Reader* snapshot, const HiddenEntries* hidden, std::shared_ptr<const View> view)
      : snapshot_(*snapshot), hidden_(*hidden), view_(std::move(view)) {}

  std::vector<std::string> codes;
  LoadJob job;
  std::function<void()> wait;

  void Make() {
    std::vector<Document> documents;
    for (std::string& code : codes) {
      std::vector<Document> now = ShownOf(snapshot_, code, hidden_);
      if (SameAsHeld(*view_, code, now)) continue;
      changed_.push_back(std::move(code));
      std::move(now.begin(), now.end(), std::back_inserter(documents));
    }
    // So few are better off in memory, with others that are.
    if (documents.size() < kFileAtOnceMin) unused_ = std::exchange(job, {});
    made_ = job.Run(documents);
  }
  absl::Status Take(Index* index) {
    index->Release(unused_);
    if (changed_.empty()) {
      index->Release(job);
      return made_.status();
    }
    return index->Replace(changed_, job, std::move(made_));
  }

 private:
  const Reader& snapshot_;
  const HiddenEntries& hidden_;
  const std::shared_ptr<const View> view_;
  std::vector<std::string> changed_;
  LoadJob unused_;
  absl::StatusOr<Part> made_ = absl::UnknownError("");
};

}  // namespace

absl::Status TakeIn(const Reader& snapshot, const Codes& codes, Index* index,
                    const HiddenEntries& hidden, const Helpers& helpers) {
  // Codes of different shares are different ones, so each may be compared with
  // the index as it is now.
  const std::shared_ptr<const View> view = index->view();
  std::deque<std::unique_ptr<Share>> under_way;
  absl::Status taken;
  const auto take_first = [&] {
    const std::unique_ptr<Share> first = std::move(under_way.front());
    under_way.pop_front();
    first->wait();
    taken.Update(first->Take(index));
  };
  for (auto code = codes.begin(); code != codes.end() && taken.ok();) {
    while (under_way.size() >= helpers.at_once) take_first();
    Share* share = under_way.emplace_back(std::make_unique<Share>(&snapshot, &hidden, view)).get();
    for (; code != codes.end() && share->codes.size() < kTakeInMax; ++code)
      share->codes.push_back(*code);
    if (share->codes.size() >= kFileAtOnceMin) share->job = index->BeginLoad();
    share->wait = helpers.beside([share] { share->Make(); });
  }
  while (!under_way.empty()) take_first();
  return taken;
}

absl::StatusOr<Codes> ChangedSince(const Reader& snapshot, const Heads& from, const View& view) {
  GT_ASSIGN_OR_RETURN(const Heads now, HeadsOf(snapshot));
  std::set<std::string> feeds;
  for (const auto& [feed, head] : now) {
    const auto before = from.find(feed);
    if (before == from.end() || before->second != head) feeds.insert(feed);
  }
  for (const auto& [feed, head] : from) {
    if (now.count(feed) == 0) feeds.insert(feed);
  }
  Codes codes;
  for (const std::string& feed : feeds) {
    const std::string prefix = EntryPrefix(FeedKey::FromBytes(feed));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next())
      codes.insert(std::string(CodeOfEntryKey(cursor->key())));
    GT_RETURN_IF_ERROR(cursor->status());
  }
  // What the index has of them and the store no longer.
  for (const Part& part : view.parts) {
    const Segment& segment = *part.segment;
    std::vector<char> of_these(segment.values(kNode));
    for (uint32_t v = 0; v < of_these.size(); ++v) {
      for (v1::FeedKind kind : {v1::FEED_KIND_CATALOG_OPEN, v1::FEED_KIND_CATALOG_UPWARD})
        of_these[v] |=
            feeds.count(CatalogFeed(ParseNodeValue(segment.value(kNode, v)).node, kind).str()) > 0;
    }
    for (uint32_t d = 0; d < segment.size(); ++d) {
      if (of_these[segment.ordinals(kNode)[d]] && !HasBit(*part.deleted, d))
        codes.insert(std::string(segment.code(d)));
    }
  }
  return codes;
}

absl::StatusOr<Codes> Contested(const Reader& snapshot) {
  Codes contested;
  std::string last;
  GT_RETURN_IF_ERROR(VisitIndex(snapshot, [&](absl::string_view code, const FeedKey&) {
    if (code == absl::string_view(last)) {
      contested.insert(last);
    } else {
      last.assign(code.data(), code.size());
    }
  }));
  return contested;
}

namespace {

// Entries as stored on their way into one segment. `beside` runs Make,
// the rest is the caller's.
class Batch {
 public:
  Batch(const Reader* snapshot, const HiddenEntries* hidden, LoadJob job, size_t entries_max)
      : snapshot_(*snapshot), hidden_(*hidden), job_(std::move(job)), entries_max_(entries_max) {}

  void Add(absl::string_view value) {
    bytes_ += value.size();
    entries_.emplace_back(value);
  }
  bool full() const { return entries_.size() >= entries_max_ || bytes_ >= kLoadBytesMax; }

  void Make() {
    std::vector<Document> documents;
    documents.reserve(entries_.size());
    v1::CatalogEntry entry;
    for (std::string& value : entries_) {
      if (!entry.ParseFromString(value) || hidden_.Hides(snapshot_, entry)) continue;
      for (Document& document : DocumentsOf(snapshot_, entry))
        documents.push_back(std::move(document));
      value = std::string();
    }
    made_ = job_.Run(documents);
  }

  Codes changed;  // since it was begun
  std::function<void()> wait;
  absl::StatusOr<Part>& made() { return made_; }

 private:
  const Reader& snapshot_;
  const HiddenEntries& hidden_;
  const LoadJob job_;
  const size_t entries_max_;
  std::vector<std::string> entries_;
  size_t bytes_ = 0;
  absl::StatusOr<Part> made_ = absl::UnknownError("");
};

// Hands full batches on, and puts what they became into the index, the first
// one first.
class Loader {
 public:
  Loader(const Reader* snapshot, const HiddenEntries* hidden, const LoadOptions* options,
         Index* index)
      : snapshot_(*snapshot), hidden_(*hidden), options_(*options), index_(*index) {
    Begin();
  }
  ~Loader() {
    for (const std::unique_ptr<Batch>& batch : under_way_) batch->wait();
  }

  absl::Status Add(absl::string_view code, absl::string_view value) {
    if (taken_.count(std::string(code)) > 0) return absl::OkStatus();
    filling_->Add(value);
    if (!filling_->full()) return absl::OkStatus();
    GT_RETURN_IF_ERROR(HandOn());
    Begin();
    return absl::OkStatus();
  }
  absl::Status End() {
    GT_RETURN_IF_ERROR(HandOn());
    while (!under_way_.empty()) GT_RETURN_IF_ERROR(TakeFirst());
    return absl::OkStatus();
  }

  const Codes& taken() const { return taken_; }

 private:
  void Begin() {
    filling_ =
        std::make_unique<Batch>(&snapshot_, &hidden_, index_.BeginLoad(), options_.entries_max);
  }
  absl::Status HandOn() {
    while (under_way_.size() >= options_.helpers.at_once) GT_RETURN_IF_ERROR(TakeFirst());
    Batch* batch = filling_.get();
    under_way_.push_back(std::move(filling_));
    batch->wait = options_.helpers.beside([batch] { batch->Make(); });
    return absl::OkStatus();
  }
  absl::Status TakeFirst() {
    const std::unique_ptr<Batch> first = std::move(under_way_.front());
    under_way_.pop_front();
    first->wait();
    GT_RETURN_IF_ERROR(first->made().status());
    index_.FinishLoad(*std::move(first->made()), first->changed);
    Codes changed;
    const bool goes_on = options_.between(&changed);
    for (const std::unique_ptr<Batch>& batch : under_way_)
      batch->changed.insert(changed.begin(), changed.end());
    if (filling_ != nullptr) filling_->changed.insert(changed.begin(), changed.end());
    taken_.merge(changed);
    return goes_on ? absl::OkStatus()
                   : Error(absl::StatusCode::kCancelled, "index_load_ended", "load ended");
  }

  const Reader& snapshot_;
  const HiddenEntries& hidden_;
  const LoadOptions& options_;
  Index& index_;
  Codes taken_;
  std::unique_ptr<Batch> filling_;
  std::deque<std::unique_ptr<Batch>> under_way_;
};

}  // namespace

absl::Status LoadAll(const Reader& snapshot, const LoadOptions& options, Index* index,
                     const HiddenEntries& hidden) {
  Codes contested;
  std::set<std::string> open_feeds;
  std::string last;
  GT_RETURN_IF_ERROR(VisitIndex(snapshot, [&](absl::string_view code, const FeedKey& feed) {
    open_feeds.insert(feed.str());
    if (code == absl::string_view(last)) {
      contested.insert(last);
    } else {
      last.assign(code.data(), code.size());
    }
  }));
  Loader loader(&snapshot, &hidden, &options, index);
  // Feed by feed: the order they lie in.
  for (const std::string& feed : open_feeds) {
    const std::string prefix = EntryPrefix(FeedKey::FromBytes(feed));
    const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
    for (; cursor->Valid(); cursor->Next()) {
      const std::string code(CodeOfEntryKey(cursor->key()));
      if (contested.count(code) == 0) GT_RETURN_IF_ERROR(loader.Add(code, cursor->value()));
    }
    GT_RETURN_IF_ERROR(cursor->status());
  }
  GT_RETURN_IF_ERROR(loader.End());
  // What was taken in meanwhile is later than this snapshot.
  for (const std::string& code : loader.taken()) contested.erase(code);
  return TakeIn(snapshot, contested, index, hidden);
}

}  // namespace guantong::search
