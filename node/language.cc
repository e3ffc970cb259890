#include "node/language.h"

namespace guantong {
namespace {

Language current = Language::kChinese;

}  // namespace

void SetLanguage(Language language) { current = language; }

Language CurrentLanguage() { return current; }

const char* Text(const char* chinese, const char* english) {
  return current == Language::kEnglish ? english : chinese;
}

}  // namespace guantong
