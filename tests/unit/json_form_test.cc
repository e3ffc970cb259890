#include "node/form/json_form.h"

#include <nlohmann/json.hpp>
#include <string>

#include "catalog/base/status.h"
#include "guantong/v1/call.pb.h"
#include "guantong/v1/data.pb.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/node.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

using nlohmann::ordered_json;

TEST_CASE("a message prints with the surface's shapes") {
  v1::StatusResponse status;
  status.set_node_id(std::string("\x01\xAB", 2));
  status.set_level(v1::LEVEL_PROVINCE);
  status.set_entries(18446744073709551615u);
  status.set_children(3);
  status.mutable_started_at()->set_seconds(1795219200);
  status.mutable_started_at()->set_nanos(500000000);
  const ordered_json json = ToJson(status);
  CHECK(json["node_id"] == "01ab");
  CHECK(json["level"] == "province");
  CHECK(json["entries"] == "18446744073709551615");
  CHECK(json["children"] == 3);
  CHECK(json["started_at"] == "2026-11-21T00:00:00.5Z");
  CHECK(json["name"] == "");
  CHECK(json["refusals"] == ordered_json::array());
  CHECK_FALSE(json.contains("parent"));
}

TEST_CASE("absent optionals and unset arms are left out, present ones printed at their default") {
  v1::PushRequest request;
  CHECK(JsonText(ToJson(request)) == "{}");
  request.mutable_open()->set_expect_deletes(0);
  const ordered_json json = ToJson(request);
  CHECK_FALSE(json.contains("rows"));
  CHECK(json["open"]["expect_deletes"] == "0");
  CHECK(json["open"]["mode"] == "unspecified");
  CHECK_FALSE(ToJson(v1::PushOpen()).contains("expect_deletes"));
}

TEST_CASE("item types are one upper-case letter, read in any case") {
  v1::DataItem item;
  item.set_type(v1::ITEM_TYPE_N);
  CHECK(ToJson(item)["type"] == "N");
  REQUIRE(FromJson(ordered_json::parse(R"({"type": "y"})"), &item).ok());
  CHECK(item.type() == v1::ITEM_TYPE_Y);
}

TEST_CASE("an enum value of a newer peer survives printing") {
  v1::DataItem item;
  item.set_type(static_cast<v1::ItemType>(77));
  CHECK(ToJson(item)["type"] == "77");
}

TEST_CASE("text that is no UTF-8 does not break the document") {
  const ordered_json json = {{"a", std::string("x\xFFy")}};
  CHECK(JsonText(json) == "{\"a\":\"x\xEF\xBF\xBDy\"}");
}

TEST_CASE("a message that is printed reads back equal") {
  v1::CallRequest request;
  request.set_id(std::string(16, '\x7F'));
  request.mutable_budget()->set_seconds(1);
  request.mutable_budget()->set_nanos(500000000);
  request.add_hops()->set_name("青海省");
  request.mutable_caller()->set_purpose("核验");
  const ordered_json json = ToJson(request);
  CHECK(json["budget"] == "1.5s");
  v1::CallRequest read;
  REQUIRE(FromJson(json, &read).ok());
  CHECK(read.SerializeAsString() == request.SerializeAsString());

  v1::TraceHop hop;
  hop.set_elapsed_ms(0.1);
  hop.mutable_feed()->mutable_last_signed_at()->set_seconds(-1);
  hop.mutable_feed()->mutable_last_signed_at()->set_nanos(1);
  v1::TraceHop read_hop;
  REQUIRE(FromJson(ToJson(hop), &read_hop).ok());
  CHECK(read_hop.SerializeAsString() == hop.SerializeAsString());
}

TEST_CASE("64-bit integers are read from text and from exact numbers") {
  v1::Position position;
  REQUIRE(FromJson(ordered_json::parse(R"({"sequence": "18446744073709551615"})"), &position).ok());
  CHECK(position.sequence() == 18446744073709551615u);
  REQUIRE(FromJson(ordered_json::parse(R"({"sequence": 7})"), &position).ok());
  CHECK(position.sequence() == 7);
}

TEST_CASE("null stands for absent") {
  v1::CatalogEntry entry;
  REQUIRE(FromJson(ordered_json::parse(R"({"name": null, "items": null, "sharing": null})"), &entry)
              .ok());
  CHECK(entry.SerializeAsString().empty());
}

TEST_CASE("what cannot be read names its place") {
  struct Bad {
    const char* json;
    const char* reason;
    const char* path;
  };
  const Bad bad[] = {
      {R"({"nmae": "x"})", "key_unknown", "nmae"},
      {R"({"items": [{"field": "a"}, {"filed": "b"}]})", "key_unknown", "items[1].filed"},
      {R"({"items": {"field": "a"}})", "value_malformed", "items"},
      {R"({"items": ["a"]})", "value_malformed", "items[0]"},
      {R"({"items": [{"length": "nine"}]})", "value_malformed", "items[0].length"},
      {R"({"items": [{"length": -1}]})", "value_malformed", "items[0].length"},
      {R"({"items": [{"length": 4294967296}]})", "value_malformed", "items[0].length"},
      {R"({"items": [{"length": 1.5}]})", "value_malformed", "items[0].length"},
      {R"({"items": [{"key": 1}]})", "value_malformed", "items[0].key"},
      {R"({"items": [{"type": "X"}]})", "value_malformed", "items[0].type"},
      {R"({"class": 3070120337})", "value_malformed", "class"},
      {R"({"name": ["x"]})", "value_malformed", "name"},
      {R"({"sharing": "unconditional"})", "value_malformed", "sharing"},
      {R"({"sharing": {"modes": [1]}})", "value_malformed", "sharing.modes[0]"},
      {R"({"related": [null]})", "value_malformed", "related[0]"},
      {R"({"node": "abc"})", "value_malformed", "node"},
      {R"({"node": "zz"})", "value_malformed", "node"},
      {R"({"updated_at": "yesterday"})", "value_malformed", "updated_at"},
      {R"({"updated_at": 5})", "value_malformed", "updated_at"},
      {R"([])", "value_malformed", ""},
  };
  for (const Bad& one : bad) {
    INFO(one.json);
    v1::CatalogEntry entry;
    const absl::Status status = FromJson(ordered_json::parse(one.json), &entry);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(DetailOf(status).reason == one.reason);
    CHECK(DetailOf(status).subject == one.path);
  }
  v1::CallRequest request;
  CHECK(DetailOf(FromJson(ordered_json::parse(R"({"budget": "soon"})"), &request)).subject ==
        "budget");
}

TEST_CASE("an unknown key is answered with the known ones") {
  v1::Resource resource;
  const absl::Status status = FromJson(ordered_json::parse(R"({"modus": "table"})"), &resource);
  CHECK(DetailOf(status).remedy.find("id, mode, format, name") != std::string::npos);
}

}  // namespace
}  // namespace guantong
