// 共享需求 (demand.proto): what a demand must have, whom it asks, which answers count, what follows
// from them. Functions of records.
#ifndef GUANTONG_CATALOG_DEMAND_H_
#define GUANTONG_CATALOG_DEMAND_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "catalog/base/node_path.h"
#include "catalog/keys.h"
#include "catalog/rule_book.h"
#include "guantong/v1/demand.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/node.pb.h"

namespace guantong {

// The name a demand or an answer stands under in its feed; "" when it says another than it must.
std::string NameOfDemand(const v1::Demand& demand);

// Keys of the indices q and f. A demand that is closed asks nobody any more.
struct DemandIndex {
  std::vector<std::string> held;
  std::vector<std::string> ended;
};
DemandIndex IndexOfDemand(const FeedKey& feed, const v1::Demand& demand);

// What people write, trimmed, a USCC in upper case; and all that is wrong with it.
void NormaliseDemand(v1::Demand* demand);
std::vector<v1::Problem> CheckDemand(const v1::Demand& demand);

// A department as a demand names it: its USCC, or its name, where it may be one of many of that
// name.
struct Addressee {
  std::string whom;      // "" nobody
  std::string division;  // "" any
};
// As the index f has it.
std::string AddresseeKey(absl::string_view whom);
bool Names(const Addressee& addressee, const v1::Department& department);
// Of its division, where that can be told.
std::string DivisionOf(const Addressee& addressee);

// Of `answers` those that count, oldest first. `place`: of the demand's node.
std::vector<v1::HeldAnswer> AnswersThatCount(const v1::Demand& demand, const NodePath& place,
                                             const std::vector<v1::HeldAnswer>& answers);

struct DemandStanding {
  v1::DemandState state = v1::DEMAND_STATE_UNSPECIFIED;
  Addressee asked;   // now: an assignment moves it
  absl::Time since;  // the term runs from here
};
// `answers` count.
DemandStanding StandingOf(const v1::Demand& demand, const std::vector<v1::HeldAnswer>& answers);

// The node of a division: its own, or that of the city, the province or the country it is in.
// Nothing for what is no division, or where none of them is known.
std::optional<NodePath> PlaceOfDivision(const std::vector<v1::TreeNode>& nodes,
                                        absl::string_view division);

// Until when it is to be answered; nothing without a term.
std::optional<absl::CivilDay> DueDay(const DemandStanding& standing, const RuleBook& book);

// The node to whose supervising authority it has gone up on `today`; nothing while that is nobody's
// business. `nodes`: those known here.
std::optional<NodePath> AuthorityOf(const DemandStanding& standing, const NodePath& place,
                                    const std::vector<v1::TreeNode>& nodes, const RuleBook& book,
                                    absl::CivilDay today);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_DEMAND_H_
