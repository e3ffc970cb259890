#include "node/row_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/limits.h"

namespace guantong {
namespace {

constexpr size_t kHeadBytes = 16;  // key length, row length, line

absl::Status FileError(absl::string_view what, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return Error(absl::StatusCode::kResourceExhausted, "disk_full",
                 absl::StrCat(what, "：磁盘空间不足 (the disk is full)"), "",
                 "清理磁盘后重试 (free some space, try again)");
  }
  return Error(absl::StatusCode::kUnavailable, "spill_failed",
               absl::StrCat(what, ": ", std::strerror(error)));
}

int OpenNameless(const std::string& dir) {
  const int fd = open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  // Not every file system has it.
  std::string name = absl::StrCat(dir, "/rows-XXXXXX");
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

absl::Status WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("暂存推送的行 (spilling rows)", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

class RowSorter::Source {
 public:
  virtual ~Source() = default;
  virtual absl::Status Rewind() = 0;
  virtual absl::Status Next() = 0;  // sets `valid` and `head`
  bool valid = false;
  Head head;
};

class RowSorter::MemorySource : public Source {
 public:
  explicit MemorySource(const RowSorter* sorter) : sorter_(*sorter) {}
  absl::Status Rewind() override {
    at_ = 0;
    return Next();
  }
  absl::Status Next() override {
    valid = at_ < sorter_.items_.size();
    if (!valid) return absl::OkStatus();
    const Item& item = sorter_.items_[at_++];
    const absl::string_view bytes(sorter_.arena_.data() + item.at, item.key_bytes + item.row_bytes);
    head = {bytes.substr(0, item.key_bytes), bytes.substr(item.key_bytes), item.line};
    return absl::OkStatus();
  }

 private:
  const RowSorter& sorter_;
  size_t at_ = 0;
};

class RowSorter::FileSource : public Source {
 public:
  explicit FileSource(int fd) : fd_(fd) {}
  ~FileSource() override { close(fd_); }
  absl::Status Rewind() override {
    offset_ = 0;
    buffer_.clear();
    at_ = 0;
    return Next();
  }
  absl::Status Next() override {
    GT_RETURN_IF_ERROR(Have(kHeadBytes));
    valid = buffer_.size() - at_ >= kHeadBytes;
    if (!valid) {
      buffer_ = std::string();
      return absl::OkStatus();
    }
    const absl::string_view bytes(buffer_.data() + at_, kHeadBytes);
    const size_t key_bytes = ReadBigEndian32(bytes);
    const size_t row_bytes = ReadBigEndian32(bytes.substr(4));
    const uint64_t line = ReadBigEndian64(bytes.substr(8));
    GT_RETURN_IF_ERROR(Have(kHeadBytes + key_bytes + row_bytes));
    if (buffer_.size() - at_ < kHeadBytes + key_bytes + row_bytes)
      return FileError("读回暂存的行 (reading spilled rows)", EIO);
    const absl::string_view body(buffer_.data() + at_ + kHeadBytes, key_bytes + row_bytes);
    head = {body.substr(0, key_bytes), body.substr(key_bytes), line};
    at_ += kHeadBytes + key_bytes + row_bytes;
    return absl::OkStatus();
  }

 private:
  // At least `bytes` in the buffer from `at_`, less only at the end of the file.
  absl::Status Have(size_t bytes) {
    if (buffer_.size() - at_ >= bytes) return absl::OkStatus();
    buffer_.erase(0, at_);
    at_ = 0;
    const size_t want = std::max(bytes, kPushReadBufferBytes);
    while (buffer_.size() < bytes) {
      const size_t had = buffer_.size();
      buffer_.resize(want);
      const ssize_t got = pread(fd_, buffer_.data() + had, want - had, static_cast<off_t>(offset_));
      const int error = errno;
      buffer_.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
      if (got < 0 && error == EINTR) continue;
      if (got < 0) return FileError("读回暂存的行 (reading spilled rows)", error);
      if (got == 0) return absl::OkStatus();
      offset_ += static_cast<uint64_t>(got);
    }
    return absl::OkStatus();
  }

  const int fd_;
  uint64_t offset_ = 0;
  std::string buffer_;
  size_t at_ = 0;
};

bool RowSorter::Later::operator()(const Source* a, const Source* b) const {
  const int order = a->head.key.compare(b->head.key);
  return order != 0 ? order > 0 : a->head.line > b->head.line;
}

RowSorter::RowSorter(RowSorterOptions options) : options_(std::move(options)) {}

RowSorter::~RowSorter() = default;

absl::Status RowSorter::Add(absl::string_view key, absl::string_view row, uint64_t line) {
  bytes_ += key.size() + row.size() + kHeadBytes;
  if (bytes_ > options_.bytes_max) {
    return Error(
        absl::StatusCode::kResourceExhausted, "push_too_large",
        absl::StrCat("一次推送超过 ", options_.bytes_max >> 20, " MiB (the push is too large)"), "",
        "分批推送 (push it in several parts with --mode upsert)");
  }
  ++rows_;
  if (!items_.empty() && arena_.size() + key.size() + row.size() + items_.size() * sizeof(Item) >
                             options_.buffer_bytes_max) {
    GT_RETURN_IF_ERROR(Spill());
  }
  items_.push_back(
      {arena_.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(row.size()), line});
  arena_.append(key.data(), key.size());
  arena_.append(row.data(), row.size());
  return absl::OkStatus();
}

void RowSorter::SortBuffer() {
  const auto earlier = [this](const Item& a, const Item& b) {
    const absl::string_view a_key(arena_.data() + a.at, a.key_bytes);
    const absl::string_view b_key(arena_.data() + b.at, b.key_bytes);
    const int order = a_key.compare(b_key);
    return order != 0 ? order < 0 : a.line < b.line;
  };
  // As they come from most sources.
  if (std::is_sorted(items_.begin(), items_.end(), earlier)) return;
  std::sort(items_.begin(), items_.end(), earlier);
}

absl::Status RowSorter::Spill() {
  SortBuffer();
  const int fd = OpenNameless(options_.dir);
  if (fd < 0) return FileError("创建暂存文件 (making a spill file)", errno);
  auto run = std::make_unique<FileSource>(fd);
  std::string out;
  for (const Item& item : items_) {
    AppendBigEndian32(item.key_bytes, &out);
    AppendBigEndian32(item.row_bytes, &out);
    AppendBigEndian64(item.line, &out);
    out.append(arena_, item.at, item.key_bytes + item.row_bytes);
    if (out.size() < kPushReadBufferBytes) continue;
    GT_RETURN_IF_ERROR(WriteAll(fd, out));
    out.clear();
  }
  GT_RETURN_IF_ERROR(WriteAll(fd, out));
  sources_.push_back(std::move(run));
  items_.clear();
  arena_.clear();
  return absl::OkStatus();
}

absl::Status RowSorter::Finish() {
  SortBuffer();
  sources_.push_back(std::make_unique<MemorySource>(this));
  return Rewind();
}

absl::Status RowSorter::Rewind() {
  heap_ = {};
  for (const std::unique_ptr<Source>& source : sources_) {
    GT_RETURN_IF_ERROR(source->Rewind());
    if (source->valid) heap_.push(source.get());
  }
  return absl::OkStatus();
}

absl::Status RowSorter::Next() {
  Source* first = heap_.top();
  heap_.pop();
  GT_RETURN_IF_ERROR(first->Next());
  if (first->valid) heap_.push(first);
  return absl::OkStatus();
}

absl::string_view RowSorter::key() const { return heap_.top()->head.key; }
absl::string_view RowSorter::row() const { return heap_.top()->head.row; }
uint64_t RowSorter::line() const { return heap_.top()->head.line; }

}  // namespace guantong
