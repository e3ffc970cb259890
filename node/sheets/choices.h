// The fixed values of the national sheet as people write them.
#ifndef GUANTONG_NODE_SHEETS_CHOICES_H_
#define GUANTONG_NODE_SHEETS_CHOICES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace guantong {

// Blanks, punctuation, width and case of a text do not count, nor do words in brackets at its end
// or figures before it: "2-有条件共享", "字符型 C（变长）".
class Choices {
 public:
  struct Choice {
    int value;
    std::vector<std::string> words;  // the first is written, all are read
  };
  explicit Choices(std::vector<Choice> choices);

  int ValueOf(absl::string_view text) const;  // -1: none
  std::string WordOf(int value) const;        // "": none
  std::vector<std::string> Words() const;     // the first of each
  // What to say of a text that is none of them.
  std::string Wanted(absl::string_view text) const;

 private:
  std::vector<Choice> choices_;
  std::vector<std::vector<std::string>> plain_;
};

const Choices& SharingTypeChoices();
const Choices& ModeChoices();
const Choices& CycleChoices();
const Choices& ItemTypeChoices();
const Choices& YesNoChoices();

// A resource format by code, by name ("mysql", "数据库-mysql", "mysql(0310)"); "" for none.
std::string FormatCodeOf(absl::string_view text);
// As a drop-down offers them: "0310 mysql".
std::vector<std::string> FormatWords();
std::string FormatWord(absl::string_view code);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_CHOICES_H_
