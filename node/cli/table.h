// What a command prints: columns that line up for people, csv for spreadsheets.
#ifndef GUANTONG_NODE_CLI_TABLE_H_
#define GUANTONG_NODE_CLI_TABLE_H_

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace guantong {

// Columns of a terminal: East Asian wide characters take two, combining marks none.
size_t DisplayWidth(absl::string_view utf8);

// Control characters, which a terminal would obey, become '?'; line ends stay only where asked.
enum class KeepLines { kNo, kYes };
std::string Printable(absl::string_view text, KeepLines keep_lines);

struct TableCell {
  TableCell(std::string text) : shown(text), plain(std::move(text)) {}  // NOLINT
  TableCell(const char* text) : shown(text), plain(text) {}             // NOLINT
  TableCell(std::string for_people, std::string for_machines)
      : shown(std::move(for_people)), plain(std::move(for_machines)) {}
  std::string shown;
  std::string plain;
};

struct TableColumn {
  std::string key;     // csv
  std::string title;   // people
  bool right = false;  // numbers
};

class Table {
 public:
  explicit Table(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<TableCell> cells);
  // A missing cell at the end of a row is empty. The heading is bold on a terminal, unless NO_COLOR
  // is set.
  void Print(std::FILE* out) const;
  void PrintCsv(std::FILE* out) const;

 private:
  std::vector<TableColumn> columns_;
  std::vector<std::vector<TableCell>> rows_;
};

bool IsTerminal(std::FILE* stream);
bool UseColour(std::FILE* stream);  // a terminal, and no NO_COLOR

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_TABLE_H_
