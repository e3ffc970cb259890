#include "node/form/csv_field.h"

#include "absl/strings/str_cat.h"

namespace guantong {

std::string CsvField(absl::string_view value) {
  if (value.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string CsvRecord(const std::vector<std::string>& values) {
  // A lone empty value would be a blank line, which readers skip.
  if (values.size() == 1 && values[0].empty()) return "\"\"\n";
  std::string record;
  for (size_t i = 0; i < values.size(); ++i) {
    absl::StrAppend(&record, i == 0 ? "" : ",", CsvField(values[i]));
  }
  return record + "\n";
}

}  // namespace guantong
