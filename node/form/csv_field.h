// csv by RFC 4180, records ended by a line feed.
#ifndef GUANTONG_NODE_FORM_CSV_FIELD_H_
#define GUANTONG_NODE_FORM_CSV_FIELD_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace guantong {

// Quoted where it has to be.
std::string CsvField(absl::string_view value);
std::string CsvRecord(const std::vector<std::string>& values);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_CSV_FIELD_H_
