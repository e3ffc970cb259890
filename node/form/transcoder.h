// Bytes of another encoding to UTF-8, strictly and block by block.
#ifndef GUANTONG_NODE_FORM_TRANSCODER_H_
#define GUANTONG_NODE_FORM_TRANSCODER_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct UConverter;

namespace guantong {

class Transcoder {
 public:
  // `name` as ICU knows it: "gb18030", "UTF-16LE", "UTF-16BE".
  explicit Transcoder(const char* name);
  ~Transcoder();
  Transcoder(const Transcoder&) = delete;
  Transcoder& operator=(const Transcoder&) = delete;

  // Appends what `block` means to `out`; a character may span blocks, `last` ends the text. False
  // at the first byte sequence that is no character; all before it has been appended then.
  bool Convert(absl::string_view block, bool last, std::string* out);

 private:
  UConverter* converter_;
  char16_t high_ = 0;  // first half of a surrogate pair whose second half is still to come
};

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_TRANSCODER_H_
