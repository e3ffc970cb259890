// The field's words for the values of our enums, in the current language.
#ifndef GUANTONG_NODE_CLI_WORDS_H_
#define GUANTONG_NODE_CLI_WORDS_H_

#include <string>

#include "guantong/v1/data.pb.h"
#include "guantong/v1/demand.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/node.pb.h"
#include "guantong/v1/review.pb.h"
#include "node/cli/table.h"

namespace guantong {

// A cell: the word for people, the value's name for machines.
TableCell LevelCell(v1::Level level);
TableCell LinkCell(v1::LinkState state);
TableCell StateCell(v1::EntryState state);
TableCell SubscriptionCell(v1::SubscriptionState state);
TableCell SharingCell(v1::SharingType type);
TableCell ModeCell(v1::SharingMode mode);
TableCell CycleCell(v1::UpdateCycle cycle);
TableCell FeedKindCell(v1::FeedKind kind);
TableCell DemandStateCell(v1::DemandState state);
TableCell DemandAnswerCell(v1::DemandAnswerKind kind);
TableCell ActCell(v1::ActKind kind);
// log, snapshot, paused.
TableCell LadderCell(const std::string& ladder);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_WORDS_H_
