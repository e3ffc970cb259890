#include "node/form/transcoder.h"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <vector>

#include "catalog/base/status.h"

namespace guantong {
namespace {

void AppendUtf8(const UChar* text, int32_t length, std::string* out) {
  for (int32_t i = 0; i < length;) {
    UChar32 c;
    U16_NEXT(text, i, length, c);
    char bytes[U8_MAX_LENGTH];
    int32_t count = 0;
    U8_APPEND_UNSAFE(bytes, count, c);
    out->append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace

Transcoder::Transcoder(const char* name) {
  UErrorCode error = U_ZERO_ERROR;
  converter_ = ucnv_open(name, &error);
  GT_CHECK(U_SUCCESS(error));
  ucnv_setToUCallBack(converter_, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  GT_CHECK(U_SUCCESS(error));
}

Transcoder::~Transcoder() { ucnv_close(converter_); }

bool Transcoder::Convert(absl::string_view block, bool last, std::string* out) {
  const char* from = block.data();
  const char* const end = from + block.size();
  std::vector<UChar> text(8192);
  while (true) {
    UErrorCode error = U_ZERO_ERROR;
    UChar* to = text.data();
    if (high_ != 0) *to++ = high_;
    ucnv_toUnicode(converter_, &to, text.data() + text.size(), &from, end, nullptr, last, &error);
    auto length = static_cast<int32_t>(to - text.data());
    // A full buffer may end between the halves of a pair.
    high_ = length > 0 && U16_IS_LEAD(text[length - 1]) ? text[length - 1] : 0;
    if (high_ != 0) --length;
    AppendUtf8(text.data(), length, out);
    if (error == U_BUFFER_OVERFLOW_ERROR) continue;
    return U_SUCCESS(error);
  }
}

}  // namespace guantong
