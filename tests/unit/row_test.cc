#include "catalog/row.h"

#include <string>
#include <vector>

#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "tests/catch.h"
#include "tests/unit/reasons.h"
#include "tests/unit/row_keys.h"

namespace guantong {
namespace {

void AddItem(v1::CatalogEntry* entry, const std::string& field, v1::ItemType type, bool key,
             bool required) {
  v1::DataItem* item = entry->add_items();
  item->set_name("名" + field);
  item->set_field(field);
  item->set_type(type);
  item->set_key(key);
  item->set_required(required);
}

v1::CatalogEntry Streets() {
  v1::CatalogEntry entry;
  entry.set_code("1/1");
  entry.set_schema_version(4);
  AddItem(&entry, "name", v1::ITEM_TYPE_C, false, true);
  AddItem(&entry, "code", v1::ITEM_TYPE_C, true, false);
  AddItem(&entry, "people", v1::ITEM_TYPE_I, false, false);
  AddItem(&entry, "note", v1::ITEM_TYPE_M, false, false);
  return entry;
}

absl::StatusOr<v1::Row> Build(const std::vector<std::string>& fields,
                              const std::vector<absl::string_view>& values,
                              const std::vector<uint32_t>& nulls = {}, bool key_only = false) {
  const auto schema = SchemaOf(Streets());
  REQUIRE(schema.ok());
  auto builder = RowBuilder::Create(*schema, fields, key_only);
  if (!builder.ok()) return builder.status();
  BuiltRow built;
  GT_RETURN_IF_ERROR(builder->Build(values, nulls, &built));
  v1::Row row;
  REQUIRE(row.ParseFromString(built.bytes));
  CHECK(row.SerializeAsString() == built.bytes);
  CHECK(RowKeyOf(*schema, row) == built.key);
  return row;
}

TEST_CASE("row: a schema is the items of the entry, in their order") {
  const auto schema = SchemaOf(Streets());
  REQUIRE(schema.ok());
  CHECK(schema->version() == 4);
  REQUIRE(schema->columns_size() == 4);
  CHECK(schema->columns(0).field() == "name");
  CHECK(schema->columns(0).name() == "名name");
  CHECK_FALSE(schema->columns(0).nullable());
  CHECK(schema->columns(1).key());
  CHECK_FALSE(schema->columns(1).nullable());
  CHECK(schema->columns(2).nullable());
}

TEST_CASE("row: a schema without items, key, types or with a field twice is none") {
  v1::CatalogEntry entry;
  CHECK(ReasonOf(SchemaOf(entry).status()) == "schema_invalid");
  AddItem(&entry, "a", v1::ITEM_TYPE_C, false, false);
  CHECK(ReasonOf(SchemaOf(entry).status()) == "schema_invalid");
  AddItem(&entry, "b", v1::ITEM_TYPE_C, true, false);
  CHECK(SchemaOf(entry).ok());
  v1::CatalogEntry other = entry;
  AddItem(&other, "a", v1::ITEM_TYPE_C, false, false);
  CHECK(ReasonOf(SchemaOf(other).status()) == "schema_invalid");
  other = entry;
  AddItem(&other, "c", v1::ITEM_TYPE_UNSPECIFIED, false, false);
  CHECK(ReasonOf(SchemaOf(other).status()) == "schema_invalid");
  other = entry;
  AddItem(&other, "", v1::ITEM_TYPE_C, false, false);
  CHECK(ReasonOf(SchemaOf(other).status()) == "schema_invalid");
  for (size_t i = 0; i < kColumnsMax; ++i) {
    AddItem(&entry, "x" + std::to_string(i), v1::ITEM_TYPE_C, false, false);
  }
  CHECK(ReasonOf(SchemaOf(entry).status()) == "schema_invalid");
}

TEST_CASE("row: values find their columns, whatever their order") {
  const auto row = Build({"people", "code", "name"}, {"+0120", "630102", "城东区"});
  REQUIRE(row.ok());
  CHECK(row->values_size() == 3);
  CHECK(row->values(0) == "城东区");
  CHECK(row->values(1) == "630102");
  CHECK(row->values(2) == "120");
  CHECK(row->nulls().empty());
  CHECK(IsNull(*row, 3));
  CHECK_FALSE(IsNull(*row, 2));
}

TEST_CASE(
    "row: equal rows are equal bytes, with nulls in the middle named and at the end left out") {
  const auto middle = Build({"name", "code", "people", "note"}, {"甲", "1", "", "x"});
  REQUIRE(middle.ok());
  CHECK(IsNull(*middle, 2));
  CHECK(middle->nulls_size() == 1);
  CHECK(middle->values_size() == 4);
  const auto end = Build({"name", "code", "people", "note"}, {"甲", "1", "x", "y"}, {2, 3});
  REQUIRE(end.ok());
  CHECK(end->values_size() == 2);
  CHECK(end->SerializeAsString() == Build({"code", "name"}, {"1", "甲"})->SerializeAsString());
  // Empty text is a value where null may be.
  const auto empty = Build({"name", "code", "note"}, {"甲", "1", ""});
  REQUIRE(empty.ok());
  CHECK_FALSE(IsNull(*empty, 3));
}

TEST_CASE("row: nothing of an earlier row stays in one that is used again") {
  const auto schema = SchemaOf(Streets());
  REQUIRE(schema.ok());
  auto builder = RowBuilder::Create(*schema, {"code", "name", "people", "note"}, false);
  REQUIRE(builder.ok());
  BuiltRow row;
  for (const std::vector<absl::string_view>& values :
       std::vector<std::vector<absl::string_view>>{{"630102", "甲", "12", "a long note"},
                                                   {"630103", "乙", "", "short"},
                                                   {"630104", "丙", "7", ""},
                                                   {"630105", "丁", "", ""}}) {
    std::vector<uint32_t> nulls;
    if (values[3].empty()) nulls.push_back(3);
    REQUIRE(builder->Build(values, nulls, &row).ok());
    BuiltRow fresh;
    REQUIRE(builder->Build(values, nulls, &fresh).ok());
    CHECK(row.bytes == fresh.bytes);
    CHECK(row.key == fresh.key);
  }
  v1::Row last;
  REQUIRE(last.ParseFromString(row.bytes));
  CHECK(last.values_size() == 2);
}

TEST_CASE("row: what is wrong with a row names its field") {
  const auto missing = Build({"name", "code"}, {"", "1"});
  CHECK(ReasonOf(missing.status()) == "value_missing");
  CHECK(DetailOf(missing.status()).subject == "name");
  CHECK(ReasonOf(Build({"name", "code"}, {"甲", ""}).status()) == "value_missing");
  CHECK(DetailOf(Build({"name", "code"}, {"甲", ""}).status()).subject == "code");
  CHECK(ReasonOf(Build({"code"}, {"1"}).status()) == "value_missing");
  const auto invalid = Build({"name", "code", "people"}, {"甲", "1", "many"});
  CHECK(ReasonOf(invalid.status()) == "value_invalid");
  CHECK(DetailOf(invalid.status()).subject == "people");
  CHECK(ReasonOf(Build({"name", "code"}, {"甲"}).status()) == "row_malformed");
  CHECK(ReasonOf(Build({"name", "code"}, {"甲", std::string(2000, 'k')}).status()) ==
        "row_malformed");
}

TEST_CASE("row: columns that are unknown, named twice, or a key left out") {
  const auto unknown = Build({"code", "name", "street"}, {});
  CHECK(ReasonOf(unknown.status()) == "field_unknown");
  CHECK(DetailOf(unknown.status()).subject == "street");
  CHECK(ReasonOf(Build({"code", "name", "code"}, {}).status()) == "field_repeated");
  const auto key = Build({"name"}, {});
  CHECK(ReasonOf(key.status()) == "key_missing");
  CHECK(DetailOf(key.status()).subject == "code");
}

TEST_CASE("row: a delete needs the key and looks at nothing else") {
  const auto row = Build({"people", "code"}, {"not looked at", "630102"}, {}, true);
  REQUIRE(row.ok());
  CHECK(row->values_size() == 2);
  CHECK(IsNull(*row, 0));
  const auto schema = SchemaOf(Streets());
  CHECK(RowKeyOf(*schema, *row) == RowKeyOf(*schema, *Build({"code", "name"}, {"630102", "甲"})));
}

TEST_CASE("row: keys are encoded column by column") {
  v1::DatasetSchema schema;
  for (const v1::ItemType type : {v1::ITEM_TYPE_C, v1::ITEM_TYPE_I}) {
    v1::Column* column = schema.add_columns();
    column->set_type(type);
    column->set_key(true);
  }
  const auto key = [&](const std::string& a, const std::string& b) {
    v1::Row row;
    row.add_values(a);
    row.add_values(b);
    return RowKeyOf(schema, row);
  };
  CHECK(key("a", "7") == std::string("a\x00\x01\x03\x00\xff\x01"
                                     "7\x00\x01",
                                     10));
  CHECK(key("a", "9") < key("a", "10"));
  CHECK(key("a", "10") < key("ab", "9"));
  CHECK(key("a", "-1") < key("a", "0"));
}

}  // namespace
}  // namespace guantong
