#include "node/form/entry_form.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "catalog/base/status.h"
#include "node/form/json_form.h"
#include "tests/catch.h"

namespace guantong {
namespace {

constexpr char kStreets[] = R"(name: 街道名录
class: "3070120337"
provider: 青海省民政厅
provider_code: 116300000150100095
abstract: 全省乡镇街道
items:
  - {name: 代码, field: code, type: C, length: 9, key: true}
  - {name: 名称, field: name, type: c, length: "64"}
sharing: {type: unconditional, condition: 工作参考}
resources:
  - {mode: table, format: 0310}
open: {public: true, condition: 无}
update_cycle: yearly
)";

TEST_CASE("an entry file in YAML") {
  const auto entry = ParseEntry(kStreets, EntrySyntax::kYaml, "streets.yaml");
  REQUIRE(entry.ok());
  CHECK(entry->name() == "街道名录");
  CHECK(entry->class_() == "3070120337");
  CHECK(entry->provider_code() == "116300000150100095");
  REQUIRE(entry->items_size() == 2);
  CHECK(entry->items(0).key());
  CHECK(entry->items(1).type() == v1::ITEM_TYPE_C);
  CHECK(entry->items(1).length() == 64);
  CHECK(entry->sharing().type() == v1::SHARING_TYPE_UNCONDITIONAL);
  // Without quotes, and still text: the leading zero is part of the code.
  CHECK(entry->resources(0).format() == "0310");
  CHECK(entry->open().public_());
  CHECK(entry->update_cycle() == v1::UPDATE_CYCLE_YEARLY);
}

TEST_CASE("what show prints is an entry file") {
  v1::ShowResponse shown;
  *shown.mutable_entry() = *ParseEntry(kStreets, EntrySyntax::kYaml, "streets.yaml");
  v1::CatalogEntry expected = shown.entry();
  expected.set_code("3070120337/630000000001");
  shown.mutable_entry()->set_code(expected.code());
  shown.mutable_entry()->set_state(v1::ENTRY_STATE_PUBLISHED);
  shown.mutable_entry()->set_version(3);
  shown.mutable_entry()->set_node(std::string(32, '\x11'));
  shown.mutable_entry()->mutable_updated_at()->set_seconds(1795219200);
  shown.mutable_entry()->set_publication_date("2026-11-21");
  shown.set_provider_path("630000");
  shown.add_hops()->set_path("630000");
  *shown.mutable_draft() = shown.entry();

  const nlohmann::ordered_json json = ShownEntryJson(shown);
  CHECK(json["name"] == "街道名录");
  CHECK(json["state"] == "published");
  CHECK(json["provider_path"] == "630000");
  CHECK(json.begin().key() == "class");
  const auto read = ParseEntry(PrettyJsonText(json), EntrySyntax::kJson, "shown.json");
  INFO(read.status());
  REQUIRE(read.ok());
  CHECK(read->SerializeAsString() == expected.SerializeAsString());
  // The rpc's document as it is, and JSON read as the YAML it nearly is.
  const auto whole = ParseEntry(JsonText(ToJson(shown)), EntrySyntax::kJson, "shown.json");
  REQUIRE(whole.ok());
  CHECK(whole->SerializeAsString() == expected.SerializeAsString());
  CHECK(ParseEntry(JsonText(json), EntrySyntax::kYaml, "shown.yaml").ok());
}

TEST_CASE("an entry that was never published shows its draft") {
  v1::ShowResponse shown;
  shown.mutable_draft()->set_name("草稿");
  shown.mutable_draft()->set_state(v1::ENTRY_STATE_DRAFT);
  CHECK(ShownEntryJson(shown)["name"] == "草稿");
  CHECK(ShownEntryJson(shown)["state"] == "draft");
}

TEST_CASE("a mistake in an entry file names file and line") {
  struct Bad {
    EntrySyntax syntax;
    const char* text;
    const char* reason;
    const char* place;
    const char* says;
  };
  const Bad bad[] = {
      {EntrySyntax::kYaml, "name: a\nprovidr: b\n", "key_unknown", "f:2", "providr"},
      {EntrySyntax::kYaml, "name: a\nitems:\n  - {name: x}\n  - name: y\n    lenght: 3\n",
       "key_unknown", "f:5", "items[1].lenght"},
      {EntrySyntax::kYaml, "items:\n  - length: long\n", "value_malformed", "f:2",
       "items[0].length"},
      {EntrySyntax::kYaml, "sharing:\n  type: free\n", "value_malformed", "f:2", "not_shared"},
      {EntrySyntax::kYaml, "open: {public: maybe}\n", "value_malformed", "f:1", "open.public"},
      {EntrySyntax::kYaml, "name: a\nname: b\n", "key_repeated", "f:2", "name"},
      {EntrySyntax::kYaml, "name: [a\nclass: b\n", "form_malformed", "f:2", "YAML"},
      {EntrySyntax::kYaml, "name: a\n---\nname: b\n", "form_malformed", "f:2", "一个文件"},
      {EntrySyntax::kYaml, "", "form_malformed", "f", "空"},
      // The parser never comes to the end of these.
      {EntrySyntax::kYaml, ", name: a\n", "form_malformed", "f:1", "YAML"},
      {EntrySyntax::kYaml, "\n# a\n,", "form_malformed", "f:3", "YAML"},
      {EntrySyntax::kYaml, "just text\n", "value_malformed", "f:1", "键"},
      {EntrySyntax::kYaml, "&a {name: *a}\n", "", "", ""},
      {EntrySyntax::kJson, "{\n \"name\": \"a\",\n \"providr\": 1\n}", "key_unknown", "f:3",
       "providr"},
      {EntrySyntax::kJson, "{\n \"items\": [\n  {\"length\": 1.5\n}]}", "value_malformed", "f:3",
       "items[0].length"},
      {EntrySyntax::kJson, "{\"class\":\n 3070120337}", "value_malformed", "f:2", "class"},
      {EntrySyntax::kJson, "{\"name\": \"a\",\n\"name\": \"b\"}", "key_repeated", "f:2", "name"},
      {EntrySyntax::kJson, "{\"name\": \"a\"\n\"class\": \"b\"}", "form_malformed", "f:2", "JSON"},
      {EntrySyntax::kJson, "", "form_malformed", "f:1", "JSON"},
      {EntrySyntax::kJson, "{\"name\": \"\xFF\"}", "form_malformed", "f:1", "JSON"},
  };
  for (const Bad& one : bad) {
    INFO(one.text);
    const auto entry = ParseEntry(one.text, one.syntax, "f");
    REQUIRE_FALSE(entry.ok());
    CHECK(entry.status().code() == absl::StatusCode::kInvalidArgument);
    if (*one.reason == '\0') continue;  // refused is all that matters
    INFO(entry.status().message());
    CHECK(DetailOf(entry.status()).reason == one.reason);
    CHECK(DetailOf(entry.status()).subject == one.place);
    CHECK(std::string(entry.status().message()).find(one.says) != std::string::npos);
  }
}

TEST_CASE("nesting and multiplied aliases are bounded") {
  CHECK_FALSE(
      ParseEntry(std::string(200, '[') + std::string(200, ']'), EntrySyntax::kJson, "f").ok());
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string n = std::to_string(i), below = "*a" + std::to_string(i - 1);
    laughs += "a" + n + ": &a" + n + " [" + below;
    for (int k = 1; k < 10; ++k) laughs += ", " + below;
    laughs += "]\n";
  }
  const auto entry = ParseEntry(laughs, EntrySyntax::kYaml, "f");
  REQUIRE_FALSE(entry.ok());
  CHECK(DetailOf(entry.status()).reason == "form_malformed");
}

class ScratchFile {
 public:
  ScratchFile(const std::string& name, const std::string& content)
      : file_(std::filesystem::temp_directory_path() /
              ("guantong_entry_" + std::to_string(::getpid()) + name)) {
    std::ofstream(file_, std::ios::binary) << content;
  }
  ~ScratchFile() { std::filesystem::remove(file_); }
  std::string name() const { return file_.string(); }

 private:
  std::filesystem::path file_;
};

TEST_CASE("entry files are read by their extension") {
  const ScratchFile yaml("a.YAML", std::string("\xEF\xBB\xBF") + kStreets);
  CHECK(ReadEntryFile(yaml.name()).ok());
  const ScratchFile json("b.json", R"({"name": "x"})");
  CHECK(ReadEntryFile(json.name()).ok());
  const ScratchFile other("c.docx", "name: x");
  CHECK(DetailOf(ReadEntryFile(other.name()).status()).reason == "file_kind_unknown");
  const auto absent = ReadEntryFile(json.name() + ".gone.json");
  CHECK(absent.status().code() == absl::StatusCode::kNotFound);
  CHECK(DetailOf(absent.status()).reason == "file_absent");
  CHECK_FALSE(ReadEntryFile(std::filesystem::temp_directory_path().string() + "/.json").ok());
}

TEST_CASE("a file that is not there is told in the user's words") {
  const auto absent = ReadEntryFile("/nowhere/entry.yaml");
  CHECK(DetailOf(absent.status()).reason == "file_absent");
  CHECK(absent.status().message() == "/nowhere/entry.yaml：没有这个文件");
}

TEST_CASE("an entry file in another encoding is refused with its line") {
  const ScratchFile file("d.yaml", "name: a\nabstract: \xBD\xD6\xB5\xC0\n");
  const auto entry = ReadEntryFile(file.name());
  CHECK(DetailOf(entry.status()).reason == "form_malformed");
  CHECK(DetailOf(entry.status()).subject == file.name() + ":2");
}

}  // namespace
}  // namespace guantong
