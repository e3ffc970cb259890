#include "node/identity/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/language.h"

namespace guantong {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool valid() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status Failed(int error, const std::string& file, absl::string_view reason,
                    absl::string_view what) {
  return Error(
      absl::StatusCode::kUnavailable, reason,
      absl::StrCat(what, " ", file, ": ", std::strerror(error)), file,
      Text("检查目录、权限和磁盘空间", "check the folder, its permissions and the disk space"));
}

absl::Status Unwritable(int error, const std::string& file) {
  return Failed(error, file, "file_unwritable", Text("写不了", "cannot write"));
}

absl::Status Unreadable(int error, const std::string& file) {
  return Failed(error, file, "file_unreadable", Text("读不了", "cannot read"));
}

absl::Status WriteDurably(const std::string& file, absl::string_view content) {
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.valid()) return Unwritable(errno, file);
  while (!content.empty()) {
    const ssize_t written = ::write(out.fd(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Unwritable(errno, file);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return ::fsync(out.fd()) == 0 ? absl::OkStatus() : Unwritable(errno, file);
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor in(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!in.valid() || ::fsync(in.fd()) != 0) return Unwritable(errno, folder);
  return absl::OkStatus();
}

std::string FolderOf(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

bool FileExists(const std::string& file) {
  struct stat facts;
  return ::stat(file.c_str(), &facts) == 0;
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid() && errno == ENOENT) {
    return Error(absl::StatusCode::kNotFound, "file_missing",
                 absl::StrCat(Text("没有这个文件：", "no such file: "), file), file);
  }
  if (!in.valid()) return Unreadable(errno, file);
  std::string content;
  char block[16 << 10];
  while (true) {
    const ssize_t count = ::read(in.fd(), block, sizeof(block));
    if (count == 0) return content;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unreadable(errno, file);
    content.append(block, static_cast<size_t>(count));
    if (content.size() > kPemBytesMax) return Unreadable(EFBIG, file);
  }
}

absl::Status ReplaceFile(const std::string& file, absl::string_view content) {
  const std::string staged = absl::StrCat(file, ".", ::getpid(), ".new");
  ::unlink(staged.c_str());
  absl::Status status = WriteDurably(staged, content);
  if (status.ok() && ::rename(staged.c_str(), file.c_str()) != 0) status = Unwritable(errno, file);
  if (!status.ok()) {
    ::unlink(staged.c_str());
    return status;
  }
  return SyncFolder(FolderOf(file));
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(FolderOf(folder), error);
  if (error) return Unwritable(error.value(), folder);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Unwritable(errno, folder);
  return SyncFolder(FolderOf(folder));
}

}  // namespace guantong
