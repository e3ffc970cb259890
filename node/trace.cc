#include "node/trace.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {
void Trace::Register() {
  calls_.Serve(kFeedInfo,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 const std::string& table = call.body();
                 if (site_.Withholds(table, call.caller().node_id())) {
                   return v1::FeedsResponse().SerializeAsString();
                 }
                 GT_ASSIGN_OR_RETURN(const v1::FeedsResponse feeds, FeedsHere(table));
                 return feeds.SerializeAsString();
               });
}

absl::StatusOr<v1::FeedsResponse> Trace::FeedsHere(const std::string& table) const {
  v1::FeedsResponse response;
  GT_RETURN_IF_ERROR(site_.driver->Read([&](const Engine& engine) {
    for (v1::FeedInfo& feed : engine.Feeds(table)) {
      if (feed.feed().resource() == table) *response.add_feeds() = std::move(feed);
    }
  }));
  return response;
}

absl::StatusOr<v1::TraceResponse> Trace::Run(const CallerIdentity& caller, const std::string& what,
                                             absl::Time deadline) {
  // A code has a class and a sequence; the id of a call is hexadecimal.
  if (what.find('/') == std::string::npos) return TraceCall(absl::AsciiStrToLower(what));
  return TraceResource(caller, what, deadline);
}

absl::StatusOr<v1::TraceResponse> Trace::TraceCall(const std::string& id) const {
  GT_ASSIGN_OR_RETURN(const Calls::Traced call, calls_.Find(id));
  v1::TraceResponse response;
  response.set_code(call.id);
  for (const v1::Hop& hop : call.answer.hops) {
    v1::TraceHop* passed = response.add_hops();
    *passed->mutable_hop() = hop;
    passed->set_reachable(true);
  }
  if (response.hops_size() > 0) {
    v1::TraceHop* last = response.mutable_hops(response.hops_size() - 1);
    last->set_elapsed_ms(absl::ToDoubleMilliseconds(call.answer.elapsed));
    last->set_reachable(call.answer.status.ok());
    last->set_text(call.answer.status.ok() ? call.method
                                           : std::string(call.answer.status.message()));
  }
  return response;
}

absl::StatusOr<v1::TraceResponse> Trace::TraceResource(const CallerIdentity& caller,
                                                       const std::string& what,
                                                       absl::Time deadline) {
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(what));
  GT_ASSIGN_OR_RETURN(const v1::ShowResponse found, finder_.Find(ref.code, caller, deadline));
  GT_ASSIGN_OR_RETURN(const NodePath provider, NodePath::Parse(found.provider_path()));
  std::vector<std::string> tables = TablesOf(found.entry());
  if (!ref.id.empty()) {
    GT_ASSIGN_OR_RETURN(const std::string table, TableOf(found.entry(), ref.id));
    tables = {table};
  }
  const std::vector<v1::Hop> way = directory_.Way(*site_.store->Snapshot(), provider);
  v1::TraceResponse response;
  response.set_code(found.entry().code());
  for (const std::string& table : tables) {
    std::vector<CallQuestion> questions;
    for (const v1::Hop& hop : way) {
      if (hop.path() == site_.path().text()) continue;
      questions.push_back({.target = hop.path(),
                           .method = kFeedInfo,
                           .body = table,
                           .uscc = caller.uscc,
                           .budget = deadline - absl::Now()});
    }
    std::vector<CallAnswer> answers = calls_.AskAll(questions);
    auto answer = answers.begin();
    for (const v1::Hop& hop : way) {
      v1::TraceHop* traced = response.add_hops();
      *traced->mutable_hop() = hop;
      absl::StatusOr<v1::FeedsResponse> feeds = v1::FeedsResponse();
      if (hop.path() == site_.path().text()) {
        feeds = FeedsHere(table);
      } else {
        // A node that only the way there knows has its name from that way.
        for (const v1::Hop& passed : answer->hops) {
          if (passed.path() == hop.path() && hop.name().empty()) *traced->mutable_hop() = passed;
        }
        traced->set_elapsed_ms(absl::ToDoubleMilliseconds(answer->elapsed));
        if (!answer->status.ok()) {
          feeds = answer->status;
        } else if (!feeds->ParseFromString(answer->body)) {
          feeds = Error(absl::StatusCode::kInternal, "reply_malformed",
                        "应答无法解析 (the reply does not parse)");
        }
        ++answer;
      }
      traced->set_reachable(feeds.ok());
      if (!feeds.ok()) {
        traced->set_text(std::string(feeds.status().message()));
      } else if (feeds->feeds_size() > 0) {
        *traced->mutable_feed() = feeds->feeds(0);
      }
    }
  }
  return response;
}

}  // namespace guantong
