// Taking a push in: rows are checked and sorted as they arrive, compared with the table, and handed
// to the engine as payloads whose sequencing is one commit. Until then nothing of it can be seen; a
// push that ends in an error has changed nothing.
//
// One push per dataset is open at a time; of a series more may come in while one is compared and
// committed, and small ones that wait meanwhile are one commit where they change different rows.
// The batch id with the digest of the content makes a repeated push one effect.
#ifndef GUANTONG_NODE_PUSH_H_
#define GUANTONG_NODE_PUSH_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/keys.h"
#include "catalog/row.h"
#include "guantong/v1/data.pb.h"
#include "node/open_pushes.h"
#include "node/push_diff.h"
#include "node/push_results.h"
#include "node/row_sorter.h"
#include "node/site.h"

namespace guantong {

// Where the requests come from.
struct PushSource {
  std::function<bool(v1::PushRequest*)> read;  // false: no more
  std::function<bool()> broken;  // it ended because the sender is gone, not because it was done
  std::function<void()> cancel;  // makes a waiting `read` return, any thread
};

// Any thread; Take holds the calling thread until the push has ended.
class PushDesk {
 public:
  explicit PushDesk(const Site* site) : site_(*site), results_(site) {}

  // Removes staged payloads that no push refers to, and counts the results kept. Before anything is
  // served.
  absl::Status Begin();

  absl::StatusOr<v1::PushResponse> Take(const CallerIdentity& caller, const PushSource& stream);

  // A series of pushes, each open, rows, end. `admit` says before each whose it is; `answer` comes
  // in their order, from this thread or one of the series' own, never from two at once. After the
  // first that is no success nothing more is taken; the stream is read to its end.
  // RESOURCE_EXHAUSTED node_busy: too many series, nothing was read.
  using Admit = std::function<absl::StatusOr<CallerIdentity>()>;
  using Answer = std::function<void(const absl::StatusOr<v1::PushResponse>&)>;
  absl::Status TakeAll(const PushSource& stream, const Admit& admit, const Answer& answer);

 private:
  // What one push is about, from its first message.
  struct Push {
    v1::PushOpen open;
    std::string table;  // CODE:id
    FeedKey feed;
    std::string author;
    std::string digest;  // of the content
    std::string schema;  // its rows are built by, as the table has it
    uint64_t received = 0;
    v1::PushResponse response;  // counts and rejects so far
  };

  // One that has come whole.
  struct Taken {
    Taken(Push push, std::shared_ptr<OpenPushes::Slot> slot, RowSorterOptions options)
        : push(std::move(push)), slot(std::move(slot)), rows(std::move(options)) {}

    Push push;
    std::shared_ptr<OpenPushes::Slot> slot;
    RowSorter rows;
  };
  using Group = std::vector<std::unique_ptr<Taken>>;
  class Series;

  // Reads to the end of the push that `first` begins. In a series `held` is the slot of the push
  // before, which this one shares while that is being applied.
  absl::StatusOr<std::unique_ptr<Taken>> TakeIn(const CallerIdentity& caller,
                                                v1::PushRequest* first, const PushSource& stream,
                                                std::shared_ptr<OpenPushes::Slot> held);
  absl::StatusOr<Push> Start(const CallerIdentity& caller, v1::PushOpen open) const;
  absl::Status Receive(const PushSource& stream, Taken* taken);
  // Whether `next` may be applied together with `group`; with an empty one: whether others may be
  // with it.
  static bool Joins(const Taken& next, const Group& group);
  // All of `group` by one commit, or nothing of it. Several that fail may succeed one by one.
  absl::StatusOr<std::vector<v1::PushResponse>> Apply(const PushSource& stream, const Group& group);
  // Earlier results of the group's batch ids.
  absl::StatusOr<std::unique_ptr<v1::PushResponse>> FindBefore(const Reader& snapshot,
                                                               const Group& group) const;
  // What nobody waits for.
  void AfterAnswer(const v1::PushResponse& response);
  absl::Status CheckReplace(const Push& push, const DiffCounts& counts, uint64_t rows_before) const;
  // Whether one under way was waited for, so that all is to be looked at anew. FAILED_PRECONDITION
  // push_open.
  absl::StatusOr<bool> AwaitPending(const Reader& snapshot, const PushSource& stream,
                                    const Group& group, absl::Time give_up) const;
  // Sides of the group's difference; rejected rows go to `responses`, one for each push.
  static std::vector<PushDiff> DiffsOf(const Group& group,
                                       std::vector<v1::PushResponse>* responses);

  const Site& site_;
  OpenPushes open_;
  OpenPushes series_;
  PushResults results_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_PUSH_H_
