#include "node/readers.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/view.h"
#include "node/driver.h"
#include "node/entry_rules.h"
#include "node/limits.h"
#include "node/trace.h"

namespace guantong {
namespace {

std::string Place(const std::string& path) {
  const absl::StatusOr<NodePath> parsed = NodePath::Parse(path);
  return parsed.ok() ? DisplayPath(*parsed) : path;
}

std::string Listed(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const size_t all = names.size();
  if (all > kReadersNamedMax) names.resize(kReadersNamedMax);
  return absl::StrCat(absl::StrJoin(names, "、"),
                      all > names.size() ? absl::StrCat(" … 共 (in all) ", all) : "");
}

}  // namespace

void Readers::Collect(const std::string& table, const CallerIdentity& caller, absl::Time deadline,
                      std::vector<std::string>* readers, std::vector<std::string>* unasked) const {
  std::set<std::string> seen = {site_.path().text()};
  std::vector<std::string> next;
  const auto follow = [&](const v1::FeedInfo& feed) {
    for (const v1::FeedDownstream& one : feed.downstream()) {
      if (seen.insert(one.path()).second) next.push_back(one.path());
    }
  };
  const absl::Status read = site_.driver->Read([&](const Engine& engine) {
    for (const v1::FeedInfo& feed : engine.Feeds(table)) {
      if (feed.feed().resource() == table && feed.own()) follow(feed);
    }
  });
  if (!read.ok()) return;
  size_t asked = 0;
  while (!next.empty()) {
    std::vector<CallQuestion> questions;
    for (const std::string& path : std::exchange(next, {})) {
      if (++asked > kReadersAskedMax) {
        unasked->push_back(Place(path));
        continue;
      }
      questions.push_back({.target = path,
                           .method = kFeedInfo,
                           .body = table,
                           .uscc = caller.uscc,
                           .budget = deadline - absl::Now()});
    }
    const std::vector<CallAnswer> answers = calls_.AskAll(questions);
    for (size_t i = 0; i < answers.size(); ++i) {
      v1::FeedsResponse feeds;
      if (!answers[i].status.ok() || !feeds.ParseFromString(answers[i].body)) {
        unasked->push_back(Place(questions[i].target));
        continue;
      }
      const std::string name = answers[i].hops.empty() ? "" : answers[i].hops.back().name();
      for (const v1::FeedInfo& feed : feeds.feeds()) {
        if (feed.feed().origin() != site_.node_id()) continue;
        const std::string who = absl::StrCat(Place(questions[i].target), " ", name);
        if (feed.subscribed()) readers->push_back(who);
        // It has the rows for somebody who is away.
        if (!feed.subscribed() && feed.downstream().empty()) unasked->push_back(who);
        follow(feed);
      }
    }
  }
}

absl::Status Readers::NamedIn(const absl::Status& refused, const std::string& code,
                              const CallerIdentity& caller, absl::Time deadline) const {
  const ErrorDetail detail = DetailOf(refused);
  if (detail.reason != "items_incompatible") return refused;
  const absl::StatusOr<v1::CatalogEntry> entry = FindEntry(*site_.store->Snapshot(), code);
  if (!entry.ok()) return refused;
  std::vector<std::string> readers, unasked;
  for (const std::string& table : TablesOf(*entry)) {
    Collect(table, caller, std::min(deadline, absl::Now() + absl::Seconds(kReadersSecondsMax)),
            &readers, &unasked);
  }
  if (readers.empty() && unasked.empty()) return refused;
  std::string text(refused.message());
  if (!readers.empty())
    absl::StrAppend(&text, "；将影响的订阅节点 (it would break)：", Listed(std::move(readers)));
  if (!unasked.empty()) {
    absl::StrAppend(
        &text, "；以下节点或其下级暂时联系不上、可能还有 (away at the moment, or below these)：",
        Listed(std::move(unasked)));
  }
  return Error(refused.code(), detail.reason, text, detail.subject, detail.remedy);
}

}  // namespace guantong
