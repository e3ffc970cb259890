#include "node/form/row_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "node/form/utf8.h"
#include "tests/catch.h"

namespace guantong {
namespace {

namespace fs = std::filesystem;

class RowSource {
 public:
  RowSource(const std::string& extension, const std::string& content)
      : file_(fs::temp_directory_path() /
              ("guantong_rows_" + std::to_string(::getpid()) + extension)) {
    std::ofstream(file_, std::ios::binary) << content;
  }
  ~RowSource() { fs::remove(file_); }
  std::string name() const { return file_.string(); }

 private:
  fs::path file_;
};

struct Reading {
  absl::Status status;  // of opening, or of the row that ended the reading
  std::vector<std::string> header;
  std::vector<std::string> rows;  // "line|value|value", null as ~, "!" in front when faulty
  std::vector<absl::Status> faults;
  TextEncoding encoding = TextEncoding::kAuto;
};

Reading ReadAll(const std::string& file, TextEncoding encoding = TextEncoding::kAuto) {
  Reading reading;
  auto opened = OpenRowFile(file, encoding);
  if (!opened.ok()) {
    reading.status = opened.status();
    return reading;
  }
  reading.header = (*opened)->header();
  reading.encoding = (*opened)->encoding();
  SourceRow row;
  while (true) {
    const auto any = (*opened)->Next(&row);
    if (!any.ok()) reading.status = any.status();
    if (!any.ok() || !*any) return reading;
    std::string text = (row.fault.ok() ? "" : "!") + std::to_string(row.line);
    for (size_t i = 0; i < row.values.size(); ++i) {
      text += "|" + (row.nulls[i] ? "~" : row.values[i]);
    }
    reading.rows.push_back(text);
    if (!row.fault.ok()) reading.faults.push_back(row.fault);
  }
}

Reading ReadText(const std::string& extension, const std::string& content,
                 TextEncoding encoding = TextEncoding::kAuto) {
  const RowSource source(extension, content);
  return ReadAll(source.name(), encoding);
}

using Rows = std::vector<std::string>;

TEST_CASE("csv: quotes, line ends, nulls and lines") {
  const Reading reading = ReadText(".csv",
                                   "code, name ,note\r\n"
                                   "1,东川路,\"a \"\"b\"\", c\"\r\n"
                                   "\r\n"
                                   "2,\"\",\n"
                                   "3,\"two\nlines\", kept \n"
                                   "4,x,y");
  REQUIRE(reading.status.ok());
  CHECK(reading.header == Rows{"code", "name", "note"});
  CHECK(reading.rows ==
        Rows{"2|1|东川路|a \"b\", c", "4|2||~", "5|3|two\nlines| kept ", "7|4|x|y"});
  CHECK(reading.encoding == TextEncoding::kUtf8);
}

TEST_CASE("csv: line ends of every kind count as one line each") {
  const Reading reading = ReadText(".csv", "a\r1\r\n2\n3\r4");
  CHECK(reading.rows == Rows{"2|1", "3|2", "4|3", "5|4"});
}

TEST_CASE("tsv is csv with tabs") {
  const Reading reading = ReadText(".TSV", "a\tb\n1,5\t\"x\ty\"\n\t2\n");
  CHECK(reading.rows == Rows{"2|1,5|x\ty", "3|~|2"});
}

TEST_CASE("jsonl: numbers keep their digits, keys come in any order") {
  const Reading reading =
      ReadText(".jsonl",
               "{\"id\": \"110105194912310021\", \"sum\": 12.10, \"ok\": true}\n"
               "\n"
               "{\"ok\": false, \"id\": 123456789012345678901234, \"sum\": null}\n"
               "{\"id\": -7, \"sum\": 1e3, \"ok\": \"\"}");
  REQUIRE(reading.status.ok());
  CHECK(reading.header == Rows{"id", "sum", "ok"});
  CHECK(reading.rows ==
        Rows{"1|110105194912310021|12.10|true", "3|123456789012345678901234|~|false", "4|-7|1e3|"});
}

TEST_CASE("a byte order mark decides") {
  CHECK(ReadText(".csv", "\xEF\xBB\xBFname\n路\n").header == Rows{"name"});
  const std::string le("\xFF\xFE\x0D\x54\x0A\x00\x3D\xD8\x00\xDE\x0A\x00", 12);
  const Reading reading = ReadText(".csv", le);
  CHECK(reading.encoding == TextEncoding::kUtf16Le);
  CHECK(reading.header == Rows{"名"});
  CHECK(reading.rows == Rows{"2|😀"});
  const std::string be("\xFE\xFF\x54\x0D\x00\x0A\x8D\xEF", 8);
  CHECK(ReadText(".csv", be).rows == Rows{"2|路"});
}

// 代码,名称 / 1,东川路 / 2,𠮷 (four bytes)
const char kGb[] =
    "\xB4\xFA\xC2\xEB,\xC3\xFB\xB3\xC6\n1,\xB6\xAB\xB4\xA8\xC2\xB7\n2,\x95\x34\xDA\x37\n";

TEST_CASE("GB18030 is found and read, four-byte characters too") {
  for (const TextEncoding encoding : {TextEncoding::kAuto, TextEncoding::kGb18030}) {
    const Reading reading = ReadText(".csv", kGb, encoding);
    REQUIRE(reading.status.ok());
    CHECK(reading.encoding == TextEncoding::kGb18030);
    CHECK(reading.header == Rows{"代码", "名称"});
    REQUIRE(reading.rows.size() == 2);
    CHECK(reading.rows[0] == "2|1|东川路");
    CHECK(reading.rows[1].size() == std::string("3|2|").size() + 4);
  }
}

TEST_CASE("GB18030 over many blocks: no character is lost where one ends") {
  std::string text = "a\n";
  for (int i = 0; i < 200000; ++i) text += i % 7 == 0 ? "x\xB6\xAB\n" : "\xB6\xAB\xB4\xA8\n";
  const Reading reading = ReadText(".csv", text);
  REQUIRE(reading.status.ok());
  REQUIRE(reading.rows.size() == 200000);
  size_t wrong = 0;
  for (size_t i = 0; i < reading.rows.size(); ++i) {
    const std::string expected = std::to_string(i + 2) + (i % 7 == 0 ? "|x东" : "|东川");
    wrong += reading.rows[i] != expected;
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8 over many blocks, CRLF split between them") {
  std::string text = "a\r\n";
  for (int i = 0; i < 300000; ++i) text += i % 3 == 0 ? "路\r\n" : "y\r\n";
  const Reading reading = ReadText(".csv", text);
  REQUIRE(reading.status.ok());
  REQUIRE(reading.rows.size() == 300000);
  CHECK(reading.rows.back() == "300001|y");
}

TEST_CASE("a file that is no longer what it says is refused with its line") {
  struct Bad {
    const char* extension;
    std::string content;
    TextEncoding encoding;
    const char* reason;
    const char* place;  // after the file's name
    const char* says;
  };
  const std::string mostly_utf8 = "名称\n东川路\n湟中\xE8\xB7\n西宁市城东区\n";
  const Bad bad[] = {
      {".csv", "", TextEncoding::kAuto, "file_empty", "", "空"},
      {".csv", "\xEF\xBB\xBF", TextEncoding::kAuto, "file_empty", "", "空"},
      {".csv", "\n\n", TextEncoding::kAuto, "header_invalid", ":1", "表头"},
      {".csv", "a,b,a\n1,2,3\n", TextEncoding::kAuto, "header_invalid", ":1", "a"},
      {".csv", "a,b, a\n1,2,3\n", TextEncoding::kAuto, "header_invalid", ":1", "a"},
      {".csv", "\na,,c\n1,2,3\n", TextEncoding::kAuto, "header_invalid", ":2", "第 2 列"},
      {".csv", mostly_utf8, TextEncoding::kAuto, "text_malformed", ":3", "第 3 个字符"},
      {".csv", mostly_utf8, TextEncoding::kUtf8, "text_malformed", ":3", "第 3 个字符"},
      {".csv", kGb, TextEncoding::kUtf8, "text_malformed", ":1", "UTF-8"},
      {".csv", "a\nb\xFF\xFF\n", TextEncoding::kAuto, "text_malformed", ":2", "gb18030"},
      {".csv", "a\n\xB6\xAB\n\xB6", TextEncoding::kGb18030, "text_malformed", ":3", "gb18030"},
      {".csv", std::string("a\nb\0c\n", 6), TextEncoding::kAuto, "text_malformed", ":2", "NUL"},
      {".csv", "a,b\n1,\"x\"y\n", TextEncoding::kAuto, "quotes_invalid", ":2", "引号"},
      {".csv", "a,b\n1,x\"y\n", TextEncoding::kAuto, "quotes_invalid", ":2", "引号"},
      {".csv", "a,b\n1,2\n3,\"x\ny\n", TextEncoding::kAuto, "quotes_invalid", ":3", "引号"},
      {".jsonl", "[1]\n", TextEncoding::kAuto, "header_invalid", ":1", "对象"},
      {".jsonl", "{}\n", TextEncoding::kAuto, "header_invalid", ":1", "表头"},
      {".jsonl", "{\"a\": 1,}\n", TextEncoding::kAuto, "header_invalid", ":1", "JSON"},
      {".jsonl", "{\"a\": 1, \"a\": 2}\n", TextEncoding::kAuto, "header_invalid", ":1", "两次"},
      {".xls", "a\n1\n", TextEncoding::kAuto, "file_kind_unknown", "", ".csv"},
  };
  for (const Bad& one : bad) {
    INFO(one.content);
    const RowSource source(one.extension, one.content);
    const Reading reading = ReadAll(source.name(), one.encoding);
    REQUIRE_FALSE(reading.status.ok());
    INFO(reading.status.message());
    CHECK(reading.status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(DetailOf(reading.status).reason == one.reason);
    CHECK(DetailOf(reading.status).subject == source.name() + one.place);
    CHECK(std::string(reading.status.message()).find(one.says) != std::string::npos);
  }
  CHECK(DetailOf(ReadAll("/nonexistent/rows.csv").status).reason == "file_absent");
  CHECK(ReadAll("/nonexistent/rows.csv").status.code() == absl::StatusCode::kNotFound);
}

TEST_CASE("what is wrong with one row stands in the row, and the next is read") {
  const Reading csv = ReadText(".csv", "a,b\n1\n1,2\n1,2,3\n3,4\n");
  REQUIRE(csv.status.ok());
  CHECK(csv.rows == Rows{"!2|1", "3|1|2", "!4|1|2|3", "5|3|4"});
  REQUIRE(csv.faults.size() == 2);
  CHECK(DetailOf(csv.faults[0]).reason == "row_invalid");
  CHECK(DetailOf(csv.faults[1]).subject.find(".csv:4") != std::string::npos);

  const Reading json = ReadText(".jsonl",
                                "{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n{\"a\": 1, \"b\": 2, \"c\": 3}\n"
                                "{\"a\": [1], \"b\": 2}\nnonsense\n7\n{\"b\": 2, \"a\": 1}\n");
  REQUIRE(json.status.ok());
  CHECK(json.rows == Rows{"1|1|2", "!2|1|~", "!3|1|2", "!4|~|~", "!5|~|~", "!6|~|~", "7|1|2"});
  REQUIRE(json.faults.size() == 5);
  for (const absl::Status& fault : json.faults) CHECK(DetailOf(fault).reason == "row_invalid");
}

TEST_CASE("a line or a row without end is refused after a bounded read") {
  const RowSource source(".csv", "a,b\n1,2\n");
  {
    // Sparse: 200 MB that nobody has to write. Every byte is NUL, so the length is made of letters
    // for the first two MiB.
    std::ofstream out(source.name(), std::ios::binary | std::ios::app);
    out << std::string(2 << 20, 'x');
  }
  fs::resize_file(source.name(), 200 << 20);
  const Reading reading = ReadAll(source.name());
  CHECK(DetailOf(reading.status).reason == "line_too_long");
  CHECK(DetailOf(reading.status).subject == source.name() + ":3");

  std::string open_quote = "a,b\n1,2\n3,\"";
  while (open_quote.size() < 3 * kRowBytesMax) open_quote += "and so on\n";
  const Reading quoted = ReadText(".csv", open_quote);
  CHECK(DetailOf(quoted.status).reason == "row_too_long");
  CHECK(DetailOf(quoted.status).subject.find(".csv:3") != std::string::npos);

  std::string wide = std::string("\xFF\xFE") + std::string("a\0\n\0", 4);
  for (size_t i = 0; i < 3 * kRowBytesMax; ++i) wide += std::string("b\0", 2);
  CHECK(DetailOf(ReadText(".csv", wide).status).reason == "line_too_long");
}

TEST_CASE("a line of exactly the bound is read") {
  const Reading reading =
      ReadText(".csv", "a\n" + std::string(kRowBytesMax - 1, 'x') + "\n" + "y\n");
  REQUIRE(reading.status.ok());
  CHECK(reading.rows.size() == 2);
}

TEST_CASE("encodings are told by name") {
  CHECK(*ParseEncoding("AUTO") == TextEncoding::kAuto);
  CHECK(*ParseEncoding("utf-8") == TextEncoding::kUtf8);
  CHECK(*ParseEncoding("GB18030") == TextEncoding::kGb18030);
  CHECK(DetailOf(ParseEncoding("latin-1").status()).reason == "encoding_unknown");
}

TEST_CASE("strict UTF-8") {
  for (const char* good : {"", "a", "é", "路", "😀", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK_FALSE(FindUtf8Fault(good).found);
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE8\xB7", "\xE8\xB7x", "\xFF"}) {
    CHECK(FindUtf8Fault(bad).found);
  }
  const TextFault fault = FindUtf8Fault("一二\r\n三\xFF");
  CHECK(fault.line == 2);
  CHECK(fault.column == 2);
}

}  // namespace
}  // namespace guantong
