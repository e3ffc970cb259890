#include "node/upkeep/copies.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/table.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/driver.h"
#include "node/entry_rules.h"

namespace guantong {
namespace {

constexpr char kTableDigest[] = "table_digest";
constexpr int kRoundsMax = 3;

bool IsBehind(const v1::TableDigest& copy, const v1::TableDigest& source) {
  return copy.reachable() && copy.held() && copy.commit() != source.commit();
}

// Against the provider's, or the nearest to it that could be asked: the last of the way.
void Judge(v1::VerifyResponse* response) {
  const v1::TableDigest* source = nullptr;
  response->clear_first_different();
  for (int i = response->digests_size(); i-- > 0;) {
    v1::TableDigest& copy = *response->mutable_digests(i);
    if (!copy.reachable()) {
      copy.set_verdict("unreachable");
    } else if (!copy.held()) {
      copy.set_verdict("log_only");
    } else if (source == nullptr) {
      copy.set_verdict("source");
      source = &copy;
    } else if (IsBehind(copy, *source)) {
      copy.set_verdict("behind");
    } else if (copy.sha256() == source->sha256()) {
      copy.set_verdict("equal");
    } else {
      copy.set_verdict("differs");
      if (response->first_different().empty()) response->set_first_different(copy.hop().path());
    }
  }
}

}  // namespace

void Copies::Register() {
  calls_.Serve(kTableDigest,
               [this](const v1::SignedCall& call, absl::Time) -> absl::StatusOr<std::string> {
                 const std::string& table = call.body();
                 if (site_.Withholds(table, call.caller().node_id())) {
                   return v1::TableDigest().SerializeAsString();
                 }
                 GT_ASSIGN_OR_RETURN(const v1::TableDigest digest, DigestHere(table));
                 return digest.SerializeAsString();
               });
}

absl::StatusOr<v1::TableDigest> Copies::DigestHere(const std::string& table) const {
  v1::TableDigest digest;
  std::vector<FeedKey> feeds;
  GT_RETURN_IF_ERROR(site_.driver->Read([&](const Engine& engine) {
    for (const v1::FeedInfo& feed : engine.Feeds(table)) {
      if (feed.feed().resource() == table) feeds.push_back(FeedKey::Of(feed.feed()));
    }
  }));
  if (feeds.empty()) return digest;
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  std::string bytes;
  storage::v1::FeedRecord record;
  GT_RETURN_IF_ERROR(snapshot->Get(FeedRecordKey(feeds[0]), &bytes));
  record.ParseFromString(bytes);
  *digest.mutable_position() = record.visible();
  const absl::StatusOr<TableReader> rows = TableReader::Open(*snapshot, feeds[0]);
  if (absl::IsNotFound(rows.status())) return digest;
  GT_RETURN_IF_ERROR(rows.status());
  Sha256Stream stream;
  GT_RETURN_IF_ERROR(rows->Scan("", "", [&](absl::string_view key, absl::string_view row) {
    stream.UpdatePart(key);
    stream.UpdatePart(row);
    digest.set_rows(digest.rows() + 1);
    return true;
  }));
  digest.set_held(true);
  digest.set_commit(rows->record().commit());
  digest.set_sha256(stream.Finish());
  return digest;
}

void Copies::AskAll(const CallerIdentity& caller, const std::string& table, absl::Time deadline,
                    v1::VerifyResponse* response) {
  std::vector<CallQuestion> questions;
  for (const v1::TableDigest& copy : response->digests()) {
    if (copy.hop().path() == site_.path().text()) continue;
    questions.push_back({.target = copy.hop().path(),
                         .method = kTableDigest,
                         .body = table,
                         .uscc = caller.uscc,
                         .budget = deadline - absl::Now()});
  }
  const std::vector<CallAnswer> answers = calls_.AskAll(questions);
  auto answer = answers.begin();
  for (v1::TableDigest& copy : *response->mutable_digests()) {
    v1::Hop hop = copy.hop();
    absl::StatusOr<v1::TableDigest> digest = v1::TableDigest();
    if (hop.path() == site_.path().text()) {
      digest = DigestHere(table);
    } else {
      for (const v1::Hop& passed : answer->hops) {
        if (passed.path() == hop.path() && hop.name().empty()) hop = passed;
      }
      if (!answer->status.ok()) {
        digest = answer->status;
      } else if (!digest->ParseFromString(answer->body)) {
        digest = absl::InternalError("应答无法解析 (the reply does not parse)");
      }
      ++answer;
    }
    copy = digest.ok() ? *digest : v1::TableDigest();
    copy.set_reachable(digest.ok());
    if (!digest.ok()) copy.set_text(std::string(digest.status().message()));
    *copy.mutable_hop() = std::move(hop);
  }
  Judge(response);
}

absl::StatusOr<v1::VerifyResponse> Copies::Compare(const CallerIdentity& caller,
                                                   const std::string& what, absl::Time deadline) {
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(what));
  GT_ASSIGN_OR_RETURN(const v1::ShowResponse found, finder_.Find(ref.code, caller, deadline));
  GT_ASSIGN_OR_RETURN(const NodePath provider, NodePath::Parse(found.provider_path()));
  GT_ASSIGN_OR_RETURN(const std::string table, TableOf(found.entry(), ref.id));
  v1::VerifyResponse response;
  response.set_feeds(1);
  for (v1::Hop& hop : directory_.Way(*site_.store->Snapshot(), provider)) {
    *response.add_digests()->mutable_hop() = std::move(hop);
  }
  for (int round = 0; round < kRoundsMax && absl::Now() < deadline; ++round) {
    AskAll(caller, table, deadline, &response);
    const bool settled =
        std::none_of(response.digests().begin(), response.digests().end(),
                     [](const v1::TableDigest& copy) { return copy.verdict() == "behind"; });
    if (settled) break;
  }
  return response;
}

}  // namespace guantong
