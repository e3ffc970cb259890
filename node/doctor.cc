#include "node/doctor.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "guantong/v1/link.pb.h"
#include "node/config.h"
#include "node/driver.h"
#include "node/identity/credentials.h"
#include "node/upkeep/upkeep.h"

namespace guantong {
namespace {

constexpr char kClock[] = "clock";
constexpr absl::Duration kConnectWithin = absl::Seconds(3);
constexpr absl::Duration kClockWithin = absl::Seconds(3);
constexpr double kClockOffMaxSeconds = 30;
constexpr int kCertificateDaysMin = 60;
constexpr double kDiskFreeMin = 0.05;
constexpr uint64_t kDiskFreeBytesMin = uint64_t{512} << 20;

}  // namespace

v1::Finding Found(absl::string_view check, bool ok, absl::string_view text,
                  absl::string_view remedy) {
  v1::Finding finding;
  finding.set_check(std::string(check));
  finding.set_ok(ok);
  finding.set_text(std::string(text));
  if (!ok) finding.set_remedy(std::string(remedy));
  return finding;
}

void Doctor::Register() {
  calls_.Serve(kClock, [this](const v1::SignedCall&, absl::Time) -> absl::StatusOr<std::string> {
    v1::Hello hello;
    hello.set_division(site_.options.division);
    hello.set_name(site_.options.name);
    hello.set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
    return hello.SerializeAsString();
  });
}

v1::DoctorResponse Doctor::Examine(absl::Time deadline) {
  v1::DoctorResponse response;
  *response.add_findings() = Certificate();
  *response.add_findings() = Port();
  *response.add_findings() = Parent();
  *response.add_findings() = Disk();
  *response.add_findings() = Clock(deadline);
  *response.add_findings() = Store();
  upkeep_.Examine(&response);
  return response;
}

v1::Finding Doctor::Certificate() const {
  const absl::Time ends = site_.identity->self.not_after;
  const double days = absl::ToDoubleHours(ends - absl::Now()) / 24;
  return Found(
      "certificate", days >= kCertificateDaysMin,
      absl::StrFormat("证书还有 %d 天，到 %s (days left)", static_cast<int>(std::floor(days)),
                      absl::FormatTime("%Y-%m-%d", ends, absl::LocalTimeZone())),
      site_.path().is_root()
          ? "根节点自行换新；没有换时看日志 (the root renews it by itself; see its log if not)"
          : "自动向上级换发；没有换时看日志，并确认上级可达 (it is renewed by itself; if not see "
            "the "
            "log, and whether the parent is reached)");
}

v1::Finding Doctor::Port() const {
  const std::string address = LocalAddress(site_.options.listen);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  absl::Status refused;
  std::mutex mutex;
  const auto credentials = MakeChannelCredentials(
      site_.identity->tls_key.ToPem(), site_.identity->tls_chain_pem, site_.network(),
      [this](const VerifiedChain& server) {
        return server.node_id == site_.node_id()
                   ? absl::OkStatus()
                   : Error(absl::StatusCode::kPermissionDenied, "another_node",
                           absl::StrCat("端口上是另一个节点 ", DisplayPath(server.path),
                                        " (another node answers there)"));
      },
      [&](const absl::Status& why) {
        std::lock_guard<std::mutex> lock(mutex);
        refused = why;
      });
  const auto channel = grpc::CreateCustomChannel(address, credentials, arguments);
  const bool connected = channel->WaitForConnected(std::chrono::system_clock::now() +
                                                   absl::ToChronoMilliseconds(kConnectWithin));
  std::lock_guard<std::mutex> lock(mutex);
  return Found(
      "port", connected,
      absl::StrCat(address,
                   connected ? " 可连接，证书相符 (reachable)" : " 连不上 (not reachable): ",
                   refused.message()),
      "检查 listen 地址和防火墙 (check the listen address and the firewall)");
}

v1::Finding Doctor::Parent() const {
  if (site_.path().is_root())
    return Found("parent", true, "根节点，没有上级 (the root has no parent)", "");
  absl::StatusOr<v1::LinkInfo> parent = neighbours_.Parent();
  if (!parent.ok())
    return Found("parent", false, parent.status().message(), "稍后重试 (try again)");
  const std::string who = absl::StrCat(parent->name(), " ", parent->address());
  if (parent->state() == v1::LINK_STATE_UP)
    return Found("parent", true, absl::StrCat(who, " 已连接 (linked)"), "");
  const bool refused = parent->state() == v1::LINK_STATE_REFUSED;
  return Found(
      "parent", false,
      absl::StrCat(who, refused ? " 拒绝 (refused): " : " 不可达 (down): ", parent->text()),
      refused ? "按拒绝原因处理，并核对上级节点的日志 (act on the reason; the parent's log says "
                "the same)"
              : "检查 parent 地址、网络和上级节点是否运行 (check the address, the network, and "
                "that it runs)");
}

v1::Finding Doctor::Disk() const {
  struct statvfs disk = {};
  if (statvfs(site_.options.data.c_str(), &disk) != 0) {
    return Found("disk", false, absl::StrCat(site_.options.data, " 无法读取 (cannot be read)"),
                 "检查数据目录 (check the folder)");
  }
  const uint64_t free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
  const double share =
      disk.f_blocks == 0 ? 0
                         : static_cast<double>(disk.f_bavail) / static_cast<double>(disk.f_blocks);
  return Found("disk", share >= kDiskFreeMin && free_bytes >= kDiskFreeBytesMin,
               absl::StrFormat("剩余 %.1f GiB，%.0f%% (free)",
                               static_cast<double>(free_bytes) / (1 << 30), share * 100),
               "清理或扩容数据盘 (free some space or enlarge the disk)");
}

v1::Finding Doctor::Clock(absl::Time deadline) {
  if (site_.path().is_root())
    return Found("clock", true, "根节点以本机时钟为准 (nothing to compare with)", "");
  const absl::Time asked = absl::Now();
  const CallAnswer answer = calls_.Ask({.target = site_.path().Parent().text(),
                                        .method = kClock,
                                        .budget = std::min(kClockWithin, deadline - asked)});
  v1::Hello hello;
  if (!answer.status.ok() || !hello.ParseFromString(answer.body)) {
    return Found(
        "clock", false,
        absl::StrCat("无法与上级对时 (the parent's clock is not known): ", answer.status.message()),
        "先恢复与上级的链路 (restore the link to the parent first)");
  }
  const absl::Time theirs = absl::FromUnixMillis(hello.clock_unix_ms());
  const double off = absl::ToDoubleSeconds(asked + answer.elapsed / 2 - theirs);
  return Found("clock", std::abs(off) <= kClockOffMaxSeconds,
               absl::StrFormat("与上级相差 %.3f 秒 (seconds off the parent)", off),
               absl::StrCat("同步时钟；快 ", kClockAheadSeconds,
                            " 秒以上时签发的数据会被拒绝 (synchronise the clock)"));
}

v1::Finding Doctor::Store() const {
  const absl::Status health = site_.driver->health();
  if (!health.ok()) {
    return Found("store", false, absl::StrCat("暂停服务 (suspended): ", health.message()),
                 "处理后自动恢复 (it goes on by itself once the cause is gone)");
  }
  const absl::Time begun = absl::Now();
  WriteSet probe;
  probe.Put(NodeFactKey("probe"), absl::FormatTime(begun));
  const absl::Status written = site_.driver->WriteOwn(std::move(probe));
  if (!written.ok()) return Found("store", false, written.message(), DetailOf(written).remedy);
  return Found("store", true,
               absl::StrFormat("提交 %.1f 毫秒，占用 %.1f MiB (a commit took, on disk)",
                               absl::ToDoubleMilliseconds(absl::Now() - begun),
                               static_cast<double>(site_.store->Usage().disk_bytes) / (1 << 20)),
               "");
}

}  // namespace guantong
