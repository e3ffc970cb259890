#include "tests/network/folder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "node/cli/drill/loopback_port.h"

namespace guantong::test {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Socket {
 public:
  Socket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (descriptor_ < 0) throw std::runtime_error("no socket to be had");
  }
  ~Socket() { close(descriptor_); }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

Folder::Folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "guantong-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no temporary folder: " + pattern);
  path_ = pattern;
}

Folder::~Folder() {
  if (std::getenv("GUANTONG_KEEP") != nullptr) {
    std::cout << "kept: " << path_ << std::endl;
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::File(const std::string& name, absl::string_view content) const {
  std::string file = absl::StrCat(path_, "/", name);
  std::ofstream out(file, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
  return file;
}

std::string ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file);
  return content.str();
}

std::string ProgramFolder() {
  const char* folder = std::getenv("GUANTONG_BIN_DIR");
  if (folder != nullptr && *folder != '\0') return folder;
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
}

uint16_t FreePort() {
  static std::set<uint16_t> given;
  for (;;) {
    const absl::StatusOr<uint16_t> port = FreeLoopbackPort();
    if (!port.ok()) throw std::runtime_error(port.status().ToString());
    if (given.insert(*port).second) return *port;
  }
}

bool Listens(uint16_t port) {
  const Socket socket;
  const sockaddr_in address = Loopback(port);
  return connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) == 0;
}

}  // namespace guantong::test
