#include "node/cli/local_checks.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "catalog/base/certificate.h"
#include "catalog/base/status.h"
#include "node/cli/output.h"
#include "node/config.h"
#include "node/identity/files.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr uint64_t kFreeBytesMin = 1ull << 30;
constexpr absl::Duration kCertificateLifeMin = absl::Hours(24 * 30);

void Add(v1::DoctorResponse* found, const char* check, bool ok, std::string text,
         std::string remedy = "") {
  v1::Finding* finding = found->add_findings();
  finding->set_check(check);
  finding->set_ok(ok);
  finding->set_text(std::move(text));
  if (!ok) finding->set_remedy(std::move(remedy));
}

void AddStatus(v1::DoctorResponse* found, const char* check, const absl::Status& status) {
  Add(found, check, false, std::string(status.message()), DetailOf(status).remedy);
}

void CheckCertificate(const std::string& dir, const char* name, v1::DoctorResponse* found) {
  const std::string file = absl::StrCat(dir, "/identity/", name);
  const auto pem = ReadSmallFile(file);
  if (!pem.ok()) return AddStatus(found, "certificate", pem.status());
  const auto chain = ChainFromPem(*pem);
  if (!chain.ok()) return AddStatus(found, "certificate", chain.status());
  const auto verified = VerifyChain(*chain, "", absl::Now());
  if (!verified.ok()) return AddStatus(found, "certificate", verified.status());
  const std::string until =
      absl::FormatTime("%Y-%m-%d", verified->not_after, absl::LocalTimeZone());
  Add(found, "certificate", verified->not_after - absl::Now() > kCertificateLifeMin,
      absl::StrCat(file, Text(" 有效期至 ", " is good until "), until),
      Text("启动节点以自动续期", "start the node, it renews by itself"));
}

bool Bindable(const addrinfo& address) {
  const int fd =
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
  if (fd < 0) return false;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound = ::bind(fd, address.ai_addr, address.ai_addrlen) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  return bound;
}

void CheckPort(const NodeConfig& config, const absl::Status& unanswered,
               v1::DoctorResponse* found) {
  const auto listen = ParseHostPort(config.listen);
  if (!listen.ok()) return AddStatus(found, "port", listen.status());
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  const int wrong =
      ::getaddrinfo(listen->host.c_str(), std::to_string(listen->port).c_str(), &hints, &addresses);
  if (wrong != 0) {
    return Add(found, "port", false,
               absl::StrCat(config.listen, Text("：", ": "), ::gai_strerror(wrong)),
               Text("改正 node.yaml 里的 listen", "mend listen in node.yaml"));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(addresses, ::freeaddrinfo);
  if (Bindable(*addresses)) {
    return Add(found, "port", unanswered.ok(),
               absl::StrCat(config.listen,
                            Text(" 空闲，节点没有在运行", " is free: the node does not run")),
               Text("启动 guantongd", "start guantongd"));
  }
  if (errno != EADDRINUSE) {
    return Add(found, "port", false,
               absl::StrCat(config.listen, Text("：", ": "), std::strerror(errno)),
               Text("改正 node.yaml 里的 listen，或换一个端口",
                    "mend listen in node.yaml, or take another port"));
  }
  Add(found, "port", unanswered.ok(),
      absl::StrCat(config.listen, Text(" 有程序在监听", " is in use"),
                   unanswered.ok() ? "" : Text("，但没有答复：", ", without an answer: "),
                   unanswered.message()),
      Text("确认占用端口的是这个节点，查看它的日志",
           "make sure it is this node that holds the port, and see its log"));
}

void CheckDisk(const std::string& folder, v1::DoctorResponse* found) {
  struct statvfs about;
  if (::statvfs(folder.c_str(), &about) != 0) {
    return Add(found, "disk", false, absl::StrCat(folder, Text("：", ": "), std::strerror(errno)),
               Text("检查目录和权限", "check folder and permissions"));
  }
  const uint64_t free = static_cast<uint64_t>(about.f_bavail) * about.f_frsize;
  Add(found, "disk", free >= kFreeBytesMin,
      absl::StrCat(folder, Text(" 剩余 ", " has free "), ByteCount(free).shown),
      Text("清理或扩容磁盘", "free or add disk space"));
  if (::access(folder.c_str(), W_OK) != 0) {
    Add(found, "disk", false, absl::StrCat(folder, Text(" 不可写", " cannot be written")),
        Text("检查目录的所有者和权限", "check owner and permissions of the folder"));
  }
}

}  // namespace

v1::DoctorResponse CheckLocally(const std::string& dir, const absl::Status& unanswered) {
  v1::DoctorResponse found;
  const auto config = LoadConfig(dir);
  if (config.ok()) {
    Add(&found, "configuration", true, absl::StrCat(dir, "/", kConfigFile));
  } else {
    AddStatus(&found, "configuration", config.status());
  }
  CheckCertificate(dir, "chain.pem", &found);
  CheckCertificate(dir, "tls.pem", &found);
  if (config.ok()) CheckPort(*config, unanswered, &found);
  // The folder of the store is made by the first start.
  const std::string store = config.ok() ? DataFolder(dir, *config) : dir;
  CheckDisk(FileExists(store) ? store : dir, &found);
  return found;
}

}  // namespace guantong
