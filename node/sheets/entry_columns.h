// The columns of the national sheet: one table for reading, writing and templates. What a column
// writes it reads back as the same.
#ifndef GUANTONG_NODE_SHEETS_ENTRY_COLUMNS_H_
#define GUANTONG_NODE_SHEETS_ENTRY_COLUMNS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// `text` is empty when nothing is wrong.
struct CellProblem {
  std::string text;
  bool warning = false;
};

// `set` says what is wrong with the text, which is never empty; `get` answers "" for what is not
// given, and is null for a column that is read alone.
template <typename Message>
struct SheetColumn {
  std::string element;              // "sharing.type"
  std::vector<std::string> titles;  // the first is written, all are read
  bool required = false;            // by the guide
  std::string note;                 // what the template says about it
  std::function<CellProblem(const std::string& text, Message* message)> set;
  std::function<std::string(const Message& message)> get;
  std::vector<std::string> choices;  // of a drop-down
};
using EntryColumn = SheetColumn<v1::CatalogEntry>;
using ItemColumn = SheetColumn<v1::DataItem>;

const std::vector<EntryColumn>& EntryColumns();
const std::vector<ItemColumn>& ItemColumns();

// Words between commas, semicolons or lines; where there are lines, only they part.
std::vector<std::string> PartsOf(const std::string& text);
std::string JoinedParts(const std::vector<std::string>& parts);

CellProblem SetSharingType(const std::string& text, v1::Sharing* sharing);
CellProblem SetModes(const std::string& text, v1::Sharing* sharing);
std::string ModesText(const v1::Sharing& sharing);
// "" for nothing wrong; `value` stays when there is.
CellProblem ReadYesNo(const std::string& text, bool* value);
std::string YesNoText(bool value);
// "64", "64 位" with a warning: the figures count.
CellProblem ReadNumber(const std::string& text, uint64_t max, uint64_t* number);

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_ENTRY_COLUMNS_H_
