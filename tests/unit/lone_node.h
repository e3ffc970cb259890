// A root node in one process: the real engine, driver and parts over an in-memory store, without
// links or server.
#ifndef GUANTONG_TESTS_UNIT_LONE_NODE_H_
#define GUANTONG_TESTS_UNIT_LONE_NODE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/memory_store.h"
#include "node/desks.h"
#include "node/driver.h"
#include "node/pushed_rows.h"
#include "node/refusals.h"
#include "node/site.h"
#include "node/watched_store.h"
#include "node/workers.h"
#include "tests/unit/identities.h"
#include "tests/unit/reasons.h"
#include "tests/unit/scratch_folder.h"

namespace guantong {

// GB 32100 codes of departments that do not exist.
inline constexpr char kOurUscc[] = "11630102MB0000001T";
inline constexpr char kOtherUscc[] = "11441900MB0000002D";

class LoneNode {
 public:
  explicit LoneNode(std::unique_ptr<MemoryStore> kept = std::make_unique<MemoryStore>(),
                    int approvals = 0)
      : node_(MakeRoot()), approvals_wanted_(approvals), store_(std::move(kept)) {
    Begin();
  }
  ~LoneNode() { Stop(); }

  // The same node and what is on its disk, as after a power cut.
  void Restart() {
    auto survived = store_->Clone();
    Stop();
    store_ = std::move(survived);
    Begin();
  }

  Site& site() { return site_; }
  MemoryStore& store() { return *store_; }
  Driver& driver() { return *driver_; }
  Catalogue& catalogue() { return desks_->catalogue; }
  Finder& finder() { return desks_->finder; }
  // With all that was committed so far in the index.
  Searches& searches() {
    if (!std::exchange(indexing_, true)) desks_->indexer.Start();
    GT_CHECK(desks_->indexer.WaitCurrent(absl::Now() + absl::Seconds(60)));
    return desks_->searches;
  }
  Classes& classes() { return desks_->classes; }
  CodeLists& code_lists() { return desks_->code_lists; }
  EntryDesk& desk() { return desks_->entries; }
  Drafts& drafts() { return desks_->drafts; }
  Approvals& approvals() { return desks_->approvals; }
  Publication& publication() { return desks_->publication; }
  Bindings& bindings() { return desks_->bindings; }
  Versions& versions() { return desks_->versions; }
  Demands& demands() { return desks_->demands; }
  Worklist& worklist() { return desks_->worklist; }
  Rulings& rulings() { return desks_->rulings; }
  Persons& persons() { return desks_->persons; }
  PushDesk& pushes() { return desks_->pushes; }
  Questions& questions() { return desks_->questions; }
  Enrolment& enrolment() { return desks_->enrolment; }

  CallerIdentity Editor(const std::string& uscc = kOurUscc) const {
    return {.role = CertificateRole::kEditor,
            .uscc = uscc,
            .node_id = node_.node_id(),
            .path = node_.path};
  }

  // A published entry of items code (key), name and count; returns its code.
  std::string Publish(v1::SharingType sharing = v1::SHARING_TYPE_UNCONDITIONAL) {
    return Publish(Register(Entry(sharing))->code())->code();
  }

  absl::StatusOr<v1::CatalogEntry> Register(const v1::CatalogEntry& entry,
                                            const std::string& uscc = kOurUscc) {
    v1::RegisterRequest request;
    *request.mutable_entry() = entry;
    return desks_->drafts.Register(Editor(uscc), request);
  }
  absl::StatusOr<v1::CatalogEntry> Edit(const v1::CatalogEntry& entry,
                                        const std::string& uscc = kOurUscc) {
    v1::RegisterRequest request;
    *request.mutable_entry() = entry;
    return desks_->drafts.Edit(Editor(uscc), request);
  }
  absl::StatusOr<v1::CatalogEntry> Publish(const std::string& code) {
    return desks_->publication.Publish(Editor(), OfCode(code));
  }
  absl::StatusOr<v1::CatalogEntry> Withdraw(const std::string& code) {
    return desks_->publication.Withdraw(Editor(), OfCode(code));
  }
  static v1::EntryRequest OfCode(const std::string& code) {
    v1::EntryRequest request;
    request.set_code(code);
    return request;
  }

  static v1::CatalogEntry Entry(v1::SharingType sharing) {
    v1::CatalogEntry entry;
    entry.set_class_("3070120337");
    entry.set_name("街道名录");
    entry.set_provider("民政局");
    entry.set_provider_code(kOurUscc);
    entry.set_abstract("街道");
    entry.set_division("630102");
    entry.mutable_sharing()->set_type(sharing);
    entry.mutable_sharing()->set_condition("工作参考");
    entry.mutable_sharing()->set_basis("法律");
    entry.mutable_open()->set_condition("无");
    entry.set_update_cycle(v1::UPDATE_CYCLE_YEARLY);
    auto item = [&](const char* field, v1::ItemType type, bool key) {
      v1::DataItem* added = entry.add_items();
      added->set_name(field);
      added->set_field(field);
      added->set_type(type);
      added->set_length(20);
      added->set_key(key);
    };
    item("code", v1::ITEM_TYPE_C, true);
    item("name", v1::ITEM_TYPE_C, false);
    item("count", v1::ITEM_TYPE_N, false);
    v1::Resource* table = entry.add_resources();
    table->set_mode(v1::SHARING_MODE_TABLE);
    table->set_format("0310");
    return entry;
  }

  using Rows = std::vector<std::vector<std::string>>;

  absl::StatusOr<v1::PushResponse> Push(const v1::PushOpen& open, const Rows& rows,
                                        const std::string& uscc = kOurUscc) {
    const std::vector<v1::PushRequest> requests = RequestsOf(open, rows);
    size_t at = 0;
    return pushes().Take(Editor(uscc), {.read =
                                            [&](v1::PushRequest* request) {
                                              if (at == requests.size()) return false;
                                              *request = requests[at++];
                                              return true;
                                            },
                                        .broken = [] { return false; },
                                        .cancel = [] {}});
  }

  // Several rows a message, several messages a push.
  static std::vector<v1::PushRequest> RequestsOf(const v1::PushOpen& open, const Rows& rows) {
    std::vector<v1::PushRequest> requests(1);
    *requests[0].mutable_open() = open;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i % 3 == 0) requests.emplace_back();
      AddRow({.line = i + 2, .values = {rows[i].begin(), rows[i].end()}, .nulls = {}},
             &requests.back());
    }
    requests.emplace_back().mutable_end()->set_rows(rows.size());
    return requests;
  }
  // One more row of a message of rows.
  static void AddRow(const PushedRow& row, v1::PushRequest* request) {
    PushedRowsWriter writer;
    writer.Add(row);
    request->set_rows(request->rows() + writer.Take());
  }
  static v1::PushOpen Open(const std::string& code, v1::PushMode mode,
                           const std::string& batch_id = "") {
    v1::PushOpen open;
    open.set_code(code);
    open.set_mode(mode);
    open.set_batch_id(batch_id);
    for (const char* field : {"code", "name", "count"}) open.add_fields(field);
    return open;
  }

  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request,
                                          const std::string& uscc = kOurUscc) {
    return questions().Query(Editor(uscc), request, absl::Now() + absl::Seconds(20));
  }
  // What another node's question is answered with.
  template <typename Response>
  absl::StatusOr<Response> AskFromAfar(const std::string& method, const std::string& body) {
    const CallDone done = driver().Ask({.target = site_.path().text(),
                                        .method = method,
                                        .body = body,
                                        .budget = absl::Seconds(20)});
    if (!done.status.ok()) return done.status;
    Response response;
    GT_CHECK(response.ParseFromString(done.reply.body()));
    return response;
  }
  uint64_t CountRows(const std::string& code) {
    v1::QueryRequest request;
    request.set_code(code);
    request.set_where("code ^= ''");
    request.set_count(true);
    return Query(request)->total();
  }

 private:
  void Begin() {
    identity_ = std::make_unique<Identity>(
        Identity{.signing_key = node_.signing_key,
                 .chain = node_.chain,
                 .self = VerifyChain(node_.chain, "", absl::Now()).value(),
                 .tls_key = node_.tls_key,
                 .tls_chain_pem = node_.tls_pem(),
                 .parent_node_id = ""});
    watched_ = std::make_unique<WatchedStore>(
        store_.get(), [this](absl::Span<const WriteSet> groups) { desks_->Committed(groups); });
    site_ = {.options = {.dir = folder_.path("."),
                         .division = "000000",
                         .name = "国家",
                         .level = v1::LEVEL_NATIONAL,
                         .approvals = approvals_wanted_},
             .identity = identity_.get(),
             .store = watched_.get()};
    workers_ = std::make_unique<Workers>(1);
    site_.workers = workers_.get();
    site_.requests = workers_.get();
    site_.refusals = &refusals_;
    desks_ = std::make_unique<Desks>(&site_, /*search_folder=*/"");
    driver_ =
        Driver::Make(watched_.get(),
                     [this](absl::Time now) {
                       return Engine::Create(
                           {}, {identity_->signing_key, identity_->chain, identity_->self},
                           watched_.get(), &RandomBytes, now);
                     },
                     {.on_deliveries =
                          [this](std::vector<CallDelivery> deliveries, Driver::Delivered where) {
                            desks_->calls.Deliver(std::move(deliveries), where);
                          }})
            .value();
    site_.driver = driver_.get();
    desks_->Register();
    driver_->Begin();
    GT_CHECK(desks_->pushes.Begin().ok());
    GT_CHECK(desks_->rules.Begin().ok());
  }
  void Stop() {
    desks_->indexer.Stop();
    indexing_ = false;
    workers_->Stop();
    driver_->Stop();
    desks_->sights.LetGo();  // before the store goes
  }

  MadeNode node_;
  const int approvals_wanted_;
  ScratchFolder folder_;
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<WatchedStore> watched_;
  std::unique_ptr<Identity> identity_;
  Refusals refusals_;
  std::unique_ptr<Workers> workers_;
  Site site_;
  std::unique_ptr<Desks> desks_;
  bool indexing_ = false;
  std::unique_ptr<Driver> driver_;
};

}  // namespace guantong

#endif  // GUANTONG_TESTS_UNIT_LONE_NODE_H_
