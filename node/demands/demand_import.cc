// Demands said one by one, and many of one file.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/demand.h"
#include "catalog/demand_view.h"
#include "catalog/keys.h"
#include "node/clock.h"
#include "node/demands/demands.h"
#include "node/driver.h"
#include "node/limits.h"

namespace guantong {
namespace {

// Gives ids within one change. A store that came from a backup may have taken back what was said
// after it: the number goes on behind those.
class IdGiver {
 public:
  explicit IdGiver(const Reader* snapshot) : snapshot_(*snapshot) {}

  absl::StatusOr<std::string> Next(const std::string& division) {
    const std::string counter = SerialKey(absl::StrCat("demand/", division));
    auto it = serials_.find(counter);
    if (it == serials_.end()) {
      std::string last;
      uint64_t serial = 0;
      const absl::Status read = snapshot_.Get(counter, &last);
      if (!read.ok() && !absl::IsNotFound(read)) return read;
      if (read.ok() && !absl::SimpleAtoi(last, &serial)) return StoredRecordDamaged();
      it = serials_.emplace(counter, serial).first;
    }
    const std::string day = absl::StrReplaceAll(DateOf(absl::Now()), {{"-", ""}});
    std::string id;
    do {
      id = absl::StrFormat("D%s-%s-%04d", division, day, ++it->second);
    } while (!FindDemands(snapshot_, id).empty());
    return id;
  }
  void Save(WriteSet* writes) const {
    for (const auto& [counter, serial] : serials_) writes->Put(counter, absl::StrCat(serial));
  }

 private:
  const Reader& snapshot_;
  std::map<std::string, uint64_t> serials_;
};

// What makes two demands of a department one.
std::string SaidPart(const v1::Demand& demand) {
  return absl::StrJoin({demand.what(), AddresseeKey(demand.from()), demand.from_division(),
                        demand.basis(), demand.scenario(), demand.frequency()},
                       std::string(1, '\0'));
}

}  // namespace

v1::Demand Demands::Begin(const Reader& snapshot, const CallerIdentity& caller,
                          const v1::Demand& said, std::vector<v1::Problem>* problems) const {
  v1::Demand demand;
  demand.set_what(said.what());
  demand.set_from(said.from());
  demand.set_from_division(said.from_division());
  demand.set_basis(said.basis());
  demand.set_scenario(said.scenario());
  demand.set_frequency(said.frequency());
  NormaliseDemand(&demand);
  *problems = CheckDemand(demand);
  const auto department = desk_.FindDepartment(snapshot, caller.uscc);
  demand.set_uscc(caller.uscc);
  demand.set_department(department.has_value() ? department->name() : "");
  demand.set_division(department.has_value() ? department->division() : site_.options.division);
  if (Names({.whom = demand.from(), .division = demand.from_division()},
            department.value_or(v1::Department()))) {
    v1::Problem& problem = problems->emplace_back();
    problem.set_element("from");
    problem.set_text("所需数据的提供方是本部门自己 (asked of the own department)");
    problem.set_remedy("写持有数据的部门，不知道则不写 (name the one that holds it, or nobody)");
  }
  demand.set_node(site_.node_id());
  *demand.mutable_at() = TimestampOf(absl::Now());
  return demand;
}

absl::StatusOr<v1::DemandView> Demands::Say(const CallerIdentity& caller,
                                            const v1::RegisterDemandRequest& request) {
  std::lock_guard<std::mutex> lock(change_mutex_);
  DemandSight sight(&site_, &directory_);
  std::vector<v1::Problem> problems;
  v1::Demand demand = Begin(sight.snapshot(), caller, request.demand(), &problems);
  if (!problems.empty()) {
    std::vector<std::string> texts;
    for (const v1::Problem& problem : problems) texts.push_back(problem.text());
    return Error(absl::StatusCode::kInvalidArgument, "demand_invalid", absl::StrJoin(texts, "；"),
                 problems[0].element(), problems[0].remedy());
  }
  WriteSet writes;
  IdGiver ids(&sight.snapshot());
  GT_ASSIGN_OR_RETURN(*demand.mutable_id(), ids.Next(demand.division()));
  ids.Save(&writes);
  demand.set_key(demand.id());
  GT_RETURN_IF_ERROR(Append({demand}, std::move(writes)));
  v1::HeldDemand held;
  *held.mutable_demand() = std::move(demand);
  held.set_path(site_.path().text());
  held.set_node_name(site_.options.name);
  return asking_.ViewOf(&sight, held);
}

std::map<std::string, std::string> Demands::OpenOf(const Reader& snapshot,
                                                   const std::string& uscc) const {
  std::map<std::string, std::string> open;
  const std::string prefix = EntryPrefix(FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_DEMANDS)));
  const auto cursor = snapshot.Scan(prefix, PrefixEnd(prefix));
  for (; cursor->Valid(); cursor->Next()) {
    v1::Demand demand;
    if (demand.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())) &&
        !demand.has_answer() && !demand.closed() && demand.uscc() == uscc) {
      open.emplace(SaidPart(demand), demand.id());
    }
  }
  return open;
}

absl::StatusOr<v1::ImportDemandsResponse> Demands::Import(const CallerIdentity& caller,
                                                          const v1::ImportDemandsRequest& request) {
  if (static_cast<size_t>(request.demands_size()) > kDemandsImportedMax) {
    return Error(absl::StatusCode::kInvalidArgument, "import_too_large",
                 absl::StrCat("一次最多导入 ", kDemandsImportedMax, " 条需求，文件中有 ",
                              request.demands_size(), " 条 (too many for one import)"),
                 "demands", "拆成几个文件分次导入 (divide the file)");
  }
  std::lock_guard<std::mutex> lock(change_mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  std::map<std::string, std::string> known = OpenOf(*snapshot, caller.uscc);
  std::map<std::string, int> in_file;  // the first row that says it
  IdGiver ids(snapshot.get());
  v1::ImportDemandsResponse response;
  std::vector<v1::Demand> added;
  for (int i = 0; i < request.demands_size(); ++i) {
    v1::ImportedDemand* imported = response.add_demands();
    std::vector<v1::Problem> problems;
    v1::Demand demand = Begin(*snapshot, caller, request.demands(i), &problems);
    const std::string said = SaidPart(demand);
    if (const auto it = in_file.emplace(said, i); !it.second && problems.empty()) {
      v1::Problem& problem = problems.emplace_back();
      problem.set_text(absl::StrCat("与文件中第 ", it.first->second + 1,
                                    " 条需求完全相同 (the same demand twice in one file)"));
      problem.set_remedy("删去重复的一行 (take one of them out)");
    }
    if (!problems.empty()) {
      for (v1::Problem& problem : problems) *imported->add_problems() = std::move(problem);
      response.set_refused(response.refused() + 1);
    } else if (const auto same = known.find(said); same != known.end()) {
      imported->set_same(true);
      imported->set_id(same->second);
      response.set_same(response.same() + 1);
    } else {
      GT_ASSIGN_OR_RETURN(*demand.mutable_id(), ids.Next(demand.division()));
      demand.set_key(demand.id());
      imported->set_id(demand.id());
      added.push_back(std::move(demand));
      response.set_added(response.added() + 1);
    }
  }
  if (response.refused() == 0 && !request.dry_run() && !added.empty()) {
    WriteSet writes;
    ids.Save(&writes);
    GT_RETURN_IF_ERROR(Append(added, std::move(writes)));
    response.set_stored(true);
  }
  for (v1::ImportedDemand& imported : *response.mutable_demands()) {
    if (!response.stored() && !imported.same()) imported.clear_id();
  }
  return response;
}

}  // namespace guantong
