// Daily work: what waits for whom, and until when.
#ifndef GUANTONG_NODE_ENTRIES_WORKLIST_H_
#define GUANTONG_NODE_ENTRIES_WORKLIST_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "guantong/v1/review.pb.h"
#include "node/entries/desk.h"
#include "node/entries/rulings.h"
#include "node/entries/templates.h"

namespace guantong {

class Demands;

// Any thread.
class Worklist {
 public:
  Worklist(EntryDesk* desk, const Rulings* rulings, const Templates* templates, Demands* demands)
      : desk_(*desk), rulings_(*rulings), templates_(*templates), demands_(*demands) {}

  absl::StatusOr<v1::TodoResponse> Todo(const CallerIdentity& caller) const;
  absl::StatusOr<v1::MineResponse> Mine(const CallerIdentity& caller) const;
  // NOT_FOUND entry_unknown; of other nodes' entries what is in force.
  absl::StatusOr<v1::WhyResponse> Why(const CallerIdentity& caller,
                                      const v1::WhyRequest& request) const;

 private:
  struct Clock {
    google::protobuf::Timestamp since;
    std::string due;
    int days_left = 0;
    bool has_term = false;

    template <typename Message>
    void Tell(Message* message) const {
      *message->mutable_since() = since;
      message->set_due(due);
      message->set_days_left(days_left);
      message->set_has_term(has_term);
    }
  };
  // Names of terms in rule packs.
  static constexpr char kDepartmentTerm[] = "department_review";
  static constexpr char kSupervisorTerm[] = "supervisor_review";
  static constexpr char kReworkTerm[] = "rework";

  Clock ClockOf(const Reader& snapshot, const v1::CatalogEntry& draft,
                const google::protobuf::Timestamp& since, absl::string_view term) const;
  // Until a day somebody has named.
  Clock ClockUntil(const Reader& snapshot, const google::protobuf::Timestamp& since,
                   const std::string& day) const;
  absl::Status AddReturned(const Reader& snapshot, const CallerIdentity& caller,
                           std::vector<v1::TodoItem>* items) const;
  // Own entries whose template says something else by now.
  absl::Status AddTemplateNews(const Reader& snapshot, const CallerIdentity& caller,
                               absl::Time deadline, std::vector<v1::TodoItem>* items,
                               std::string* note) const;
  void ExplainTemplate(const CallerIdentity& caller, const v1::CatalogEntry& entry,
                       v1::WhyResponse* why) const;
  void ExplainInForce(const Reader& snapshot, const v1::CatalogEntry& entry,
                      v1::WhyResponse* why) const;
  std::optional<v1::Act> LastAct(const Reader& snapshot, const std::string& code) const;
  absl::StatusOr<std::vector<v1::TodoItem>> ItemsOf(const Reader& snapshot,
                                                    const CallerIdentity& caller,
                                                    std::string* note) const;
  std::optional<v1::TodoItem> ItemOf(const Reader& snapshot, const CallerIdentity& caller,
                                     const v1::CatalogEntry& draft,
                                     const std::optional<v1::Department>& department,
                                     uint32_t approvals) const;

  EntryDesk& desk_;
  const Rulings& rulings_;
  const Templates& templates_;
  Demands& demands_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ENTRIES_WORKLIST_H_
