// Preloaded into a real daemon: every call that creates, renames, removes or syncs a file below a
// root goes through and is written down (journal.h). Data are not touched: what was not synced is
// taken away by the test, after the kill.
//
// Runs inside any thread of a foreign program, before its main too: plain buffers and direct calls
// only.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/process/unsynced_writes/journal.h"

namespace {

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

using OpenFunction = int(const char*, int, ...);
using OpenAtFunction = int(int, const char*, int, ...);

int JournalFile() {
  static const int file = [] {
    const char* path = std::getenv(kJournalVariable);
    return path == nullptr
               ? -1
               : Real<OpenFunction>("open")(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }();
  return file;
}

bool IsBelowRoot(const char* path) {
  static const char* const root = std::getenv(kJournalRootVariable);
  return root != nullptr && std::strncmp(path, root, std::strlen(root)) == 0;
}

bool IsLiedAbout(const char* path) {
  static const char* const ending = std::getenv(kLyingDiskVariable);
  if (ending == nullptr || std::strlen(path) < std::strlen(ending)) return false;
  return std::strcmp(path + std::strlen(path) - std::strlen(ending), ending) == 0;
}

void Write(const char* format, ...) __attribute__((format(printf, 1, 2)));
void Write(const char* format, ...) {
  char line[3 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0 || static_cast<size_t>(length) >= sizeof line - 1) abort();
  line[length] = '\n';
  const ssize_t all = length + 1;
  if (JournalFile() >= 0 && write(JournalFile(), line, static_cast<size_t>(all)) != all) abort();
}

// Absolute names of paths that may stand relative to a folder's descriptor.
class Name {
 public:
  Name(int folder, const char* path) {
    char base[PATH_MAX] = "";
    if (path[0] != '/') {
      if (folder == AT_FDCWD) {
        if (getcwd(base, sizeof base - 1) == nullptr) return;
      } else {
        Name of(folder);
        std::strcpy(base, of.text());
      }
      std::strcat(base, "/");
    }
    std::snprintf(text_, sizeof text_, "%s%s", base, path);
  }
  explicit Name(int descriptor) {
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, text_, sizeof text_ - 1);
    text_[length < 0 ? 0 : length] = '\0';
  }
  const char* text() const { return text_; }
  bool Ours() const { return IsBelowRoot(text_); }

 private:
  char text_[2 * PATH_MAX] = "";
};

int Open(int folder, const char* path, int flags, mode_t mode) {
  static auto* const real = Real<OpenAtFunction>("openat");
  const bool creates =
      (flags & O_CREAT) != 0 && faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  const int file = real(folder, path, flags, mode);
  if (file >= 0 && creates) {
    const Name name(folder, path);
    if (name.Ours()) Write("C %s", name.text());
  }
  return file;
}

int Sync(int descriptor, int (*real)(int)) {
  const Name name(descriptor);
  struct stat before = {};
  if (!name.Ours() || fstat(descriptor, &before) != 0) return real(descriptor);
  if (IsLiedAbout(name.text())) return 0;
  const int result = real(descriptor);
  if (result != 0) return result;
  if (S_ISDIR(before.st_mode)) {
    Write("D %s", name.text());
  } else {
    Write("S %lld %s", static_cast<long long>(before.st_size), name.text());
  }
  return result;
}

int Rename(int from_folder, const char* from, int to_folder, const char* to) {
  static auto* const real = Real<int(int, const char*, int, const char*)>("renameat");
  static std::atomic<int> count{0};
  const Name source(from_folder, from);
  const Name target(to_folder, to);
  char saved[3 * PATH_MAX] = "";
  if (target.Ours()) {
    std::snprintf(saved, sizeof saved, "%s.saved.%d.%d", std::getenv(kJournalVariable), getpid(),
                  count++);
    if (link(target.text(), saved) != 0) saved[0] = '\0';
  }
  const int result = real(from_folder, from, to_folder, to);
  if (result == 0 && target.Ours()) Write("R %s|%s|%s", saved, source.text(), target.text());
  return result;
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

void WrittenInPlace(int descriptor) {
  const Name name(descriptor);
  if (name.Ours()) Write("O %s", name.text());
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Open(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Open(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Open(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return Open(folder, path, flags, mode);
}

int fsync(int descriptor) { return Sync(descriptor, Real<int(int)>("fsync")); }
int fdatasync(int descriptor) { return Sync(descriptor, Real<int(int)>("fdatasync")); }

int rename(const char* from, const char* to) noexcept {
  return Rename(AT_FDCWD, from, AT_FDCWD, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return Rename(from_folder, from, to_folder, to);
}

int link(const char* from, const char* to) noexcept {
  static auto* const real = Real<int(const char*, const char*)>("link");
  const int result = real(from, to);
  const Name name(AT_FDCWD, to);
  if (result == 0 && name.Ours()) Write("C %s", name.text());
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = Real<int(const char*, mode_t)>("mkdir");
  const int result = real(path, mode);
  const Name name(AT_FDCWD, path);
  if (result == 0 && name.Ours()) Write("C %s", name.text());
  return result;
}

int unlink(const char* path) noexcept {
  static auto* const real = Real<int(const char*)>("unlink");
  const Name name(AT_FDCWD, path);
  const int result = real(path);
  if (result == 0 && name.Ours()) Write("U %s", name.text());
  return result;
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t offset) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  WrittenInPlace(descriptor);
  return real(descriptor, data, size, offset);
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t offset) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  WrittenInPlace(descriptor);
  return real(descriptor, data, size, offset);
}

void* mmap(void* address, size_t size, int protection, int flags, int descriptor,
           off_t offset) noexcept {
  static auto* const real = Real<void*(void*, size_t, int, int, int, off_t)>("mmap");
  if (descriptor >= 0 && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0)
    WrittenInPlace(descriptor);
  return real(address, size, protection, flags, descriptor, offset);
}

}  // extern "C"
