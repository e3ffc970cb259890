#include <nlohmann/json.hpp>
#include <string>

#include "catalog/base/status.h"
#include "node/config.h"
#include "node/form/entry_form.h"
#include "node/form/json_form.h"
#include "tests/fuzz/targets.h"

namespace guantong::fuzz {

void Forms(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]) % 3;
  input.remove_prefix(1);
  if (choice == 2) {
    const absl::StatusOr<NodeConfig> config =
        ParseConfig(input, "fuzz", [](absl::string_view) { return nullptr; });
    if (!config.ok()) return;
    // What is printed reads back.
    const absl::StatusOr<NodeConfig> again =
        ParseConfig(PrintConfig(*config), "again", [](absl::string_view) { return nullptr; });
    GT_CHECK(again.ok() && PrintConfig(*again) == PrintConfig(*config));
    return;
  }
  const absl::StatusOr<v1::CatalogEntry> entry =
      ParseEntry(input, choice == 0 ? EntrySyntax::kYaml : EntrySyntax::kJson, "fuzz");
  if (!entry.ok()) return;
  // So does an entry that was taken.
  const absl::StatusOr<v1::CatalogEntry> again =
      ParseEntry(JsonText(ToJson(*entry)), EntrySyntax::kJson, "again");
  GT_CHECK(again.ok());
}

}  // namespace guantong::fuzz
