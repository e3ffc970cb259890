// verify, doctor: whether what is stored holds, and what is wrong with a node.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/certificate.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "catalog/rocks/rocks_store.h"
#include "catalog/store.h"
#include "guantong/v1/node.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/local_checks.h"
#include "node/cli/output.h"
#include "node/config.h"
#include "node/form/json_form.h"
#include "node/identity/files.h"
#include "node/language.h"
#include "node/verify.h"

namespace guantong {
namespace {

constexpr absl::Duration kCompareWithin = absl::Minutes(5);

absl::Status ReportVerification(const Invocation& invocation, const v1::VerifyResponse& verified) {
  Table table({{"feeds", Text("数据流", "feeds"), true},
               {"batches", Text("批次", "batches"), true},
               {"records", Text("记录", "records"), true},
               {"faults", Text("问题", "faults"), true}});
  table.Add({Count(verified.feeds()), Count(verified.batches()), Count(verified.records()),
             Count(static_cast<uint64_t>(verified.faults_size()))});
  Emit(invocation, ToJson(verified), table);
  if (verified.faults().empty()) {
    Say(Text("哈希链、签名和证书链全部核对无误",
             "hash chains, signatures and certificate chains hold"));
    return absl::OkStatus();
  }
  for (const v1::VerifyFault& fault : verified.faults()) {
    if (!fault.file().empty()) {
      Say(absl::StrCat(Text("文件 ", "file "), fault.file(), Text("：", ": "), fault.text()));
      continue;
    }
    Say(absl::StrCat(fault.feed_key(), " ", fault.feed().resource(), Text(" 第 ", " record "),
                     fault.sequence(), Text(" 条：", ": "), fault.text()));
  }
  return Error(absl::StatusCode::kDataLoss, "verify_failed",
               absl::StrCat(verified.faults_size(), Text(" 处核对不上", " faults")), "",
               Text("从上级或下级重新取得，或从备份恢复",
                    "fetch again from a neighbour, or restore a backup"));
}

// Offline: the folder alone is read, by the process that holds the store's lock meanwhile.
absl::Status VerifyFolder(const Invocation& invocation, const std::string& dir) {
  GT_ASSIGN_OR_RETURN(const NodeConfig config, LoadConfig(dir));
  const std::string chain_file = absl::StrCat(dir, "/identity/chain.pem");
  GT_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(chain_file));
  GT_ASSIGN_OR_RETURN(const v1::CertificateChain chain, ChainFromPem(pem));
  GT_ASSIGN_OR_RETURN(const VerifiedChain self, VerifyChain(chain, "", absl::Now()));
  const std::string store_dir = DataFolder(dir, config);
  // Opening would make an empty one.
  if (!FileExists(store_dir)) {
    return Error(
        absl::StatusCode::kNotFound, "store_absent",
        Text("这里没有数据目录", "there is no data folder"), store_dir,
        Text("核对 --dir 和 node.yaml 的 data_dir", "check --dir, and data_dir in node.yaml"));
  }
  GT_ASSIGN_OR_RETURN(const std::unique_ptr<RocksStore> store, OpenRocksStore(store_dir));
  GT_ASSIGN_OR_RETURN(v1::VerifyResponse verified, VerifyStore(*store, self.network));
  VerifyFiles(*store, &verified);
  return ReportVerification(invocation, verified);
}

// One dataset at every node of the way to its provider.
absl::Status CompareCopies(const Invocation& invocation, const std::string& code) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  v1::VerifyRequest request;
  request.set_code(code);
  GT_ASSIGN_OR_RETURN(const auto verified,
                      connection->Call<v1::VerifyResponse>("guantong.v1.NodeService.Verify",
                                                           request, kCompareWithin));
  Table table({{"path", Text("节点", "node")},
               {"name", Text("名称", "name")},
               {"commit", Text("提交", "commit"), true},
               {"rows", Text("行", "rows"), true},
               {"sha256", Text("摘要", "digest")},
               {"verdict", Text("结论", "verdict")},
               {"text", Text("说明", "note")}});
  for (const v1::TableDigest& copy : verified.digests()) {
    table.Add({ShownPath(copy.hop().path()),
               copy.hop().name(),
               Count(copy.commit()),
               Count(copy.rows()),
               {HexOf(copy.sha256()).substr(0, 16), HexOf(copy.sha256())},
               copy.verdict(),
               copy.text()});
  }
  Emit(invocation, ToJson(verified), table);
  for (const v1::TableDigest& copy : verified.digests()) {
    if (copy.verdict() != "differs") continue;
    return Error(
        absl::StatusCode::kDataLoss, "copies_differ",
        absl::StrCat(Text("从提供方数起，第一个不一致的节点是 ",
                          "the first that differs, seen from the provider, is "),
                     ShownPath(verified.first_different())),
        verified.first_different(),
        Text("在该节点运行 guantong verify 和 doctor；退订再订阅可重新取得",
             "run guantong verify and doctor there; to fetch it anew, unsubscribe and subscribe"));
  }
  return absl::OkStatus();
}

absl::Status RunVerify(const Invocation& invocation, const std::string& dir,
                       const std::string& code) {
  if (!dir.empty() && !code.empty()) {
    return UsageError(Text("--dir 和代码不同用", "say either --dir or a code"));
  }
  if (!code.empty()) return CompareCopies(invocation, code);
  if (!dir.empty()) return VerifyFolder(invocation, dir);
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto verified,
                      connection->Call<v1::VerifyResponse>("guantong.v1.NodeService.Verify",
                                                           v1::VerifyRequest(), kWorkWithin));
  return ReportVerification(invocation, verified);
}

absl::Status ReportFindings(const Invocation& invocation, const v1::DoctorResponse& found) {
  Table table({{"check", Text("检查", "check")},
               {"ok", Text("结果", "result")},
               {"text", Text("说明", "note")},
               {"remedy", Text("下一步", "next")}});
  int wrong = 0;
  for (const v1::Finding& finding : found.findings()) {
    wrong += finding.ok() ? 0 : 1;
    table.Add({finding.check(),
               {finding.ok() ? Text("正常", "ok") : Text("有问题", "wrong"),
                finding.ok() ? "true" : "false"},
               finding.text(),
               finding.remedy()});
  }
  Emit(invocation, ToJson(found), table);
  if (wrong == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInternal, "doctor_findings",
               absl::StrCat(wrong, Text(" 项有问题", " checks failed")), "",
               Text("按各项的下一步处理", "see what each check says to do next"));
}

absl::Status RunDoctor(const Invocation& invocation, const std::string& dir) {
  absl::Status unanswered;
  if (!invocation.profile.empty() || dir.empty()) {
    GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
    const auto found =
        connection->Call<v1::DoctorResponse>("guantong.v1.NodeService.Doctor", v1::DoctorRequest());
    if (found.ok()) return ReportFindings(invocation, *found);
    if (dir.empty()) return found.status();
    unanswered = found.status();
  }
  return ReportFindings(invocation, CheckLocally(dir, unanswered));
}

}  // namespace

void AddChecks(CLI::App* app, Invocation* invocation) {
  auto* verify = app->add_subcommand(
      "verify", Text("核对保存的哈希链、签名和证书链",
                     "check the stored hash chains, signatures and certificates"));
  const auto folder = std::make_shared<std::string>();
  verify->add_option("--dir", *folder,
                     Text("离线核对这个节点目录（节点须已停止）",
                          "offline, this node's folder (stop the node first)"));
  const auto code = std::make_shared<std::string>();
  verify->add_option(
      "code", *code,
      Text("资源代码：逐跳比对各节点的副本，指出第一个不一致的节点",
           "a resource code: compare its copies hop by hop, name the first that differs"));
  verify->callback([invocation, folder, code] {
    invocation->action = [invocation, folder, code] {
      return RunVerify(*invocation, *folder, *code);
    };
  });

  auto* doctor = app->add_subcommand("doctor", Text("体检：证书、端口、上级、磁盘、时钟",
                                                    "certificate, port, parent, disk, clock"));
  const auto dir = std::make_shared<std::string>();
  doctor->add_option(
      "--dir", *dir,
      Text("节点目录；节点没有答复时在本机检查", "the node's folder, for when it does not answer"));
  doctor->callback([invocation, dir] {
    invocation->action = [invocation, dir] { return RunDoctor(*invocation, *dir); };
  });
}

}  // namespace guantong
