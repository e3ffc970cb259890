#include "node/sheets/xlsx_archive.h"

#include <zip.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/language.h"
#include "node/sheets/limits.h"
#include "node/sheets/sheet.h"

namespace guantong {
namespace {

// "x:row" -> "row": some programs write every name with a prefix.
class PrefixDropper : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node& node) override {
    const char* colon = std::strchr(node.name(), ':');
    // The name lies in the buffer that is overwritten.
    if (colon != nullptr) node.set_name(std::string(colon + 1).c_str());
    return true;
  }
};

}  // namespace

absl::Status SheetMalformed(absl::string_view source, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "sheet_malformed",
               absl::StrCat(source, Text("：不是可读的 .xlsx：", ": not a readable .xlsx: "), what),
               source,
               Text("去掉密码，用表格软件另存为 .xlsx 或 .csv",
                    "take off the password and save it as .xlsx or .csv again"));
}

XlsxArchive::XlsxArchive(zip* opened, absl::string_view source)
    : zip_(opened, &zip_discard), source_(source) {}

absl::StatusOr<XlsxArchive> XlsxArchive::Open(absl::string_view bytes, absl::string_view source) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* from = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* opened = from == nullptr ? nullptr : zip_open_from_source(from, ZIP_RDONLY, &error);
  if (opened != nullptr) {
    zip_error_fini(&error);
    return XlsxArchive(opened, source);
  }
  if (from != nullptr) zip_source_free(from);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  return SheetMalformed(source, why);
}

absl::Status XlsxArchive::Unpack(const std::string& part, Presence presence, std::string* text) {
  if (zip_name_locate(zip_.get(), part.c_str(), 0) < 0) {
    if (presence == Presence::kOptional) return absl::OkStatus();
    return SheetMalformed(source_, absl::StrCat(part, Text(" 不存在", " is missing")));
  }
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen(zip_.get(), part.c_str(), 0), &zip_fclose);
  if (file == nullptr)
    return SheetMalformed(source_, absl::StrCat(part, ": ", zip_strerror(zip_.get())));
  // What the directory says of a size may be a lie.
  char block[64 << 10];
  while (true) {
    const zip_int64_t read = zip_fread(file.get(), block, sizeof(block));
    if (read < 0)
      return SheetMalformed(source_, absl::StrCat(part, ": ", zip_file_strerror(file.get())));
    if (read == 0) return absl::OkStatus();
    unpacked_ += static_cast<uint64_t>(read);
    text->append(block, static_cast<size_t>(read));
    if (text->size() > kSheetPartBytesMax || unpacked_ > kSheetPartsBytesMax)
      return SheetTooLarge(source_, absl::StrCat(part, " > ", kSheetPartBytesMax));
  }
}

absl::Status XlsxArchive::Read(const std::string& part, Presence presence,
                               pugi::xml_document* document) {
  std::string text;
  GT_RETURN_IF_ERROR(Unpack(part, presence, &text));
  if (text.empty() && presence == Presence::kOptional) return absl::OkStatus();
  const auto parsed = document->load_buffer(text.data(), text.size(),
                                            pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed) return SheetMalformed(source_, absl::StrCat(part, ": ", parsed.description()));
  if (std::strchr(document->document_element().name(), ':') != nullptr) {
    PrefixDropper dropper;
    document->traverse(dropper);
  }
  return absl::OkStatus();
}

}  // namespace guantong
