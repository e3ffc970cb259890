#include "node/form/utf8.h"

namespace guantong {

void Utf8Scan::Fault() {
  if (faults_++ == 0) first_fault_ = {.found = true, .line = line_, .column = column_};
  pending_ = 0;
  ++column_;
}

void Utf8Scan::Feed(absl::string_view block) {
  for (const char c : block) {
    const auto byte = static_cast<unsigned char>(c);
    if (pending_ > 0) {
      if (byte >= low_ && byte <= high_) {
        low_ = 0x80;
        high_ = 0xBF;
        if (--pending_ == 0) {
          ++column_;
          if (length_ >= 3) ++long_sequences_;
        }
        continue;
      }
      Fault();  // and the byte starts anew
    }
    const bool was_cr = after_cr_;
    after_cr_ = byte == '\r';
    if (byte < 0x80) {
      if (byte == '\n' && was_cr) continue;
      if (byte == '\n' || byte == '\r') {
        ++line_;
        column_ = 1;
      } else {
        ++column_;
      }
      continue;
    }
    low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    high_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
      pending_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      pending_ = 2;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      pending_ = 3;
    } else {
      Fault();
    }
    length_ = pending_ + 1;
  }
}

void Utf8Scan::Finish() {
  if (pending_ > 0) Fault();
}

TextFault FindUtf8Fault(absl::string_view text) {
  Utf8Scan scan;
  scan.Feed(text);
  scan.Finish();
  return scan.first_fault();
}

}  // namespace guantong
