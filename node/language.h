// Texts for people are Chinese first, English on request. Chosen once, before other threads start;
// the daemon leaves it at Chinese.
#ifndef GUANTONG_NODE_LANGUAGE_H_
#define GUANTONG_NODE_LANGUAGE_H_

namespace guantong {

enum class Language { kChinese, kEnglish };

void SetLanguage(Language language);
Language CurrentLanguage();

// The one of the current language.
const char* Text(const char* chinese, const char* english);

}  // namespace guantong

#endif  // GUANTONG_NODE_LANGUAGE_H_
