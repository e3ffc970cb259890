// A tree of keys and scalars as someone wrote it, YAML or JSON, with the line of each part: what
// the readers of forms work on, so that a mistake is named by file, line and key whatever the
// syntax was.
#ifndef GUANTONG_NODE_FORM_FORM_VALUE_H_
#define GUANTONG_NODE_FORM_FORM_VALUE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

struct FormMember;

struct FormValue {
  enum class Kind {
    kNull,
    kBool,    // JSON
    kNumber,  // JSON, `text` is the token as written
    kText,    // quoted
    kPlain,   // YAML scalar without quotes: may become anything
    kList,
    kMap,
  };
  Kind kind = Kind::kNull;
  std::string text;  // scalars
  std::vector<FormValue> list;
  std::vector<FormMember> map;  // in written order, keys are unique
  int line = 0;                 // 1-based, 0: unknown

  const FormValue* Find(absl::string_view key) const;  // null: no such key
  void Erase(absl::string_view key);
};

struct FormMember {
  std::string key;
  FormValue value;
};

// Bounds on what is read: a form is small, and an alias in YAML multiplies.
inline constexpr size_t kFormBytesMax = 4 << 20;
inline constexpr size_t kFormDepthMax = 64;
inline constexpr size_t kFormValuesMax = 400000;

// `source` names the text in errors. INVALID_ARGUMENT form_malformed (syntax, encoding, bounds),
// key_repeated; the subject is "source:line".
absl::StatusOr<FormValue> ParseYaml(absl::string_view text, absl::string_view source);
absl::StatusOr<FormValue> ParseJson(absl::string_view text, absl::string_view source);

// Reads a file of at most kFormBytesMax as text. NOT_FOUND file_absent, INVALID_ARGUMENT
// form_malformed.
absl::StatusOr<std::string> ReadFormFile(const std::string& file);

// NOT_FOUND file_absent or INVALID_ARGUMENT file_unreadable, from errno.
absl::Status FileUnreadable(const std::string& file, int error);

// "source:line", or what of it is known.
std::string FormPlace(absl::string_view source, int line);

// INVALID_ARGUMENT whose message says place, key path and `what`.
absl::Status FormError(absl::string_view reason, absl::string_view source, int line,
                       absl::string_view path, absl::string_view what,
                       absl::string_view remedy = "");

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_FORM_VALUE_H_
