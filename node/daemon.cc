// Order of life. Made from the bottom up: store, parts, driver, links, server, dialling. Ended from
// the top down: links first (their streams would keep the server from ending), then driver and
// server together (requests wait for the driver, which makes durable what it has taken), then the
// workers; the store last.
#include "node/daemon.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/demand_view.h"
#include "catalog/keys.h"
#include "catalog/rocks/rocks_store.h"
#include "node/clock.h"
#include "node/config.h"
#include "node/desks.h"
#include "node/doctor.h"
#include "node/driver.h"
#include "node/identity/credentials.h"
#include "node/limits.h"
#include "node/log.h"
#include "node/neighbours.h"
#include "node/overview.h"
#include "node/readers.h"
#include "node/refusals.h"
#include "node/renewal.h"
#include "node/rpc/authorise.h"
#include "node/rpc/question_streams.h"
#include "node/rpc/search_service.h"
#include "node/rpc/services.h"
#include "node/snapshots.h"
#include "node/startup_pages.h"
#include "node/subscriptions.h"
#include "node/trace.h"
#include "node/upkeep/mend.h"
#include "node/upkeep/upkeep.h"
#include "node/watched_store.h"
#include "node/workers.h"
#include "relay/grpc/arguments.h"
#include "relay/grpc/links.h"
#include "relay/grpc/poll_turns.h"
#include "relay/grpc/stream_windows.h"
#include "relay/grpc/tls_buffers.h"

namespace guantong {
namespace {

constexpr absl::Duration kRequestsEndWithin = absl::Seconds(3);
constexpr char kSearchFolder[] = "search";  // derived from the store, so no backup holds it

SiteOptions OptionsOf(const std::string& dir, const NodeConfig& config) {
  SiteOptions options = {.dir = dir,
                         .data = DataFolder(dir, config),
                         .listen = config.listen,
                         .advertise = config.advertise.empty() ? config.listen : config.advertise,
                         .parent = config.parent,
                         .division = config.division,
                         .name = config.name,
                         .level = config.level,
                         .approvals = static_cast<int>(config.approvals),
                         .child_disk_bytes = uint64_t{config.child_disk_mb} << 20};
  if (config.catalog_scope == v1::SEARCH_SCOPE_PROVINCE)
    options.catalog_scope = CatalogScope::kProvince;
  if (config.catalog_scope == v1::SEARCH_SCOPE_COUNTRY)
    options.catalog_scope = CatalogScope::kCountry;
  return options;
}

CertificateTerms TermsOf(const NodeConfig& config) {
  CertificateTerms terms;
  terms.renew_before = absl::Seconds(config.renew_before_seconds);
  if (config.certificate_seconds > 0)
    terms.child = terms.tls = absl::Seconds(config.certificate_seconds);
  return terms;
}

// A node that was off until its certificates had run out asks its parent before anything else.
absl::StatusOr<Identity> LoadOrRenew(const std::string& dir, const NodeConfig& config) {
  absl::StatusOr<Identity> identity = LoadIdentity(dir, TermsOf(config));
  if (identity.ok() || DetailOf(identity.status()).reason != "certificate_expired" ||
      config.parent.empty()) {
    return identity;
  }
  Log(LogLevel::kWarning,
      "证书已过期，向上级换发 (the certificates have run out; asking the parent)");
  GT_RETURN_IF_ERROR(RenewIdentity(dir, config.parent).status());
  return LoadIdentity(dir, TermsOf(config));
}

absl::Status CheckParent(const NodeConfig& config, const Identity& identity) {
  if (identity.self.path.is_root() == config.parent.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "parent_mismatch",
               config.parent.empty()
                   ? "本节点有上级，但 node.yaml 没有 parent (the node has a parent, the "
                     "configuration names none)"
                   : "本节点是根节点，但 node.yaml 写了 parent (the root cannot have a parent)",
               "node.yaml", "改正 node.yaml 的 parent (correct it)");
}

// The folder's data must be this node's: under another identity it would sign another's history.
absl::Status ClaimStore(Store* store, const std::string& folder, const Identity& identity) {
  std::string owner;
  const absl::Status got = store->Get(NodeFactKey("node_id"), &owner);
  if (absl::IsNotFound(got)) {
    WriteSet claim;
    claim.Put(NodeFactKey("node_id"), identity.self.node_id);
    return store->Commit({&claim, 1});
  }
  GT_RETURN_IF_ERROR(got);
  if (owner == identity.self.node_id) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "foreign_store",
               absl::StrCat("数据目录 ", folder, " 属于另一个节点 ", HexOf(owner).substr(0, 16),
                            "，本节点是 ", HexOf(identity.self.node_id).substr(0, 16),
                            " (the data belong to another node)"),
               folder,
               "恢复原来的 identity 目录，或换用空的数据目录 (restore its identity, or use an "
               "empty folder)");
}

class RunningDaemon : public Daemon {
 public:
  RunningDaemon(SiteOptions options, const ScrubOptions& scrub, Identity identity,
                std::unique_ptr<RocksStore> store, std::unique_ptr<DamageWatch> damage,
                std::function<void()> begin_anew)
      : identity_(std::move(identity)),
        damage_(std::move(damage)),
        store_(std::move(store)),
        workers_(kWorkerThreads),
        requests_(kServerThreadsMax) {
    site_.options = std::move(options);
    site_.identity = &identity_;
    watched_ = std::make_unique<WatchedStore>(
        store_.get(), [this](absl::Span<const WriteSet> groups) { desks_->Committed(groups); });
    site_.store = watched_.get();
    site_.workers = &workers_;
    site_.requests = &requests_;
    site_.refusals = &refusals_;
    site_.started_at = absl::Now();
    desks_ = std::make_unique<Desks>(
        &site_, (std::filesystem::path(site_.options.dir) / kSearchFolder).string());
    subscriptions_ = std::make_unique<Subscriptions>(&site_, &desks_->finder);
    neighbours_ = std::make_unique<Neighbours>(&site_, &desks_->directory);
    overview_ = std::make_unique<Overview>(&site_, &desks_->directory, neighbours_.get());
    readers_ = std::make_unique<Readers>(&site_, &desks_->calls);
    trace_ = std::make_unique<Trace>(&site_, &desks_->calls, &desks_->finder, &desks_->directory);
    upkeep_ = std::make_unique<Upkeep>(&site_, store_.get(), damage_.get(), scrub, &desks_->calls,
                                       &desks_->finder, &desks_->directory);
    doctor_ = std::make_unique<Doctor>(&site_, &desks_->calls, neighbours_.get(), upkeep_.get());
    snapshots_ = std::make_unique<Snapshots>(&site_);
    renewal_ = std::make_unique<Renewal>(&site_, std::move(begin_anew));
    authoriser_ = std::make_unique<Authoriser>(&site_);
    question_streams_ = std::make_unique<QuestionStreams>(authoriser_.get(), &desks_->questions);
    desks_->Register();
    trace_->Register();
    doctor_->Register();
    upkeep_->copies().Register();
  }

  ~RunningDaemon() override { Stop(); }

  absl::Status Run() {
    GT_RETURN_IF_ERROR(StartDriver());
    StartLinks();
    GT_RETURN_IF_ERROR(desks_->pushes.Begin());
    GT_RETURN_IF_ERROR(desks_->enrolment.Begin());
    GT_RETURN_IF_ERROR(desks_->rules.Begin());
    GT_RETURN_IF_ERROR(StartServer());
    if (!site_.options.parent.empty()) DialParent();
    upkeep_->scrubber().Start();
    desks_->indexer.Start();
    renewal_->Start();
    return absl::OkStatus();
  }

  void Stop() override {
    if (std::exchange(stopped_, true)) return;
    renewal_->Stop();
    upkeep_->scrubber().Stop();
    question_streams_->Stop();
    if (links_ != nullptr) links_->Stop();
    // At the same time: requests that wait for the driver end with it.
    std::thread requests([this] {
      if (server_ == nullptr) return;
      server_->Shutdown(std::chrono::system_clock::now() +
                        absl::ToChronoMilliseconds(kRequestsEndWithin));
    });
    desks_->indexer.Stop();
    if (driver_ != nullptr) driver_->Stop();
    requests.join();
    workers_.Stop();
    requests_.Stop();
    snapshots_->Stop();
    server_.reset();
  }

 private:
  absl::Status StartDriver() {
    const EngineOptions options = {.catalog_scope = site_.options.catalog_scope,
                                   .division = site_.options.division,
                                   .name = site_.options.name,
                                   .child_disk_bytes = site_.options.child_disk_bytes};
    auto make_engine = [this, options](absl::Time now) {
      return Engine::Create(
          options, {.key = identity_.signing_key, .chain = identity_.chain, .self = identity_.self},
          watched_.get(), &RandomBytes, now);
    };
    Driver::Hooks hooks;
    hooks.on_deliveries = [this](std::vector<CallDelivery> deliveries, Driver::Delivered where) {
      desks_->calls.Deliver(std::move(deliveries), where);
    };
    hooks.on_snapshot = [this](const MakeSnapshot& make) { snapshots_->Make(make); };
    hooks.on_notice = [](const Notice& notice) {
      Log(notice.alarm ? LogLevel::kError : LogLevel::kInfo, notice.text);
    };
    hooks.on_link_up = [this](const LinkPeer& peer) {
      if (peer.is_parent) renewal_->ParentHas(peer.chain);
    };
    hooks.on_link_ended = [this](const Driver::LinkView& link, const absl::Status& why,
                                 bool by_us) { neighbours_->LinkEnded(link, why, by_us); };
    hooks.on_dial_failed = [this](const std::string& address, const absl::Status& why) {
      neighbours_->DialFailed(address, why);
    };
    // The first engine may speak before Start returns, and what it says reaches parts that know the
    // driver by the site.
    GT_ASSIGN_OR_RETURN(driver_,
                        Driver::Make(watched_.get(), std::move(make_engine), std::move(hooks)));
    site_.driver = driver_.get();
    return absl::OkStatus();
  }

  void StartLinks() {
    link_options_.own_chain = identity_.chain;
    link_options_.on_refused = [this](const std::string& address, const std::string& certificate,
                                      const absl::Status& why) {
      refusals_.Add(address, certificate, why, /*by_us=*/true);
    };
    links_ = Links::Create(link_options_, site_.network(), driver_.get(),
                           [this](const VerifiedChain& peer, bool is_parent) {
                             return desks_->enrolment.AuthorisePeer(peer, is_parent);
                           });
    site_.links = links_.get();
    driver_->Attach(links_.get());
    driver_->Begin();
  }

  absl::Status StartServer() {
    services_.push_back(MakeEnrolmentService(authoriser_.get(), &desks_->enrolment));
    services_.push_back(MakeCatalogService(authoriser_.get(), {.catalogue = &desks_->catalogue,
                                                               .drafts = &desks_->drafts,
                                                               .approvals = &desks_->approvals,
                                                               .publication = &desks_->publication,
                                                               .bindings = &desks_->bindings,
                                                               .readers = readers_.get()}));
    services_.push_back(MakeSearchService(authoriser_.get(), &desks_->searches, &desks_->rulings));
    services_.push_back(MakeRulingService(authoriser_.get(), &desks_->rulings));
    services_.push_back(MakePersonService(authoriser_.get(), &desks_->persons));
    services_.push_back(MakeClassService(authoriser_.get(), &desks_->classes));
    services_.push_back(MakeCodeListService(authoriser_.get(), &desks_->code_lists));
    services_.push_back(MakeDemandService(authoriser_.get(), &desks_->demands));
    services_.push_back(MakeReviewService(authoriser_.get(), &desks_->approvals, &desks_->versions,
                                          &desks_->worklist, readers_.get()));
    services_.push_back(MakeDataService(authoriser_.get(), &desks_->pushes, &desks_->questions,
                                        question_streams_.get(), subscriptions_.get()));
    services_.push_back(MakeNodeService(authoriser_.get(), {.site = &site_,
                                                            .enrolment = &desks_->enrolment,
                                                            .overview = overview_.get(),
                                                            .trace = trace_.get(),
                                                            .doctor = doctor_.get(),
                                                            .upkeep = upkeep_.get()}));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(
        site_.options.listen,
        MakeServerCredentials(identity_.tls_key.ToPem(), identity_.tls_chain_pem), &port);
    for (const auto& service : services_) builder.RegisterService(service.get());
    builder.RegisterService(links_->service());
    ApplyLinkArguments(link_options_, &builder);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kRequestBytesMax);
    builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
    grpc::ResourceQuota quota("guantong");
    quota.SetMaxThreads(kServerThreadsMax);
    quota.Resize(kServerMemoryBytesMax);
    builder.SetResourceQuota(quota);
    server_ = builder.BuildAndStart();
    if (server_ != nullptr && port != 0) return absl::OkStatus();
    return Error(absl::StatusCode::kUnavailable, "port_in_use",
                 absl::StrCat("不能监听 ", site_.options.listen,
                              "，端口已被占用或地址不属于本机 (cannot listen there)"),
                 site_.options.listen,
                 "停掉占用端口的进程，或改 node.yaml 的 listen (free the port or choose another)");
  }

  void DialParent() {
    links_->Dial(site_.options.parent, [this] {
      return MakeLinkChannel(
          link_options_, site_.options.parent,
          MakeChannelCredentials(
              identity_.tls_key.ToPem(), identity_.tls_chain_pem, /*network=*/"",
              [this](const VerifiedChain& server) {
                const absl::Status may =
                    desks_->enrolment.AuthorisePeer(server, /*is_parent=*/true);
                if (DetailOf(may).reason == "parent_moved") renewal_->ParentMoved();
                return may;
              },
              [this](const absl::Status& why) { neighbours_->ServerRefused(why); }));
    });
  }

  Identity identity_;
  std::unique_ptr<DamageWatch> damage_;
  std::unique_ptr<RocksStore> store_;
  std::unique_ptr<WatchedStore> watched_;
  Refusals refusals_;
  Workers workers_;
  Workers requests_;
  Site site_;
  LinkOptions link_options_;
  std::unique_ptr<Desks> desks_;
  std::unique_ptr<Subscriptions> subscriptions_;
  std::unique_ptr<Neighbours> neighbours_;
  std::unique_ptr<Overview> overview_;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Trace> trace_;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<Doctor> doctor_;
  std::unique_ptr<Snapshots> snapshots_;
  std::unique_ptr<Renewal> renewal_;
  std::unique_ptr<Authoriser> authoriser_;
  std::unique_ptr<QuestionStreams> question_streams_;
  std::unique_ptr<Driver> driver_;
  std::unique_ptr<Links> links_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  bool stopped_ = false;
};

absl::StatusOr<std::unique_ptr<Daemon>> StartOnce(const std::string& dir,
                                                  const std::function<void()>& wants_restart) {
  // gRPC repeats as errors what is none (a client that dials by address), and the rest is logged
  // here.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  RequireTls13();
  if (!PollTurnsAreOurs()) {
    Log(LogLevel::kWarning,
        "gRPC 按自己的方式轮询，链路耗时更多 (gRPC waits for events in its own way: links cost "
        "more)");
  }
  if (!StreamWindowsAreOurs()) {
    Log(LogLevel::kWarning,
        "每条消息多一次窗口更新，链路耗时更多 (every message is answered with a window update: "
        "links "
        "cost more)");
  }
  if (!TlsBuffersAreOurs()) {
    Log(LogLevel::kWarning,
        "每个连接多占约 80 KiB 内存 (a connection at rest takes some 80 KiB more than it need)");
  }
  GT_RETURN_IF_ERROR(FinishMove(dir));  // it may have left the parent's address to be written
  GT_ASSIGN_OR_RETURN(const NodeConfig config, LoadConfig(dir));
  for (absl::string_view line : absl::StrSplit(PrintConfig(config), '\n', absl::SkipEmpty())) {
    Log(LogLevel::kInfo, absl::StrCat(kConfigFile, ": ", line));
  }
  GT_ASSIGN_OR_RETURN(Identity identity, LoadOrRenew(dir, config));
  GT_RETURN_IF_ERROR(CheckParent(config, identity));
  const std::string folder = DataFolder(dir, config);
  auto damage = std::make_unique<DamageWatch>(folder, wants_restart);
  const RocksOptions how = {
      .on_damage = [noted = damage.get()](const absl::Status& why) { noted->Note("read", why); }};
  GT_ASSIGN_OR_RETURN(std::unique_ptr<RocksStore> store, OpenAndMend(folder, identity, how));
  std::vector<absl::Time> mended;
  for (const v1::Damage& past : PastDamage(*store)) mended.push_back(TimeOfTimestamp(past.at()));
  DamageWatch* const watch = damage.get();
  GT_RETURN_IF_ERROR(ClaimStore(store.get(), folder, identity));
  GT_RETURN_IF_ERROR(EnsureDemandIndices(store.get()));
  const ScrubOptions scrub = {.bytes_per_second = config.scrub_bytes_per_second,
                              .pause = absl::Seconds(config.scrub_pause_seconds)};
  auto daemon = std::make_unique<RunningDaemon>(OptionsOf(dir, config), scrub, std::move(identity),
                                                std::move(store), std::move(damage), wants_restart);
  GT_RETURN_IF_ERROR(daemon->Run());
  watch->Begin(mended);
  DropStartupPages();
  return daemon;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Daemon>> Daemon::Start(const std::string& dir,
                                                      std::function<void()> wants_restart) {
  absl::StatusOr<std::unique_ptr<Daemon>> started = StartOnce(dir, wants_restart);
  // Damage met while starting is marked by now, and mended by starting again.
  if (absl::IsDataLoss(started.status())) started = StartOnce(dir, wants_restart);
  return started;
}

}  // namespace guantong
