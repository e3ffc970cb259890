#include "node/form/entry_form.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr absl::string_view kGivenByNode[] = {
    "state",          "version",          "node",    "updated_at",   "schema_version",
    "items_withheld", "publication_date", "aliases", "state_reason", "template_version",
    "warnings"};
constexpr absl::string_view kAroundEntry[] = {
    "provider_path", "provider_node_name", "hops", "draft", "alias", "rulings"};

}  // namespace

absl::StatusOr<v1::CatalogEntry> ParseEntry(absl::string_view text, EntrySyntax syntax,
                                            absl::string_view source) {
  GT_ASSIGN_OR_RETURN(FormValue form, syntax == EntrySyntax::kJson ? ParseJson(text, source)
                                                                   : ParseYaml(text, source));
  for (const absl::string_view key : kAroundEntry) form.Erase(key);
  // The rpc's own document has the entry one level down.
  if (form.map.size() == 1 && form.map[0].key == "entry") {
    FormValue entry = std::move(form.map[0].value);
    form = std::move(entry);
  }
  for (const absl::string_view key : kGivenByNode) form.Erase(key);
  v1::CatalogEntry entry;
  GT_RETURN_IF_ERROR(FromForm(form, source, &entry));
  return entry;
}

absl::StatusOr<v1::CatalogEntry> ReadEntryFile(const std::string& file) {
  const std::string name = absl::AsciiStrToLower(file);
  const bool json = absl::EndsWith(name, ".json");
  if (!json && !absl::EndsWith(name, ".yaml") && !absl::EndsWith(name, ".yml")) {
    return FormError(
        "file_kind_unknown", file, 0, "",
        Text("条目文件应为 .yaml、.yml 或 .json", "an entry file is .yaml, .yml or .json"),
        absl::EndsWith(name, ".xlsx") || absl::EndsWith(name, ".csv")
            ? Text("目录表用 guantong catalog import FILE 导入",
                   "a sheet of entries is for guantong catalog import FILE")
            : Text("按内容改文件扩展名", "name the file by what it holds"));
  }
  GT_ASSIGN_OR_RETURN(const std::string text, ReadFormFile(file));
  return ParseEntry(text, json ? EntrySyntax::kJson : EntrySyntax::kYaml, file);
}

nlohmann::ordered_json ShownEntryJson(const v1::ShowResponse& shown) {
  const bool published = shown.has_entry() && !shown.entry().code().empty();
  nlohmann::ordered_json json =
      ToJson(published || !shown.has_draft() ? shown.entry() : shown.draft());
  nlohmann::ordered_json around = ToJson(shown);
  around.erase("entry");
  for (auto& [key, value] : around.items()) json[key] = std::move(value);
  return json;
}

}  // namespace guantong
