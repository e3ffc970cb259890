#include "node/form/text_lines.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/form/transcoder.h"
#include "node/form/utf8.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

const char* ConverterName(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::kGb18030:
      return "gb18030";
    case TextEncoding::kUtf16Le:
      return "UTF-16LE";
    case TextEncoding::kUtf16Be:
      return "UTF-16BE";
    default:
      return nullptr;
  }
}

absl::Status FileError(absl::string_view reason, const std::string& file, uint64_t line,
                       absl::string_view what, absl::string_view remedy = "") {
  return FormError(reason, file, static_cast<int>(line), "", what, remedy);
}

absl::Status TooLong(const std::string& file, uint64_t line) {
  return FileError(
      "line_too_long", file, line,
      absl::StrCat(Text("这一行超过 ", "this line is longer than "), kRowBytesMax,
                   Text(" 字节", " bytes")),
      Text("检查换行符和引号，或拆分这一行", "check line ends and quotes, or split it"));
}

absl::Status NotText(const std::string& file, uint64_t line) {
  return FileError("text_malformed", file, line,
                   Text("含有 NUL 字节，不是文本文件", "holds a NUL byte, this is not a text file"),
                   Text("导出为 csv、tsv 或 jsonl 再试", "export it as csv, tsv or jsonl"));
}

// What one pass over the bytes tells: how far the lines go, whether they are UTF-8.
class Survey {
 public:
  // False: a fault that no encoding heals, see `fault`.
  bool Feed(absl::string_view block, const std::string& file) {
    utf8_.Feed(block);
    for (const char c : block) {
      const bool was_cr = std::exchange(after_cr_, c == '\r');
      if (c == '\n' || c == '\r') {
        if (c == '\r' || !was_cr) ++line_;
        line_bytes_ = 0;
      } else if (c == '\0') {
        fault = NotText(file, line_);
        return false;
      } else if (++line_bytes_ > kRowBytesMax) {
        fault = TooLong(file, line_);
        return false;
      }
    }
    return true;
  }

  const Utf8Scan& Finish() {
    utf8_.Finish();
    return utf8_;
  }

  absl::Status fault;

 private:
  Utf8Scan utf8_;
  bool after_cr_ = false;
  uint64_t line_ = 1;
  uint64_t line_bytes_ = 0;
};

absl::Status NotUtf8(const std::string& file, const TextFault& fault) {
  return FileError("text_malformed", file, fault.line,
                   absl::StrCat(Text("第 ", "character "), fault.column,
                                Text(" 个字符不是 UTF-8", " is not UTF-8")),
                   Text("修正这一行；整份文件是国标码时加 --encoding gb18030",
                        "mend this line; for a file in GB18030 say --encoding gb18030"));
}

}  // namespace

absl::StatusOr<TextEncoding> ParseEncoding(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (lower == "auto") return TextEncoding::kAuto;
  if (lower == "utf-8" || lower == "utf8") return TextEncoding::kUtf8;
  if (lower == "gb18030" || lower == "gbk" || lower == "gb2312") return TextEncoding::kGb18030;
  return Error(absl::StatusCode::kInvalidArgument, "encoding_unknown",
               absl::StrCat(Text("不认识的编码：", "unknown encoding: "), name), name,
               "auto, utf-8, gb18030");
}

const char* EncodingName(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::kAuto:
      return "auto";
    case TextEncoding::kUtf8:
      return "utf-8";
    case TextEncoding::kGb18030:
      return "gb18030";
    case TextEncoding::kUtf16Le:
      return "utf-16le";
    case TextEncoding::kUtf16Be:
      return "utf-16be";
  }
  return "";
}

TextLines::TextLines(std::string file, FilePtr in) : file_(std::move(file)), in_(std::move(in)) {}
TextLines::~TextLines() = default;

absl::StatusOr<std::unique_ptr<TextLines>> TextLines::Open(const std::string& file,
                                                           TextEncoding encoding) {
  FilePtr in(std::fopen(file.c_str(), "rb"), std::fclose);
  if (in == nullptr) return FileUnreadable(file, errno);
  std::unique_ptr<TextLines> lines(new TextLines(file, std::move(in)));
  GT_RETURN_IF_ERROR(lines->Begin(encoding));
  return lines;
}

absl::Status TextLines::Begin(TextEncoding told) {
  struct stat about;
  if (::fstat(::fileno(in_.get()), &about) != 0 || !S_ISREG(about.st_mode)) {
    return FileUnreadable(file_, EINVAL);
  }
  bytes_ = static_cast<uint64_t>(about.st_size);
  unsigned char mark[3] = {};
  const size_t got = std::fread(mark, 1, sizeof mark, in_.get());
  TextEncoding marked = TextEncoding::kAuto;
  if (got == 3 && mark[0] == 0xEF && mark[1] == 0xBB && mark[2] == 0xBF) {
    marked = TextEncoding::kUtf8;
    mark_bytes_ = 3;
  } else if (got >= 2 && mark[0] == 0xFF && mark[1] == 0xFE) {
    marked = TextEncoding::kUtf16Le;
    mark_bytes_ = 2;
  } else if (got >= 2 && mark[0] == 0xFE && mark[1] == 0xFF) {
    marked = TextEncoding::kUtf16Be;
    mark_bytes_ = 2;
  }
  if (bytes_ == static_cast<uint64_t>(mark_bytes_)) {
    return FileError("file_empty", file_, 0, Text("文件是空的", "the file is empty"),
                     Text("检查导出是否成功", "check whether the export went well"));
  }
  if (marked != TextEncoding::kAuto) told = marked;
  return Detect(told);
}

absl::Status TextLines::Detect(TextEncoding told) {
  GT_RETURN_IF_ERROR(Rewind(told));
  if (told == TextEncoding::kUtf16Le || told == TextEncoding::kUtf16Be) return absl::OkStatus();
  Survey survey;
  std::string block(kBlockBytes, '\0');
  while (const size_t got = std::fread(block.data(), 1, block.size(), in_.get())) {
    if (!survey.Feed({block.data(), got}, file_)) return survey.fault;
  }
  const Utf8Scan& utf8 = survey.Finish();
  if (told == TextEncoding::kAuto) {
    if (utf8.faults() == 0) {
      told = TextEncoding::kUtf8;
    } else {
      // Chinese text in GB18030 is full of faults as UTF-8 and forms long sequences by accident
      // only.
      told = utf8.long_sequences() >= utf8.faults() ? TextEncoding::kUtf8 : TextEncoding::kGb18030;
    }
  }
  if (told == TextEncoding::kUtf8 && utf8.faults() > 0) {
    return NotUtf8(file_, utf8.first_fault());
  }
  return Rewind(told);
}

absl::Status TextLines::Rewind(TextEncoding encoding) {
  if (std::fseek(in_.get(), mark_bytes_, SEEK_SET) != 0) return FileUnreadable(file_, errno);
  encoding_ = encoding;
  bytes_read_ = static_cast<uint64_t>(mark_bytes_);
  const char* converter = ConverterName(encoding);
  transcoder_ = converter == nullptr ? nullptr : std::make_unique<Transcoder>(converter);
  return absl::OkStatus();
}

absl::Status TextLines::Fill() {
  buffer_.erase(0, taken_);
  taken_ = 0;
  std::string block(kBlockBytes, '\0');
  const size_t got = std::fread(block.data(), 1, block.size(), in_.get());
  if (std::ferror(in_.get()) != 0) return FileUnreadable(file_, errno);
  bytes_read_ += got;
  at_end_ = got < block.size();
  const size_t before = buffer_.size();
  if (transcoder_ == nullptr) {
    buffer_.append(block, 0, got);
    return absl::OkStatus();
  }
  const bool whole = transcoder_->Convert({block.data(), got}, at_end_, &buffer_);
  const auto line_at = [this](size_t end) {
    uint64_t line = line_ + 1;
    for (size_t i = 0; i < end; ++i) {
      const bool ends = buffer_[i] == '\n' || (buffer_[i] == '\r' && buffer_[i + 1] != '\n');
      if (ends) ++line;
    }
    return line;
  };
  if (!whole) {
    return FileError(
        "text_malformed", file_, line_at(buffer_.size()),
        absl::StrCat(Text("有字节不是 ", "bytes that are not "), EncodingName(encoding_)),
        Text("另存为 UTF-8 再试", "save the file as UTF-8"));
  }
  if (const size_t nul = buffer_.find('\0', before); nul != std::string::npos) {
    return NotText(file_, line_at(nul));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> TextLines::Next(std::string* line) {
  size_t searched = taken_;
  while (true) {
    const size_t end = buffer_.find_first_of("\r\n", searched);
    // A CR at the end of what is read may have its LF in what is not.
    if (end != std::string::npos && (end + 1 < buffer_.size() || at_end_)) {
      const bool both =
          buffer_[end] == '\r' && end + 1 < buffer_.size() && buffer_[end + 1] == '\n';
      const size_t next = end + (both ? 2 : 1);
      if (end - taken_ > kRowBytesMax) return TooLong(file_, line_ + 1);
      line->assign(buffer_, taken_, next - taken_);
      taken_ = next;
      ++line_;
      return true;
    }
    const size_t held = (end == std::string::npos ? buffer_.size() : end) - taken_;
    if (held > kRowBytesMax) return TooLong(file_, line_ + 1);
    if (at_end_) {
      if (held == 0) return false;
      line->assign(buffer_, taken_);
      taken_ = buffer_.size();
      ++line_;
      return true;
    }
    GT_RETURN_IF_ERROR(Fill());
    searched = taken_ + held;
  }
}

}  // namespace guantong
