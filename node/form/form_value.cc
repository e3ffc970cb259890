#include "node/form/form_value.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/utf8.h"
#include "node/language.h"

namespace guantong {

const FormValue* FormValue::Find(absl::string_view key) const {
  for (const FormMember& member : map) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void FormValue::Erase(absl::string_view key) {
  map.erase(std::remove_if(map.begin(), map.end(),
                           [key](const FormMember& member) { return member.key == key; }),
            map.end());
}

std::string FormPlace(absl::string_view source, int line) {
  if (line <= 0) return std::string(source);
  if (source.empty()) return absl::StrCat(Text("第 ", "line "), line, Text(" 行", ""));
  return absl::StrCat(source, ":", line);
}

absl::Status FormError(absl::string_view reason, absl::string_view source, int line,
                       absl::string_view path, absl::string_view what, absl::string_view remedy) {
  const std::string place = FormPlace(source, line);
  std::string message = place;
  if (!path.empty()) absl::StrAppend(&message, message.empty() ? "" : Text("：", ": "), path);
  absl::StrAppend(&message, message.empty() ? "" : Text("：", ": "), what);
  return Error(absl::StatusCode::kInvalidArgument, reason, message, place.empty() ? path : place,
               remedy);
}

absl::Status FileUnreadable(const std::string& file, int error) {
  const bool absent = error == ENOENT;
  return Error(absent ? absl::StatusCode::kNotFound : absl::StatusCode::kInvalidArgument,
               absent ? "file_absent" : "file_unreadable",
               absl::StrCat(file,
                            absent ? Text("：没有这个文件", ": no such file")
                                   : Text("：读不了这个文件", ": cannot read the file"),
                            absent ? "" : absl::StrCat(" (", std::strerror(error), ")")),
               file,
               Text("检查文件名和权限，并确认它是普通文件",
                    "check name and permissions, and that it is a regular file"));
}

absl::StatusOr<std::string> ReadFormFile(const std::string& file) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rb"), std::fclose);
  if (in == nullptr) return FileUnreadable(file, errno);
  std::string text(kFormBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), in.get()));
  if (std::ferror(in.get()) != 0) return FileUnreadable(file, errno);
  if (text.size() > kFormBytesMax) {
    return FormError(
        "form_malformed", file, 0, "",
        absl::StrCat(Text("超过 ", "larger than "), kFormBytesMax >> 20,
                     Text(" MiB，不是一份条目或配置", " MiB: no entry, no configuration")));
  }
  if (text.compare(0, 3, "\xEF\xBB\xBF") == 0) text.erase(0, 3);
  if (const TextFault fault = FindUtf8Fault(text); fault.found) {
    return FormError("form_malformed", file, static_cast<int>(fault.line), "",
                     absl::StrCat(Text("第 ", "character "), fault.column,
                                  Text(" 个字符不是 UTF-8", " is not UTF-8")),
                     Text("把文件另存为 UTF-8 编码", "save the file as UTF-8"));
  }
  return text;
}

}  // namespace guantong
