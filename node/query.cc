#include "node/query.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/filter.h"
#include "catalog/row.h"
#include "catalog/table.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/entry_rules.h"
#include "node/limits.h"
#include "node/subscriptions.h"
#include "node/workers.h"

namespace guantong {
namespace {

constexpr char kQuery[] = "query";
constexpr size_t kQuestionDigestBytes = 8;
constexpr uint64_t kRowsSeenQuickly = 16;
constexpr uint64_t kAllRows = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kRowsBetweenClockLooks = 1024;
// Room for schema, hops and the framing of rows.
constexpr size_t kRowsBytesMax = kReplyBytesMax - (256 << 10);

// What a page token must not be used across.
std::string QuestionDigest(const v1::QueryRequest& request) {
  Sha256Stream stream;
  stream.UpdatePart(request.code());
  stream.UpdatePart(request.where());
  for (const std::string& field : request.fields()) stream.UpdatePart(field);
  return stream.Finish().substr(0, kQuestionDigestBytes);
}

// The key after which the page begins; empty at the beginning.
absl::StatusOr<std::string> KeyOfToken(const v1::QueryRequest& request) {
  if (request.page_token().empty()) return std::string();
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(request.page_token(), &bytes) ||
      bytes.size() <= kQuestionDigestBytes ||
      bytes.substr(0, kQuestionDigestBytes) != QuestionDigest(request)) {
    return Error(absl::StatusCode::kInvalidArgument, "page_token_invalid",
                 "翻页标记不属于这个查询 (the page token belongs to another question)",
                 request.code(),
                 "条件和字段不变时才能翻页 (keep code, where and fields as they were)");
  }
  return bytes.substr(kQuestionDigestBytes);
}

std::string TokenAfter(const v1::QueryRequest& request, absl::string_view key) {
  return absl::WebSafeBase64Escape(absl::StrCat(QuestionDigest(request), key));
}

// Which columns are returned, in the order asked for.
absl::StatusOr<std::vector<int>> Projection(const v1::QueryRequest& request,
                                            const v1::DatasetSchema& schema) {
  std::vector<int> columns;
  for (const std::string& field : request.fields()) {
    int column = 0;
    while (column < schema.columns_size() && schema.columns(column).field() != field) ++column;
    if (column == schema.columns_size()) {
      std::string known;
      for (const v1::Column& c : schema.columns())
        absl::StrAppend(&known, known.empty() ? "" : ", ", c.field());
      return Error(absl::StatusCode::kInvalidArgument, "field_unknown",
                   absl::StrCat("没有字段 ", field, " (no such field)"), field,
                   absl::StrCat("字段 (fields): ", known));
    }
    columns.push_back(column);
  }
  if (columns.size() > kColumnsMax) {
    return Error(absl::StatusCode::kInvalidArgument, "field_unknown", "字段过多 (too many fields)");
  }
  if (columns.empty()) {
    for (int i = 0; i < schema.columns_size(); ++i) columns.push_back(i);
  }
  return columns;
}

void Project(const v1::Row& row, const std::vector<int>& columns, v1::Row* out) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (IsNull(row, columns[i])) {
      out->add_values();
      out->add_nulls(static_cast<uint32_t>(i));
    } else {
      out->add_values(row.values(columns[i]));
    }
  }
}

}  // namespace

absl::StatusOr<v1::QueryResponse> QueryTable(const TableReader& table,
                                             const v1::QueryRequest& request, absl::Time deadline,
                                             uint64_t rows_seen_max, const KeptRows* kept) {
  if (request.where().size() > kWhereBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument, "where_invalid",
                 absl::StrCat("条件超过 ", kWhereBytesMax, " 字节 (the condition is too long)"));
  }
  if (request.limit() > kQueryLimitMax) {
    return Error(absl::StatusCode::kInvalidArgument, "limit_too_large",
                 absl::StrCat("每页最多 ", kQueryLimitMax, " 行 (at most so many rows a page)"), "",
                 "用翻页标记取后续页 (use the page token for more)");
  }
  GT_ASSIGN_OR_RETURN(const Filter filter, Filter::Parse(request.where(), table.schema()));
  GT_ASSIGN_OR_RETURN(const std::vector<int> columns, Projection(request, table.schema()));
  GT_ASSIGN_OR_RETURN(const std::string after, KeyOfToken(request));

  v1::QueryResponse response;
  for (int column : columns)
    *response.mutable_schema()->add_columns() = table.schema().columns(column);
  response.mutable_schema()->set_version(table.schema().version());
  response.set_commit(table.record().commit());
  *response.mutable_as_of() = table.record().as_of();
  if (request.count() && request.where().empty()) {
    response.set_total(table.record().rows());
    return response;
  }
  const int limit = static_cast<int>(request.limit() == 0 ? kQueryLimitDefault : request.limit());
  const Filter::Range range = filter.KeyRange();
  std::string begin = range.begin;
  // The least key greater than `after`.
  if (!after.empty()) begin = std::max(begin, after + '\0');
  if (!range.end.empty() && begin >= range.end) return response;

  absl::Status status;
  std::string last_key;
  size_t bytes = 0;
  uint64_t seen = 0;
  v1::Row row;
  const auto take = [&](absl::string_view key, absl::string_view value) {
    if (seen == rows_seen_max) {
      status = absl::OutOfRangeError("more rows to look at");
      return false;
    }
    if (++seen % kRowsBetweenClockLooks == 0 && absl::Now() > deadline) {
      status = Error(
          absl::StatusCode::kDeadlineExceeded, "query_too_slow",
          absl::StrCat("在时限内只查看了 ", seen, " 行 (out of time after so many rows)"),
          request.code(),
          "按主键加条件，或加大 --timeout (add a condition on the key, or give it more time)");
      return false;
    }
    if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      status = Error(absl::StatusCode::kDataLoss, "store_corrupt",
                     "存储的行无法解析 (a stored row does not parse)");
      return false;
    }
    if (!filter.Matches(row)) return true;
    if (request.count()) {
      response.set_total(response.total() + 1);
      return true;
    }
    const bool full = response.rows_size() == limit || bytes + value.size() > kRowsBytesMax;
    if (full && response.rows_size() > 0) {
      response.set_next_page_token(TokenAfter(request, last_key));
      return false;
    }
    bytes += value.size() + 2 * columns.size();
    last_key.assign(key.data(), key.size());
    Project(row, columns, response.add_rows());
    return true;
  };
  GT_RETURN_IF_ERROR(kept != nullptr ? kept->Scan(begin, range.end, take)
                                     : table.Scan(begin, range.end, take));
  GT_RETURN_IF_ERROR(status);
  return response;
}

void Questions::Register() {
  calls_.Serve(
      kQuery,
      [this](const v1::SignedCall& call, absl::Time deadline) {
        return Answer(call, deadline, kAllRows);
      },
      [this](const v1::SignedCall& call,
             absl::Time deadline) -> std::optional<absl::StatusOr<std::string>> {
        absl::StatusOr<std::string> answer = Answer(call, deadline, kRowsSeenQuickly);
        if (absl::IsOutOfRange(answer.status())) return std::nullopt;
        return answer;
      });
}

absl::StatusOr<std::string> Questions::Answer(const v1::SignedCall& call, absl::Time deadline,
                                              uint64_t rows_seen_max) const {
  v1::QueryRequest request;
  if (!request.ParseFromString(call.body())) {
    return Error(absl::StatusCode::kInvalidArgument, "call_malformed",
                 "调用内容无法解析 (the call's body does not parse)");
  }
  // Its parts are of bounded size, what was sent is not.
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  const std::shared_ptr<const Sight> sight = sights_.Now(*site_.store);
  const std::shared_ptr<const Table> table =
      sight->Keep<Table>(absl::StrCat("for others ", ref.code, ":", ref.id),
                         [&](const Reader& snapshot) { return TableForOthers(snapshot, ref); });
  GT_RETURN_IF_ERROR(table->status());
  GT_ASSIGN_OR_RETURN(const v1::QueryResponse response,
                      QueryTable((**table)->table, request, deadline, rows_seen_max,
                                 rows_seen_max <= kRowsSeenQuickly ? &(**table)->kept : nullptr));
  return response.SerializeAsString();
}

Questions::Table Questions::TableForOthers(const Reader& snapshot, const ResourceRef& ref) const {
  GT_ASSIGN_OR_RETURN(const v1::CatalogEntry entry, FindEntry(snapshot, ref.code));
  if (entry.node() != site_.node_id()) {
    return Error(absl::StatusCode::kNotFound, "entry_unknown",
                 absl::StrCat("本节点不是 ", ref.code, " 的提供方 (not provided by this node)"),
                 ref.code);
  }
  GT_RETURN_IF_ERROR(CheckInForce(entry));
  GT_RETURN_IF_ERROR(CheckSharing(entry));
  GT_ASSIGN_OR_RETURN(const std::string table, TableOf(entry, ref.id));
  return TableIn(snapshot, FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_ROWS, table)));
}

Questions::Table Questions::TableIn(const Reader& snapshot, const FeedKey& feed) const {
  GT_ASSIGN_OR_RETURN(TableReader table, TableReader::Open(snapshot, feed));
  return std::make_shared<const ReadTable>(std::move(table), kept_bytes_);
}

absl::StatusOr<v1::QueryResponse> Questions::QueryHere(const v1::FeedId& feed,
                                                       const v1::QueryRequest& request,
                                                       absl::Time deadline,
                                                       uint64_t rows_seen_max) const {
  const std::shared_ptr<const Sight> sight = sights_.Now(*site_.store);
  const FeedKey key = FeedKey::Of(feed);
  const std::shared_ptr<const Table> table = sight->Keep<Table>(
      // Nobody's code is taken for this: the check of others would be left out.
      absl::StrCat("here ", key.bytes()),
      [&](const Reader& snapshot) { return TableIn(snapshot, key); });
  GT_RETURN_IF_ERROR(table->status());
  GT_ASSIGN_OR_RETURN(v1::QueryResponse response,
                      QueryTable((**table)->table, request, deadline, rows_seen_max,
                                 rows_seen_max <= kRowsSeenQuickly ? &(**table)->kept : nullptr));
  v1::Hop* hop = response.add_hops();
  hop->set_path(site_.path().text());
  hop->set_name(site_.options.name);
  response.set_answered_by(site_.path().text());
  return response;
}

absl::StatusOr<v1::QueryResponse> Questions::QueryCopy(const CallerIdentity& caller,
                                                       const v1::QueryRequest& request,
                                                       absl::Time deadline,
                                                       uint64_t rows_seen_max) const {
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  absl::StatusOr<v1::CatalogEntry> entry = FindEntry(*snapshot, ref.code);
  if (entry.ok() && entry->node() == site_.node_id()) {
    GT_RETURN_IF_ERROR(CheckInForce(*entry));
    GT_RETURN_IF_ERROR(CheckReader(site_, caller, *entry));
    GT_ASSIGN_OR_RETURN(const std::string table, TableOf(*entry, ref.id));
    return QueryHere(site_.OwnFeed(v1::FEED_KIND_ROWS, table), request, deadline, rows_seen_max);
  }
  const absl::Status no_copy = Error(
      absl::StatusCode::kNotFound, "no_local_copy",
      absl::StrCat("本节点没有 ", request.code(), " 的副本 (no copy is held here)"), request.code(),
      "去掉 --local 向提供方查询，或先订阅 (ask the provider without --local, or subscribe)");
  absl::StatusOr<storage::v1::StoredInterest> interest = FindSubscription(*snapshot, ref);
  if (absl::IsNotFound(interest.status())) return no_copy;
  GT_RETURN_IF_ERROR(interest.status());
  // A copy that nobody feeds any more hears of no end; the catalogue does.
  if (entry.ok()) {
    GT_RETURN_IF_ERROR(CheckInForce(*entry));
    GT_RETURN_IF_ERROR(CheckSharing(*entry));
  }
  absl::StatusOr<v1::QueryResponse> response =
      QueryHere(interest->feed(), request, deadline, rows_seen_max);
  if (absl::IsNotFound(response.status())) return no_copy;
  return response;
}

absl::StatusOr<Questions::Place> Questions::PlaceOf(const CallerIdentity& caller,
                                                    const ResourceRef& ref,
                                                    const v1::ShowResponse& found) const {
  GT_RETURN_IF_ERROR(CheckInForce(found.entry()));
  GT_RETURN_IF_ERROR(CheckReader(site_, caller, found.entry()));
  GT_ASSIGN_OR_RETURN(std::string table, TableOf(found.entry(), ref.id));
  return Place{.here = found.entry().node() == site_.node_id(),
               .table = std::move(table),
               .node_path = found.provider_path()};
}

CallQuestion Questions::Question(const CallerIdentity& caller, const v1::QueryRequest& request,
                                 const Place& place, absl::Time deadline) const {
  return {.target = place.node_path,
          .method = kQuery,
          .body = request.SerializeAsString(),
          .uscc = caller.uscc,
          .purpose = request.purpose(),
          .budget = deadline - absl::Now()};
}

absl::StatusOr<v1::QueryResponse> Questions::ResponseOf(CallAnswer answer) const {
  GT_RETURN_IF_ERROR(answer.status);
  v1::QueryResponse response;
  if (!response.ParseFromString(answer.body)) {
    return Error(absl::StatusCode::kInternal, "reply_malformed",
                 absl::StrCat(DisplayPath(site_.path()), "：", answer.answered_by,
                              " 的应答无法解析 (the reply does not parse)"));
  }
  response.mutable_hops()->Assign(answer.hops.begin(), answer.hops.end());
  response.set_answered_by(answer.answered_by);
  return response;
}

absl::StatusOr<v1::QueryResponse> Questions::Query(const CallerIdentity& caller,
                                                   const v1::QueryRequest& request,
                                                   absl::Time deadline) {
  if (request.local()) return QueryCopy(caller, request, deadline, kAllRows);
  GT_ASSIGN_OR_RETURN(const ResourceRef ref, ParseResourceRef(request.code()));
  GT_ASSIGN_OR_RETURN(const v1::ShowResponse found, finder_.Find(ref.code, caller, deadline));
  GT_ASSIGN_OR_RETURN(const Place place, PlaceOf(caller, ref, found));
  if (place.here) {
    return QueryHere(site_.OwnFeed(v1::FEED_KIND_ROWS, place.table), request, deadline, kAllRows);
  }
  return ResponseOf(calls_.Ask(Question(caller, request, place, deadline)));
}

void Questions::Query(const CallerIdentity& caller, const v1::QueryRequest& request,
                      absl::Time deadline, Done done) {
  Ask(caller, request, deadline, done,
      [this, done](CallAnswer answer) { done(ResponseOf(std::move(answer))); });
}

void Questions::QueryBytes(const CallerIdentity& caller, const v1::QueryRequest& request,
                           absl::Time deadline, DoneBytes done) {
  Ask(
      caller, request, deadline,
      [done](const absl::StatusOr<v1::QueryResponse>& made) {
        if (!made.ok()) return done(made.status());
        done(made->SerializeAsString());
      },
      [done](CallAnswer answer) {
        if (!answer.status.ok()) return done(answer.status);
        // Fields that follow a serialised message belong to it.
        v1::QueryResponse way;
        way.mutable_hops()->Assign(answer.hops.begin(), answer.hops.end());
        way.set_answered_by(answer.answered_by);
        way.AppendToString(&answer.body);
        done(std::move(answer.body));
      });
}

void Questions::Ask(const CallerIdentity& caller, const v1::QueryRequest& request,
                    absl::Time deadline, Done here, std::function<void(CallAnswer)> afar) {
  auto later = [&] {
    const absl::Status taken = site_.requests->Run(
        [this, caller, request, deadline, here] { here(Query(caller, request, deadline)); });
    if (!taken.ok()) here(taken);
  };
  if (request.local()) {
    absl::StatusOr<v1::QueryResponse> response =
        QueryCopy(caller, request, deadline, kRowsSeenQuickly);
    return absl::IsOutOfRange(response.status()) ? later() : here(std::move(response));
  }
  absl::StatusOr<ResourceRef> ref = ParseResourceRef(request.code());
  if (!ref.ok()) return here(ref.status());
  const std::shared_ptr<const Finder::Found> found = finder_.FindKnown(ref->code);
  if (absl::IsNotFound(found->status())) return later();
  if (!found->ok()) return here(found->status());
  absl::StatusOr<Place> place = PlaceOf(caller, *ref, **found);
  if (!place.ok()) return here(place.status());
  if (place->here) {
    absl::StatusOr<v1::QueryResponse> response = QueryHere(
        site_.OwnFeed(v1::FEED_KIND_ROWS, place->table), request, deadline, kRowsSeenQuickly);
    return absl::IsOutOfRange(response.status()) ? later() : here(std::move(response));
  }
  calls_.Ask(Question(caller, request, *place, deadline), std::move(afar));
}

}  // namespace guantong
