#include "node/catalogue.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/entry.h"
#include "catalog/keys.h"
#include "catalog/row.h"
#include "catalog/table.h"
#include "catalog/view.h"
#include "guantong/storage/v1/store.pb.h"
#include "node/clock.h"
#include "node/driver.h"
#include "node/entry_rules.h"
#include "node/limits.h"

namespace guantong {
namespace {

template <typename Message>
absl::StatusOr<std::optional<Message>> Load(const Reader& store, const std::string& key) {
  std::string bytes;
  const absl::Status status = store.Get(key, &bytes);
  if (absl::IsNotFound(status)) return std::optional<Message>();
  GT_RETURN_IF_ERROR(status);
  Message message;
  if (!message.ParseFromString(bytes)) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                 "存储中的记录无法解析 (a stored record does not parse)");
  }
  return std::optional<Message>(std::move(message));
}

absl::Status Unknown(const std::string& code) {
  return Error(absl::StatusCode::kNotFound, "entry_unknown",
               absl::StrCat("没有这个条目：", code, " (no such entry)"), code,
               "核对代码，或用 guantong catalog list --mine 查看 (check the code)");
}

bool NotShared(const v1::CatalogEntry& entry) {
  return entry.sharing().type() == v1::SHARING_TYPE_NOT_SHARED;
}

v1::CatalogEntry Tombstone(const v1::CatalogEntry& entry) {
  v1::CatalogEntry tombstone = entry;
  tombstone.clear_items();
  tombstone.set_state(v1::ENTRY_STATE_WITHDRAWN);
  tombstone.set_version(entry.version() + 1);
  *tombstone.mutable_updated_at() = TimestampOf(absl::Now());
  return tombstone;
}

std::string SchemaBytes(const v1::CatalogEntry& entry) {
  absl::StatusOr<v1::DatasetSchema> schema = SchemaOf(entry);
  if (!schema.ok()) return "";
  schema->set_version(0);
  return schema->SerializeAsString();
}

}  // namespace

absl::StatusOr<Catalogue::Own> Catalogue::LoadOwn(const Reader& snapshot,
                                                  const CallerIdentity& caller,
                                                  const std::string& code) const {
  Own own;
  GT_ASSIGN_OR_RETURN(own.draft, Load<v1::CatalogEntry>(snapshot, DraftKey(code)));
  absl::StatusOr<v1::CatalogEntry> in_force = FindEntry(snapshot, code);
  if (in_force.ok()) {
    own.in_force = *std::move(in_force);
  } else if (!absl::IsNotFound(in_force.status())) {
    return in_force.status();
  }
  if (!own.draft.has_value() && !own.in_force.has_value()) return Unknown(code);
  GT_RETURN_IF_ERROR(CheckOwner(site_, caller, own.any()));
  return own;
}

absl::Status Catalogue::Prepare(const Reader& snapshot, const CallerIdentity& caller,
                                v1::CatalogEntry* entry) const {
  NormaliseEntry(entry);
  GT_ASSIGN_OR_RETURN(const std::optional<storage::v1::StoredDepartment> stored,
                      Load<storage::v1::StoredDepartment>(snapshot, DepartmentKey(caller.uscc)));
  if (entry->provider_code().empty()) entry->set_provider_code(caller.uscc);
  if (stored.has_value()) {
    if (entry->provider().empty()) entry->set_provider(stored->department().name());
    entry->set_division(stored->department().division());
  }
  entry->set_node(site_.node_id());
  *entry->mutable_updated_at() = TimestampOf(absl::Now());
  GT_RETURN_IF_ERROR(CheckOwner(site_, caller, *entry));
  GT_RETURN_IF_ERROR(ValidateEntry(*entry));
  if (!TablesOf(*entry).empty()) GT_RETURN_IF_ERROR(SchemaOf(*entry).status());
  if (entry->ByteSizeLong() > kEntryBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument, "entry_invalid",
                 absl::StrCat("条目超过 ", kEntryBytesMax, " 字节 (the entry is too large)"),
                 entry->name());
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CatalogEntry> Catalogue::Register(const CallerIdentity& caller,
                                                     v1::CatalogEntry entry) {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  if (!entry.code().empty()) {
    return Error(
        absl::StatusCode::kInvalidArgument, "entry_invalid",
        "code：信息资源代码由节点分配 (the node gives the code)", entry.code(),
        "登记新条目请去掉 code；修改已有条目用 guantong catalog edit (leave it out, or use edit)");
  }
  GT_RETURN_IF_ERROR(Prepare(*snapshot, caller, &entry));
  std::string last;
  const absl::Status read = snapshot->Get(SerialKey(entry.division()), &last);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  uint64_t serial = 0;
  if (read.ok() && !absl::SimpleAtoi(last, &serial)) {
    return Error(absl::StatusCode::kDataLoss, "store_corrupt",
                 "顺序号记录损坏 (the serial does not parse)");
  }
  // The count may be older than what was published with it: a store that came from a backup takes
  // its entries back from neighbours.
  do {
    entry.set_code(MakeCode(entry.class_(), entry.division(), ++serial));
  } while (FindEntry(*snapshot, entry.code()).ok());
  entry.set_state(v1::ENTRY_STATE_DRAFT);
  entry.set_version(1);
  entry.set_schema_version(1);
  WriteSet writes;
  writes.Put(SerialKey(entry.division()), absl::StrCat(serial));
  writes.Put(DraftKey(entry.code()), entry.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(writes)));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> Catalogue::Edit(const CallerIdentity& caller,
                                                 v1::CatalogEntry entry) {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Own own, LoadOwn(*snapshot, caller, entry.code()));
  if (own.in_force.has_value()) GT_RETURN_IF_ERROR(CheckInForce(*own.in_force));
  GT_RETURN_IF_ERROR(Prepare(*snapshot, caller, &entry));
  const v1::CatalogEntry* before = own.in_force.has_value() ? &*own.in_force : nullptr;
  entry.set_state(v1::ENTRY_STATE_DRAFT);
  entry.set_version(before == nullptr ? 1 : before->version() + 1);
  entry.set_publication_date(before == nullptr ? "" : before->publication_date());
  entry.set_items_withheld(false);
  uint32_t schema_version = 1;
  if (before != nullptr) {
    schema_version =
        before->schema_version() + (SchemaBytes(*before) == SchemaBytes(entry) ? 0 : 1);
    // Said now already, so that nobody works on a draft that cannot be published.
    GT_RETURN_IF_ERROR(CheckItems(*snapshot, *before, entry));
    GT_RETURN_IF_ERROR(CheckSharingChange(*before, entry));
  }
  entry.set_schema_version(schema_version);
  WriteSet writes;
  writes.Put(DraftKey(entry.code()), entry.SerializeAsString());
  GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(writes)));
  return entry;
}

absl::Status Catalogue::CheckItems(const Reader& snapshot, const v1::CatalogEntry& from,
                                   const v1::CatalogEntry& to) const {
  for (const std::string& table : TablesOf(to)) {
    const FeedKey feed = FeedKey::Of(site_.OwnFeed(v1::FEED_KIND_ROWS, table));
    absl::StatusOr<TableReader> reader = TableReader::Open(snapshot, feed);
    if (absl::IsNotFound(reader.status())) continue;
    GT_RETURN_IF_ERROR(reader.status());
    if (reader->record().rows() == 0) continue;
    GT_ASSIGN_OR_RETURN(const v1::DatasetSchema old_schema, SchemaOf(from));
    GT_ASSIGN_OR_RETURN(const v1::DatasetSchema new_schema, SchemaOf(to));
    GT_RETURN_IF_ERROR(CheckSchemaChange(old_schema, new_schema));
  }
  return absl::OkStatus();
}

absl::Status Catalogue::CloseTable(const std::string& table) {
  return site_.driver->Write(CloseRows{.resource = table}).status();
}

absl::Status Catalogue::OpenTables(const v1::CatalogEntry& entry, const v1::CatalogEntry* before) {
  const std::vector<std::string> tables = TablesOf(entry);
  if (before != nullptr) {
    for (const std::string& table : TablesOf(*before)) {
      if (std::find(tables.begin(), tables.end(), table) == tables.end())
        GT_RETURN_IF_ERROR(CloseTable(table));
    }
  }
  for (const std::string& table : tables) {
    GT_ASSIGN_OR_RETURN(v1::DatasetSchema schema, SchemaOf(entry));
    schema.set_version(entry.schema_version());
    GT_RETURN_IF_ERROR(
        site_.driver
            ->Write(OpenRows{.resource = table,
                             .schema = std::move(schema),
                             .shared = entry.sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL})
            .status());
  }
  return absl::OkStatus();
}

absl::Status Catalogue::Append(v1::FeedKind kind, const v1::CatalogEntry& entry, WriteSet extra) {
  AppendRecords append = {.kind = kind, .extra = std::move(extra), .author = entry.provider_code()};
  append.records.emplace_back().set_entry(entry.SerializeAsString());
  return site_.driver->Write(std::move(append)).status();
}

absl::StatusOr<v1::CatalogEntry> Catalogue::Publish(const CallerIdentity& caller,
                                                    const std::string& code) {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Own own, LoadOwn(*snapshot, caller, code));
  const v1::CatalogEntry* before = own.in_force.has_value() ? &*own.in_force : nullptr;
  if (before != nullptr) GT_RETURN_IF_ERROR(CheckInForce(*before));
  if (!own.draft.has_value()) return *own.in_force;
  if (site_.options.approvals > 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "approval_needed",
                 absl::StrCat("本网络发布需要 ", site_.options.approvals,
                              " 级审批 (publication needs approval)"),
                 code, "先提交审批 (submit it): guantong catalog submit");
  }
  v1::CatalogEntry entry = *own.draft;
  GT_RETURN_IF_ERROR(ValidateEntry(entry));
  if (before != nullptr) {
    GT_RETURN_IF_ERROR(CheckItems(*snapshot, *before, entry));
    GT_RETURN_IF_ERROR(CheckSharingChange(*before, entry));
  }
  entry.set_state(v1::ENTRY_STATE_PUBLISHED);
  *entry.mutable_updated_at() = TimestampOf(absl::Now());
  if (entry.publication_date().empty()) entry.set_publication_date(DateOf(absl::Now()));

  // The tables first: what is narrowed is narrow before the entry says so. The draft goes with the
  // last record, so that a publication that was interrupted is repeated whole.
  GT_RETURN_IF_ERROR(OpenTables(entry, before));
  const bool was_withheld = before != nullptr && NotShared(*before);
  if (NotShared(entry)) {
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, entry, {}));
  } else if (was_withheld) {
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, Tombstone(*before), {}));
  }
  WriteSet extra;
  extra.Delete(DraftKey(code));
  GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_OPEN, NotShared(entry) ? OpenHalf(entry) : entry,
                            std::move(extra)));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> Catalogue::Withdraw(const CallerIdentity& caller,
                                                     const std::string& code) {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  GT_ASSIGN_OR_RETURN(const Own own, LoadOwn(*snapshot, caller, code));
  WriteSet extra;
  if (own.draft.has_value()) extra.Delete(DraftKey(code));
  if (!own.in_force.has_value()) {
    GT_RETURN_IF_ERROR(site_.driver->WriteOwn(std::move(extra)));
    return Tombstone(*own.draft);
  }
  const v1::CatalogEntry& entry = *own.in_force;
  v1::CatalogEntry tombstone = entry;
  if (entry.state() != v1::ENTRY_STATE_WITHDRAWN) {
    tombstone = Tombstone(entry);
    if (NotShared(entry)) GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_UPWARD, tombstone, {}));
    GT_RETURN_IF_ERROR(Append(v1::FEED_KIND_CATALOG_OPEN, tombstone, std::move(extra)));
  }
  for (const std::string& table : TablesOf(entry)) GT_RETURN_IF_ERROR(CloseTable(table));
  return tombstone;
}

absl::StatusOr<v1::ShowResponse> Catalogue::Show(const CallerIdentity& caller,
                                                 const std::string& code, absl::Time deadline) {
  GT_ASSIGN_OR_RETURN(std::optional<v1::CatalogEntry> draft,
                      Load<v1::CatalogEntry>(*site_.store->Snapshot(), DraftKey(code)));
  const bool may_see =
      draft.has_value() && (caller.is_operator() || caller.uscc == draft->provider_code());
  absl::StatusOr<v1::ShowResponse> found = finder_.Find(code, caller, deadline);
  if (!may_see) return found;
  v1::ShowResponse shown;
  if (found.ok()) {
    shown = *std::move(found);
  } else {
    // Never published, so no other node can know it.
    *shown.mutable_entry() = *draft;
    shown.set_provider_path(site_.path().text());
    shown.set_provider_node_name(site_.options.name);
  }
  *shown.mutable_draft() = *std::move(draft);
  return shown;
}

absl::StatusOr<v1::EntryList> Catalogue::List(const CallerIdentity& caller,
                                              const v1::ListRequest& request) {
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const size_t limit =
      std::min(request.limit() == 0 ? kSearchLimitDefault : request.limit(), kSearchLimitMax);
  const std::string mine = request.mine() ? caller.uscc : "";
  std::map<std::string, v1::ShowResponse> by_code;
  std::string covered;  // published entries are complete up to here; empty: all
  if (request.state() != v1::ENTRY_STATE_DRAFT) {
    const EntryPage page = FindEntries(*snapshot, {.provider_code = mine,
                                                   .state = request.state(),
                                                   .after_code = request.page_token(),
                                                   .limit = limit});
    for (const v1::CatalogEntry& entry : page.entries)
      *by_code[entry.code()].mutable_entry() = entry;
    covered = page.next_after_code;
  }
  if (request.state() == v1::ENTRY_STATE_DRAFT || request.state() == v1::ENTRY_STATE_UNSPECIFIED) {
    const std::string all = KindPrefix('D');
    const std::string begin =
        request.page_token().empty() ? all : DraftKey(request.page_token()) + '\0';
    auto cursor = snapshot->Scan(begin, PrefixEnd(all));
    for (; cursor->Valid(); cursor->Next()) {
      v1::CatalogEntry draft;
      if (!draft.ParseFromArray(cursor->value().data(), static_cast<int>(cursor->value().size())))
        continue;
      if (!caller.is_operator() && draft.provider_code() != caller.uscc) continue;
      if (!mine.empty() && draft.provider_code() != mine) continue;
      if (!covered.empty() && draft.code() > covered) break;
      v1::ShowResponse& shown = by_code[draft.code()];
      *shown.mutable_draft() = draft;
      if (!shown.has_entry()) *shown.mutable_entry() = std::move(draft);
      if (by_code.size() > limit) break;
    }
    GT_RETURN_IF_ERROR(cursor->status());
  }
  v1::EntryList list;
  list.set_complete(true);
  for (auto& [code, shown] : by_code) {
    if (static_cast<size_t>(list.entries_size()) == limit) break;
    finder_.Describe(*snapshot, &shown);
    *list.add_entries() = std::move(shown);
  }
  const bool more = by_code.size() > limit || !covered.empty();
  if (more && list.entries_size() > 0) {
    list.set_next_page_token(list.entries(list.entries_size() - 1).entry().code());
  }
  return list;
}

}  // namespace guantong
