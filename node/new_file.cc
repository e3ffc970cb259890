#include "node/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/language.h"

namespace guantong {
namespace {

absl::Status Unwritable(const std::string& file) {
  return Error(absl::StatusCode::kUnavailable, "file_unwritable",
               absl::StrCat(Text("写不了文件：", "cannot write the file: "), std::strerror(errno)),
               file, Text("检查目录、权限和磁盘空间", "check folder, permissions and disk space"));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::Status WriteAll(const std::string& file, absl::string_view content, unsigned mode) {
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (out.fd() < 0) return Unwritable(file);
  while (!content.empty()) {
    const ssize_t written = ::write(out.fd(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Unwritable(file);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return ::fsync(out.fd()) == 0 ? absl::OkStatus() : Unwritable(file);
}

absl::Status SyncFolderOf(const std::string& file) {
  const size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Descriptor in(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return in.fd() >= 0 && ::fsync(in.fd()) == 0 ? absl::OkStatus() : Unwritable(file);
}

}  // namespace

absl::Status WriteNewFile(const std::string& file, absl::string_view content, unsigned mode) {
  const std::string staged = absl::StrCat(file, ".", ::getpid(), ".new");
  ::unlink(staged.c_str());
  absl::Status status = WriteAll(staged, content, mode);
  // A hard link, unlike a rename, refuses to replace what is there.
  if (status.ok() && ::link(staged.c_str(), file.c_str()) != 0) {
    status = errno == EEXIST
                 ? Error(absl::StatusCode::kAlreadyExists, "file_exists",
                         Text("文件已经存在，不覆盖", "the file exists and is not overwritten"),
                         file, Text("换一个位置，或先移走它", "choose another place, or move it"))
                 : Unwritable(file);
  }
  ::unlink(staged.c_str());
  if (!status.ok()) return status;
  return SyncFolderOf(file);
}

}  // namespace guantong
