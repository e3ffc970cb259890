#include "node/form/row_form.h"

#include <nlohmann/json.hpp>
#include <string>

#include "node/form/csv_field.h"
#include "node/form/json_form.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::QueryResponse Sample() {
  v1::QueryResponse response;
  const auto add = [&](const char* field, v1::ItemType type) {
    v1::Column* column = response.mutable_schema()->add_columns();
    column->set_field(field);
    column->set_type(type);
  };
  add("id", v1::ITEM_TYPE_N);
  add("name", v1::ITEM_TYPE_C);
  add("share", v1::ITEM_TYPE_B);
  add("valid", v1::ITEM_TYPE_L);
  add("count", v1::ITEM_TYPE_I);
  v1::Row* row = response.add_rows();
  for (const char* value : {"110105194912310021", "东\"川\"", "0.25", "true", "9"}) {
    row->add_values(value);
  }
  row = response.add_rows();
  for (const char* value : {"1", "", "", "false"}) row->add_values(value);
  row->add_nulls(2);
  response.set_next_page_token("more");
  response.add_hops()->set_path("630000");
  response.set_commit(7);
  return response;
}

TEST_CASE("rows as objects keep long numbers as text") {
  const nlohmann::ordered_json json = QueryJson(Sample());
  CHECK(JsonText(json["rows"]) ==
        R"([{"id":"110105194912310021","name":"东\"川\"","share":0.25,"valid":true,"count":"9"},)"
        R"({"id":"1","name":"","share":null,"valid":false,"count":null}])");
  CHECK(json["next_page_token"] == "more");
  CHECK(json["hops"][0]["path"] == "630000");
  CHECK(json["commit"] == "7");
  CHECK(json.begin().key() == "rows");
}

TEST_CASE("a number that is none stays the text it is") {
  v1::QueryResponse response = Sample();
  response.mutable_rows(0)->set_values(2, "nan");
  response.mutable_rows(0)->set_values(3, "perhaps");
  const nlohmann::ordered_json json = QueryJson(response);
  CHECK(json["rows"][0]["share"] == "nan");
  CHECK(json["rows"][0]["valid"] == "perhaps");
}

TEST_CASE("rows as csv tell null from empty text") {
  const v1::QueryResponse response = Sample();
  CHECK(RowCsv(response.schema(), response.rows(0)) ==
        "110105194912310021,\"东\"\"川\"\"\",0.25,true,9\n");
  CHECK(RowCsv(response.schema(), response.rows(1)) == "1,\"\",,false,\n");
}

TEST_CASE("csv fields are quoted where they have to be") {
  CHECK(CsvField("a b") == "a b");
  CHECK(CsvField("a,b") == "\"a,b\"");
  CHECK(CsvField("a\"b") == "\"a\"\"b\"");
  CHECK(CsvField("a\nb") == "\"a\nb\"");
  CHECK(CsvRecord({"a", "", "b"}) == "a,,b\n");
  CHECK(CsvRecord({""}) == "\"\"\n");
}

}  // namespace
}  // namespace guantong
