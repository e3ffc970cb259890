#include "node/pushed_rows.h"

#include <optional>
#include <random>
#include <string>

#include "catalog/base/status.h"
#include "guantong/v1/data.pb.h"
#include "tests/catch.h"

namespace guantong {
namespace {

v1::PushRows Made(uint32_t seed) {
  std::mt19937 random(seed);
  v1::PushRows rows;
  for (uint32_t n = random() % 6; n > 0; --n) {
    v1::PushRow* row = rows.add_rows();
    row->set_line(random() % 3 == 0 ? 0 : random());
    for (uint32_t i = random() % 5; i > 0; --i) {
      row->add_values(std::string(random() % 300, static_cast<char>('a' + random() % 26)));
    }
    for (uint32_t i = random() % 3; i > 0; --i) row->add_nulls(random() % 3 == 0 ? random() : i);
  }
  return rows;
}

// Empty where they do not parse.
std::optional<v1::PushRows> Read(const std::string& bytes) {
  PushedRowsReader reader(bytes);
  PushedRow row;
  v1::PushRows rows;
  while (true) {
    const absl::StatusOr<bool> any = reader.Next(&row);
    if (!any.ok()) {
      CHECK(DetailOf(any.status()).reason == "push_malformed");
      return std::nullopt;
    }
    if (!*any) return rows;
    v1::PushRow* read = rows.add_rows();
    read->set_line(row.line);
    for (absl::string_view value : row.values) read->add_values(std::string(value));
    for (uint32_t null : row.nulls) read->add_nulls(null);
  }
}

TEST_CASE("pushed rows: read as the message they are, written so that it is read") {
  size_t rows_seen = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const v1::PushRows rows = Made(seed);
    const auto read = Read(rows.SerializeAsString());
    REQUIRE(read.has_value());
    CHECK(read->SerializeAsString() == rows.SerializeAsString());

    PushedRowsWriter writer;
    for (const v1::PushRow& row : rows.rows()) {
      writer.Add({.line = row.line(),
                  .values = {row.values().begin(), row.values().end()},
                  .nulls = {row.nulls().begin(), row.nulls().end()}});
    }
    CHECK(writer.rows() == static_cast<uint64_t>(rows.rows_size()));
    v1::PushRows parsed;
    REQUIRE(parsed.ParseFromString(writer.Take()));
    CHECK(parsed.SerializeAsString() == rows.SerializeAsString());
    CHECK(writer.bytes() == 0);
    rows_seen += static_cast<size_t>(rows.rows_size());
  }
  CHECK(rows_seen > 500);
}

TEST_CASE("pushed rows: a field of a newer sender is passed over") {
  // Field 15, a number, before the rows and within one.
  const std::string row = std::string(
      "\x78\x01\x12\x01"
      "a\x78\x02",
      7);
  const auto read = Read(std::string("\x78\x05\x0a", 3) + static_cast<char>(row.size()) + row);
  REQUIRE(read.has_value());
  REQUIRE(read->rows_size() == 1);
  CHECK(read->rows(0).values(0) == "a");
}

TEST_CASE("pushed rows: what was cut or changed is refused or read as protobuf reads it") {
  std::mt19937 random(11);
  size_t refused = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::string bytes = Made(seed).SerializeAsString();
    if (bytes.empty()) continue;
    if (seed % 2 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      for (int i = 0; i < 4; ++i)
        bytes[random() % bytes.size()] = static_cast<char>(random() % 0x80);
    }
    const auto read = Read(bytes);
    v1::PushRows parsed;
    const bool whole = parsed.ParseFromString(bytes);
    if (whole) {
      REQUIRE(read.has_value());
      CHECK(read->rows_size() == parsed.rows_size());
    }
    if (!read.has_value()) ++refused;
  }
  CHECK(refused > 50);
}

}  // namespace
}  // namespace guantong
