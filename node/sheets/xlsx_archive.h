// The parts of an .xlsx: a zip of XML, unpacked within bounds.
#ifndef GUANTONG_NODE_SHEETS_XLSX_ARCHIVE_H_
#define GUANTONG_NODE_SHEETS_XLSX_ARCHIVE_H_

#include <cstdint>
#include <memory>
#include <pugixml.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct zip;

namespace guantong {

absl::Status SheetMalformed(absl::string_view source, absl::string_view what);

// Borrows the bytes.
class XlsxArchive {
 public:
  // INVALID_ARGUMENT sheet_malformed.
  static absl::StatusOr<XlsxArchive> Open(absl::string_view bytes, absl::string_view source);

  enum class Presence { kRequired, kOptional };
  // Parses one part; an absent optional one leaves `document` empty. Names of elements lose their
  // namespace prefix. INVALID_ARGUMENT sheet_malformed, sheet_too_large.
  absl::Status Read(const std::string& part, Presence presence, pugi::xml_document* document);

 private:
  XlsxArchive(zip* opened, absl::string_view source);
  absl::Status Unpack(const std::string& part, Presence presence, std::string* text);

  std::unique_ptr<zip, void (*)(zip*)> zip_;
  std::string source_;
  uint64_t unpacked_ = 0;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SHEETS_XLSX_ARCHIVE_H_
