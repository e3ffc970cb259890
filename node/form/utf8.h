// Strict UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates), as a state that can be
// fed block by block.
#ifndef GUANTONG_NODE_FORM_UTF8_H_
#define GUANTONG_NODE_FORM_UTF8_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace guantong {

struct TextFault {
  bool found = false;
  uint64_t line = 0;    // from 1
  uint64_t column = 0;  // in characters, from 1
};

class Utf8Scan {
 public:
  void Feed(absl::string_view block);
  void Finish();  // what is left open is a fault

  const TextFault& first_fault() const { return first_fault_; }
  uint64_t faults() const { return faults_; }
  // Well-formed sequences of three bytes or more: evidence that the text was meant as UTF-8, other
  // encodings of Chinese form them by accident only.
  uint64_t long_sequences() const { return long_sequences_; }

 private:
  void Fault();

  int pending_ = 0;  // continuation bytes still to come
  int length_ = 0;
  unsigned char low_ = 0x80;
  unsigned char high_ = 0xBF;
  bool after_cr_ = false;
  uint64_t line_ = 1;
  uint64_t column_ = 1;
  uint64_t faults_ = 0;
  uint64_t long_sequences_ = 0;
  TextFault first_fault_;
};

TextFault FindUtf8Fault(absl::string_view text);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_UTF8_H_
