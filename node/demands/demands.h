// 供需级联 at this node: demands said here, answers given here, and what is known of both
// (node/demands/README.md).
#ifndef GUANTONG_NODE_DEMANDS_DEMANDS_H_
#define GUANTONG_NODE_DEMANDS_DEMANDS_H_

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "guantong/v1/demand.pb.h"
#include "guantong/v1/review.pb.h"
#include "node/demands/demand_asking.h"
#include "node/entries/desk.h"
#include "node/finder.h"

namespace guantong {

// Any thread; all wait for commits or other nodes.
class Demands {
 public:
  Demands(EntryDesk* desk, const Directory* directory, Calls* calls, Finder* finder)
      : desk_(*desk),
        site_(desk->site()),
        directory_(*directory),
        finder_(*finder),
        asking_(desk, directory, calls) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register() { asking_.Register(); }

  // Errors: demand.proto.
  absl::StatusOr<v1::DemandView> Say(const CallerIdentity& caller,
                                     const v1::RegisterDemandRequest& request);
  absl::StatusOr<v1::ImportDemandsResponse> Import(const CallerIdentity& caller,
                                                   const v1::ImportDemandsRequest& request);
  absl::StatusOr<v1::DemandView> Show(const CallerIdentity& caller, const std::string& id,
                                      absl::Time deadline);
  absl::StatusOr<v1::DemandView> Answer(const CallerIdentity& caller,
                                        const v1::AnswerDemandRequest& request,
                                        absl::Time deadline);
  absl::StatusOr<v1::DemandView> Close(const CallerIdentity& caller,
                                       const v1::CloseDemandRequest& request, absl::Time deadline);
  absl::StatusOr<v1::ListDemandsResponse> List(const CallerIdentity& caller,
                                               const v1::ListDemandsRequest& request,
                                               absl::Time deadline);
  absl::StatusOr<v1::CountDemandsResponse> Count(const CallerIdentity& caller, absl::Time deadline);

  // What waits for the caller: demands to be answered, to be dealt with by the authority, answers
  // to be looked at. `note` says what could not be asked.
  std::vector<v1::TodoItem> Todo(const CallerIdentity& caller, absl::Time deadline,
                                 std::string* note);

 private:
  absl::StatusOr<v1::HeldDemand> Load(const Reader& snapshot, const CallerIdentity& caller,
                                      const std::string& id, absl::Time deadline);
  absl::Status CheckAnswer(const CallerIdentity& caller, const v1::HeldDemand& held,
                           const v1::Department& department, v1::DemandAnswer* answer,
                           absl::Time deadline);
  // What the caller says, as it would be kept but for its id; `problems` with it.
  v1::Demand Begin(const Reader& snapshot, const CallerIdentity& caller, const v1::Demand& said,
                   std::vector<v1::Problem>* problems) const;
  // Own open demands of a department: their ids by what they say.
  std::map<std::string, std::string> OpenOf(const Reader& snapshot, const std::string& uscc) const;
  // Of one department, in one commit.
  absl::Status Append(const std::vector<v1::Demand>& demands, WriteSet extra);

  // The supervising authority of this node's own division, its operator, or the authority of a
  // division hosted here.
  bool Supervises(const std::optional<v1::Department>& department,
                  const CallerIdentity& caller) const;
  // Of those, whom a demand has gone up to.
  bool GoneUpTo(const CallerIdentity& caller, const std::optional<v1::Department>& department,
                const v1::DemandView& view) const;
  // Ids after `after` that may be in the box, one page of them; `box` is not that of who is asked.
  std::vector<std::string> IdsOf(const Reader& snapshot, v1::DemandBox box,
                                 const CallerIdentity& caller, const std::string& after) const;
  bool InBox(v1::DemandBox box, const CallerIdentity& caller,
             const std::optional<v1::Department>& department, const v1::DemandView& view) const;
  // Calls `take` for those in the box, in order, until it says false. True: there may be more.
  struct Seen {
    bool complete = true;
    bool more = false;
    std::string note;
  };
  Seen Visit(DemandSight* sight, v1::DemandBox box, const CallerIdentity& caller,
             const std::string& after, absl::Time deadline,
             const std::function<bool(const v1::DemandView&)>& take);

  EntryDesk& desk_;
  const Site& site_;
  const Directory& directory_;
  Finder& finder_;
  DemandAsking asking_;
  std::mutex change_mutex_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_DEMANDS_DEMANDS_H_
