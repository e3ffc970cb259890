// Answering questions about rows: from a table held here, or of the provider's node by a routed
// call. The provider holds every question from elsewhere against its own sharing rules again: it
// does not trust the asker's node.
#ifndef GUANTONG_NODE_QUERY_H_
#define GUANTONG_NODE_QUERY_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/entry.h"
#include "catalog/store.h"
#include "catalog/table.h"
#include "guantong/v1/data.pb.h"
#include "node/calls.h"
#include "node/finder.h"
#include "node/kept_rows.h"
#include "node/sights.h"
#include "node/site.h"

namespace guantong {

// A page token belongs to its question: with other conditions it is
// refused. A page ends at the limit, or before the answer outgrows a reply. INVALID_ARGUMENT
// where_invalid, field_unknown, page_token_invalid, limit_too_large; DEADLINE_EXCEEDED
// query_too_slow.
// Rows are looked up in `kept`, if any, which is for questions that look at few. OUT_OF_RANGE when
// more than `rows_seen_max` rows have to be looked at.
absl::StatusOr<v1::QueryResponse> QueryTable(
    const TableReader& table, const v1::QueryRequest& request, absl::Time deadline,
    uint64_t rows_seen_max = std::numeric_limits<uint64_t>::max(), const KeptRows* kept = nullptr);

// A table, and what was read of it lately.
struct ReadTable {
  ReadTable(TableReader read, std::shared_ptr<KeptBytes> all)
      : table(std::move(read)), kept(&table, std::move(all)) {}
  const TableReader table;
  const KeptRows kept;
};

// Any thread.
class Questions {
 public:
  Questions(const Site* site, Calls* calls, Finder* finder, Sights* sights)
      : site_(*site), calls_(*calls), finder_(*finder), sights_(*sights) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // Waits for other nodes.
  absl::StatusOr<v1::QueryResponse> Query(const CallerIdentity& caller,
                                          const v1::QueryRequest& request, absl::Time deadline);

  // Does not wait: what takes longer than a few look-ups goes to the threads for requests. `done`
  // is called once, perhaps before this returns, and must not wait.
  using Done = std::function<void(absl::StatusOr<v1::QueryResponse>)>;
  void Query(const CallerIdentity& caller, const v1::QueryRequest& request, absl::Time deadline,
             Done done);
  // The same, the answer serialised: what another node has made is not taken apart here.
  using DoneBytes = std::function<void(absl::StatusOr<std::string>)>;
  void QueryBytes(const CallerIdentity& caller, const v1::QueryRequest& request,
                  absl::Time deadline, DoneBytes done);

 private:
  // Where the rows of a question are: here, or asked for there.
  struct Place {
    bool here = false;
    std::string table;
    std::string node_path;
  };

  absl::StatusOr<Place> PlaceOf(const CallerIdentity& caller, const ResourceRef& ref,
                                const v1::ShowResponse& found) const;
  CallQuestion Question(const CallerIdentity& caller, const v1::QueryRequest& request,
                        const Place& place, absl::Time deadline) const;
  // `afar` when it is asked of another node, `here` in all other cases.
  void Ask(const CallerIdentity& caller, const v1::QueryRequest& request, absl::Time deadline,
           Done here, std::function<void(CallAnswer)> afar);
  absl::StatusOr<v1::QueryResponse> ResponseOf(CallAnswer answer) const;
  absl::StatusOr<v1::QueryResponse> QueryHere(const v1::FeedId& feed,
                                              const v1::QueryRequest& request, absl::Time deadline,
                                              uint64_t rows_seen_max) const;
  absl::StatusOr<v1::QueryResponse> QueryCopy(const CallerIdentity& caller,
                                              const v1::QueryRequest& request, absl::Time deadline,
                                              uint64_t rows_seen_max) const;
  // The table that others may ask for as `code`, with all that speaks against it looked at.
  using Table = absl::StatusOr<std::shared_ptr<const ReadTable>>;
  Table TableForOthers(const Reader& snapshot, const ResourceRef& ref) const;
  Table TableIn(const Reader& snapshot, const FeedKey& feed) const;
  absl::StatusOr<std::string> Answer(const v1::SignedCall& call, absl::Time deadline,
                                     uint64_t rows_seen_max) const;

  const Site& site_;
  Calls& calls_;
  Finder& finder_;
  Sights& sights_;
  const std::shared_ptr<KeptBytes> kept_bytes_ = std::make_shared<KeptBytes>(0);
};

}  // namespace guantong

#endif  // GUANTONG_NODE_QUERY_H_
