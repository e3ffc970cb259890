#include "node/cli/drill/drill.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "node/cli/output.h"
#include "node/identity/files.h"
#include "node/identity/identity.h"
#include "node/language.h"
#include "node/upkeep/restore.h"

namespace guantong {
namespace {

constexpr int kRowsPerBatch = 20;
constexpr absl::Duration kAcknowledgedWithin = absl::Minutes(3);
constexpr int kShortLifeSeconds = 20;  // of certificates that are to run out
constexpr absl::Duration kEqualWithin = absl::Minutes(3);

class Drill {
 public:
  explicit Drill(const DrillOptions& options) : network_(options.scratch) {
    result_.options = options;
    result_.began = absl::Now();
  }

  absl::StatusOr<DrillResult> Play() {
    GT_RETURN_IF_ERROR(Prepare());
    const int at = std::max(1, result_.options.batches / 3);
    for (int batch = 0; batch < result_.options.batches; ++batch) {
      if (batch == at) GT_RETURN_IF_ERROR(Begin());
      GT_RETURN_IF_ERROR(Push(batch));
    }
    if (fault_.joinable()) fault_.join();
    Step(absl::StrCat("推送结束，已确认 ", result_.acknowledged, " 行 (all batches acknowledged)"));
    GT_RETURN_IF_ERROR(Compare());
    result_.ended = absl::Now();
    return result_;
  }

  ~Drill() {
    if (fault_.joinable()) fault_.join();
  }

 private:
  void Step(std::string text) {
    Say(text);
    const std::lock_guard<std::mutex> lock(mutex_);
    result_.steps.push_back({absl::Now(), std::move(text)});
  }

  absl::Status Prepare() {
    for (const std::string& backups : result_.options.backups)
      GT_RETURN_IF_ERROR(network_.Add(backups));
    provider_ = network_.provider();
    if (result_.options.fault == "expiry") {
      // What is issued in the copy is short-lived, and the provider renews only when it has run
      // out.
      for (const auto& node : network_.nodes()) {
        if (node.get() != provider_)
          node->environment["GUANTONG_CERTIFICATE_SECONDS"] = absl::StrCat(kShortLifeSeconds);
      }
      provider_->environment["GUANTONG_RENEW_BEFORE_SECONDS"] = "0";
    }
    GT_RETURN_IF_ERROR(network_.Start());
    provider_ = network_.provider();
    Step(absl::StrCat("复制了 ", network_.nodes().size(), " 个节点并启动，提供方 ", provider_->name,
                      " ", ShownPath(provider_->path),
                      " (nodes copied and started; the provider)"));
    GT_ASSIGN_OR_RETURN(editor_, network_.MakeEditor(*provider_));
    const std::string entry = network_.scratch() + "/entry.yaml";
    GT_RETURN_IF_ERROR(ReplaceFile(
        entry, absl::StrCat("name: 演练数据集\nclass: \"3070120101\"\nprovider: ", editor_.name,
                            "\nprovider_code: ", editor_.uscc,
                            "\nabstract: 演练用，随副本删除\nitems:\n"
                            "  - {name: 代码, field: code, type: C, length: 12, key: true}\n"
                            "  - {name: 名称, field: name, type: C, length: 64}\n"
                            "sharing: {type: unconditional, condition: 工作参考}\n"
                            "resources:\n  - {mode: table, format: \"0310\"}\n"
                            "open: {public: false, condition: 无}\nupdate_cycle: yearly\n")));
    GT_ASSIGN_OR_RETURN(const nlohmann::json registered,
                        network_.Do(editor_.profile, {"catalog", "register", entry}));
    result_.code = registered.at("code");
    GT_RETURN_IF_ERROR(network_.Do(editor_.profile, {"catalog", "publish", result_.code}).status());
    for (const auto& node : network_.nodes()) {
      if (node.get() == provider_) continue;
      GT_RETURN_IF_ERROR(network_.Until("a copied node subscribes", kEqualWithin, [&] {
        return network_.Do(node->profile, {"subscribe", result_.code}).ok();
      }));
    }
    Step(absl::StrCat("登记演练数据集 ", result_.code,
                      "，其余节点订阅 (dataset registered, all others subscribe)"));
    if (result_.options.fault != "restore") return absl::OkStatus();
    GT_RETURN_IF_ERROR(
        network_.Do(provider_->profile, {"backup", "--to", BackupFolder()}).status());
    Step("演练用备份完成 (backup made)");
    return absl::OkStatus();
  }

  std::string BackupFolder() const { return network_.scratch() + "/backups"; }

  // Pushed again under the same id until it is acknowledged.
  absl::Status Push(int batch) {
    std::string rows = "code,name\n";
    for (int i = 0; i < kRowsPerBatch; ++i) {
      absl::StrAppend(&rows, batch * kRowsPerBatch + i, ",", "第", batch, "批\n");
    }
    const std::string file = network_.scratch() + "/rows.csv";
    GT_RETURN_IF_ERROR(ReplaceFile(file, rows));
    const absl::Time began = absl::Now();
    int tries = 0;
    GT_RETURN_IF_ERROR(network_.Until("a batch is acknowledged", kAcknowledgedWithin, [&] {
      ++tries;
      return network_
          .Do(editor_.profile,
              {"push", result_.code, file, "--batch", absl::StrCat("drill-", batch)})
          .ok();
    }));
    result_.repeats += tries - 1;
    result_.acknowledged += kRowsPerBatch;
    result_.longest_wait = std::max(result_.longest_wait, absl::Now() - began);
    return absl::OkStatus();
  }

  // The fault. What has to be seen from beside the pushes runs on a thread.
  absl::Status Begin() {
    if (result_.options.fault == "kill") {
      Step(absl::StrCat("kill -9 ", provider_->name, "，随后启动 (killed, then started)"));
      provider_->daemon.Kill();
      GT_RETURN_IF_ERROR(network_.StartOne(provider_));
      Step("重新启动完毕 (it runs again)");
      fault_ended_ = absl::Now();
      return absl::OkStatus();
    }
    if (result_.options.fault == "restore") {
      // With the disk goes what no other node has got yet; what is shown is that the rest comes
      // back.
      GT_RETURN_IF_ERROR(network_.Until("the copies hold what is acknowledged", kEqualWithin,
                                        [&] { return AllHoldAcknowledged(); }));
      provider_->daemon.Kill();
      Step(absl::StrCat("kill -9 ", provider_->name,
                        "，数据目录移走，从演练开始时的备份恢复 (killed, its folder moved away, "
                        "restored from the backup)"));
      GT_RETURN_IF_ERROR(
          RestoreNode({.dir = provider_->dir, .from = BackupFolder(), .replace = true}, nullptr)
              .status());
      GT_RETURN_IF_ERROR(network_.StartOne(provider_));
      GT_ASSIGN_OR_RETURN(editor_, network_.MakeEditor(*provider_));
      Step("恢复完毕，正向邻居取回备份之后的数据 (restored; it takes back what is newer)");
      fault_ended_ = absl::Now();
      return absl::OkStatus();
    }
    SeveredLink* const link = provider_->uplink.get();
    if (link == nullptr) {
      return Error(
          absl::StatusCode::kFailedPrecondition, "drill_needs_parent",
          Text("这种演练要有提供方的上级：把它的备份也用 --from 给出",
               "this drill needs the provider's parent: give its backups with --from, too"));
    }
    if (result_.options.fault == "expiry") return BeginExpiry();
    link->Cut();
    Step(absl::StrCat("切断 ", provider_->name, " 与上级的链路 ",
                      absl::FormatDuration(result_.options.outage),
                      "，期间继续推送 (the link to its parent is cut, pushes go on)"));
    fault_ = std::thread([this, link] {
      absl::SleepFor(result_.options.outage);
      link->Mend();
      fault_ended_ = absl::Now();
      Step("链路恢复 (the link is back)");
    });
    return absl::OkStatus();
  }

  // The provider takes certificates that run out while it works, and nothing else is done to it.
  absl::Status BeginExpiry() {
    GT_RETURN_IF_ERROR(
        RenewIdentity(provider_->dir, absl::StrCat("127.0.0.1:", provider_->parent->port))
            .status());
    Step(absl::StrCat(
        provider_->name, " 换用 ", kShortLifeSeconds,
        " 秒后到期的证书，期间继续推送 (takes certificates that run out, pushes go on)"));
    fault_ = std::thread([this] {
      const auto linked = [this] {
        const auto status = network_.Do(provider_->profile, {"status"}, "-fault");
        return status.ok() && status->at("parent").at("state") == "up";
      };
      const auto until = [&](const char* what, bool up) {
        const absl::Status seen =
            network_.Until(what, kEqualWithin, [&] { return linked() == up; });
        if (seen.ok()) return true;
        Step(std::string(seen.message()));
        return false;
      };
      // Begun anew with them, then cut off by their end.
      absl::SleepFor(absl::Seconds(kShortLifeSeconds) * 3 / 4);
      if (!until("the link stands", true) || !until("the link is cut by expiry", false)) return;
      Step("证书到期，链路断开 (run out: the link is cut)");
      if (!until("certificates are renewed", true)) return;
      fault_ended_ = absl::Now();
      expired_ = true;
      Step("证书已换发，链路恢复 (renewed: the link is back)");
    });
    return absl::OkStatus();
  }

  int64_t RowsAt(const CopiedNode& node) {
    const auto counted = network_.Do(node.profile, {"query", result_.code, "--local", "--count"});
    return counted.ok() ? std::strtoll(counted->at("total").get<std::string>().c_str(), nullptr, 10)
                        : -1;
  }

  bool AllHoldAcknowledged() {
    return std::all_of(network_.nodes().begin(), network_.nodes().end(),
                       [&](const auto& node) { return RowsAt(*node) == result_.acknowledged; });
  }

  absl::Status Compare() {
    // What is still missing after this time is lost.
    const absl::Status equal =
        network_.Until("all copies are equal", kEqualWithin, [&] { return AllHoldAcknowledged(); });
    if (!equal.ok() && !absl::IsDeadlineExceeded(equal)) return equal;
    result_.recovery = absl::Now() - fault_ended_;
    result_.passed = equal.ok() && (result_.options.fault != "expiry" || expired_);
    for (const auto& node : network_.nodes()) {
      DrillCopy copy{.path = node->path, .name = node->name, .rows = RowsAt(*node)};
      result_.lost = std::max(result_.lost, result_.acknowledged - copy.rows);
      result_.duplicated = std::max(result_.duplicated, copy.rows - result_.acknowledged);
      copy.verified = network_.Do(node->profile, {"verify"}).ok();
      const auto compared = network_.Do(node->profile, {"verify", result_.code});
      copy.verdict = compared.ok() && !compared->at("digests").empty()
                         ? compared->at("digests")[0].at("verdict").get<std::string>()
                         : "differs";
      result_.passed &= copy.verified && (copy.verdict == "equal" || copy.verdict == "source");
      result_.copies.push_back(std::move(copy));
    }
    Step(result_.passed ? "各副本逐行一致 (all copies are equal)"
                        : "副本不一致 (the copies are not equal)");
    return absl::OkStatus();
  }

  CopiedNetwork network_;
  CopiedNode* provider_ = nullptr;
  CopiedNetwork::Editor editor_;
  std::mutex mutex_;
  DrillResult result_;
  bool expired_ = false;  // the fault's own, read when it has ended
  std::thread fault_;
  absl::Time fault_ended_;
};

}  // namespace

absl::StatusOr<DrillResult> PlayDrill(const DrillOptions& options) {
  // Wherever the original keeps its data, the copy keeps them in its own folder.
  ::setenv("GUANTONG_DATA_DIR", "store", /*overwrite=*/1);
  GT_RETURN_IF_ERROR(MakeFolder(options.scratch));
  absl::StatusOr<DrillResult> result = Drill(options).Play();
  std::error_code ignored;
  if (result.ok()) std::filesystem::remove_all(options.scratch, ignored);
  return result;
}

}  // namespace guantong
