#include "tests/network/entry.h"

#include "absl/strings/str_cat.h"

namespace guantong::test {

Entry CodeAndName(const std::string& name) {
  return {.name = name,
          .items = {{.field = "code", .name = "代码", .length = 12, .key = true},
                    {.field = "name", .name = "名称"}}};
}

std::string EntryYaml(const Entry& entry, const std::string& provider,
                      const std::string& provider_code) {
  std::string yaml = absl::StrCat(
      "name: ", entry.name, "\nclass: \"", entry.class_code, "\"\nprovider: ", provider,
      "\nprovider_code: ", provider_code,
      "\nabstract: ", entry.abstract.empty() ? entry.name : entry.abstract, "\nitems:\n");
  for (const Item& item : entry.items) {
    absl::StrAppend(&yaml, "  - {name: ", item.name, ", field: ", item.field, ", type: ", item.type,
                    ", length: ", item.length, item.key ? ", key: true}\n" : "}\n");
  }
  absl::StrAppend(&yaml, "sharing: {type: ", entry.sharing, ", condition: ", entry.condition);
  if (!entry.basis.empty()) absl::StrAppend(&yaml, ", basis: ", entry.basis);
  absl::StrAppend(&yaml,
                  "}\nresources:\n  - {mode: table, format: \"0310\"}\n"
                  "open: {public: false, condition: 无}\nupdate_cycle: yearly\n");
  return yaml;
}

}  // namespace guantong::test
