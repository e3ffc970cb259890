// What scripts and people meet at the command line, as far as it needs no node: exit statuses,
// tables, column matching.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "catalog/base/status.h"
#include "node/cli/columns.h"
#include "node/cli/failure.h"
#include "node/cli/program.h"
#include "node/cli/table.h"
#include "tests/catch.h"

namespace guantong {
namespace {

template <typename Print>
std::string Printed(const Print& print) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  print(out);
  std::fclose(out);
  const std::string printed(text, size);
  std::free(text);
  return printed;
}

TEST_CASE("help has its headings in the language asked for") {
  std::ostringstream printed;
  std::streambuf* const before = std::cout.rdbuf(printed.rdbuf());
  const char* arguments[] = {"guantong", "codelist", "--help"};
  const int status = RunProgram(3, const_cast<char**>(arguments));
  std::cout.rdbuf(before);
  CHECK(status == 0);
  CHECK(printed.str().find("命令:") != std::string::npos);
  CHECK(printed.str().find("Subcommands") == std::string::npos);
  CHECK(printed.str().find("Options") == std::string::npos);
}

TEST_CASE("exit statuses follow the status") {
  using absl::StatusCode;
  CHECK(ExitCode(absl::OkStatus()) == 0);
  CHECK(ExitCode(absl::InternalError("")) == 1);
  CHECK(ExitCode(Error(StatusCode::kInvalidArgument, "row_invalid", "")) == 1);
  CHECK(ExitCode(Error(StatusCode::kInvalidArgument, "key_unknown", "")) == 1);
  CHECK(ExitCode(UsageError("")) == 2);
  CHECK(ExitCode(Error(StatusCode::kInvalidArgument, "where_invalid", "")) == 2);
  CHECK(ExitCode(Error(StatusCode::kNotFound, "entry_unknown", "")) == 3);
  CHECK(ExitCode(Error(StatusCode::kPermissionDenied, "token_bound", "")) == 4);
  CHECK(ExitCode(Error(StatusCode::kUnauthenticated, "certificate_expired", "")) == 4);
  CHECK(ExitCode(Error(StatusCode::kFailedPrecondition, "replace_guard", "")) == 4);
  CHECK(ExitCode(Error(StatusCode::kUnavailable, "node_unreachable", "")) == 5);
  CHECK(ExitCode(Error(StatusCode::kDeadlineExceeded, "out_of_time", "")) == 5);
  CHECK(ExitCode(Error(StatusCode::kResourceExhausted, "node_busy", "")) == 5);
  CHECK(ExitCode(Error(StatusCode::kFailedPrecondition, "push_open", "")) == 5);
  CHECK(ExitCode(Error(StatusCode::kFailedPrecondition, "store_locked", "")) == 5);
  CHECK(ExitCode(Error(StatusCode::kResourceExhausted, "push_too_large", "")) == 1);
}

TEST_CASE("a failure says what, on what, why, what next, and its reason") {
  const absl::Status status = Error(absl::StatusCode::kNotFound, "entry_unknown",
                                    "没有这个条目\x1b[2J", "3070120337/1", "先查找");
  CHECK(Printed([&](std::FILE* err) {
          PrintFailure(status, "guantong catalog show", OutputFormat::kTable, err);
        }) ==
        "错误：guantong catalog show 失败（3070120337/1）：没有这个条目?[2J [entry_unknown]\n"
        "下一步：先查找\n");
  const std::string json = Printed([&](std::FILE* err) {
    PrintFailure(status, "guantong catalog show", OutputFormat::kJson, err);
  });
  const std::string last = json.substr(json.rfind('\n', json.size() - 2) + 1);
  CHECK(last ==
        "{\"error\":{\"reason\":\"entry_unknown\",\"message\":\"没有这个条目\\u001b[2J\","
        "\"subject\":\"3070120337/1\",\"remedy\":\"先查找\"}}\n");
}

TEST_CASE("a failure without a reason or remedy of its own gets one") {
  const std::string text = Printed([](std::FILE* err) {
    PrintFailure(absl::UnavailableError("gone"), "guantong tree", OutputFormat::kTable, err);
  });
  CHECK(text.find("[unavailable]") != std::string::npos);
  CHECK(text.find("下一步：") != std::string::npos);
}

TEST_CASE("wide characters take two columns, marks none") {
  CHECK(DisplayWidth("") == 0);
  CHECK(DisplayWidth("abc") == 3);
  CHECK(DisplayWidth("青海省") == 6);
  CHECK(DisplayWidth("ａ") == 2);
  CHECK(DisplayWidth("e\xCC\x81") == 1);
  CHECK(DisplayWidth("\xF0\xA0\xAE\xB7") == 2);
}

TEST_CASE("tables line up, and obey nothing that stands in a value") {
  Table table({{"name", "名称"}, {"rows", "行数", true}, {"note", "说明"}});
  table.Add({"青海省", "7", "a\x1b[31m\nb"});
  table.Add({"x", "1234", ""});
  CHECK(Printed([&](std::FILE* out) { table.Print(out); }) ==
        "名称    行数  说明\n"
        "青海省     7  a?[31m b\n"
        "x       1234\n");
}

TEST_CASE("csv of a table has keys and plain values") {
  Table table({{"name", "名称"}, {"seen", "最近"}});
  table.Add({"a,b", {"3 秒前", "2026-11-21T00:00:00Z"}});
  CHECK(Printed([&](std::FILE* out) { table.PrintCsv(out); }) ==
        "name,seen\n\"a,b\",2026-11-21T00:00:00Z\n");
}

TEST_CASE("text for a terminal loses direction overrides, keeps lines where asked") {
  CHECK(Printable("a\xE2\x80\xAE"
                  "b\tc\n",
                  KeepLines::kNo) == "a?b c ");
  CHECK(Printable("a\nb", KeepLines::kYes) == "a\nb");
  CHECK(Printable("a\xFF", KeepLines::kNo) == "a\xEF\xBF\xBD");
}

v1::CatalogEntry Streets() {
  v1::CatalogEntry entry;
  const auto add = [&](const char* field, const char* name) {
    v1::DataItem* item = entry.add_items();
    item->set_field(field);
    item->set_name(name);
  };
  add("code", "代码");
  add("name", "名称");
  add("note", "name");
  return entry;
}

using Names = std::vector<std::string>;

TEST_CASE("columns are matched by field, by Chinese name, by mapping") {
  CHECK(*MatchColumns({"名称", "code"}, Streets(), "", "f") == Names{"name", "code"});
  CHECK(*MatchColumns({"name"}, Streets(), "", "f") == Names{"name"});
  CHECK(*MatchColumns({"编号", "名称"}, Streets(), "code=编号", "f") == Names{"code", "name"});
  CHECK(*MatchColumns({"name", "代码"}, Streets(), "note = name , code=代码", "f") ==
        Names{"note", "code"});
}

TEST_CASE("a column that is no item is an error that names it") {
  const absl::Status unknown = MatchColumns({"code", "街道"}, Streets(), "", "f.csv").status();
  CHECK(DetailOf(unknown).reason == "column_unknown");
  CHECK(std::string(unknown.message()).find("街道") != std::string::npos);
  CHECK(DetailOf(unknown).subject == "f.csv:1");
  CHECK(DetailOf(MatchColumns({"code", "代码"}, Streets(), "", "f").status()).reason ==
        "column_repeated");
}

TEST_CASE("a mapping that cannot be is a usage error") {
  for (const char* mapping :
       {"code", "=a", "code=", "nofield=a", "code=nocolumn", "code=a,name=a"}) {
    INFO(mapping);
    CHECK(ExitCode(MatchColumns({"a"}, Streets(), mapping, "f").status()) == kExitUsage);
  }
}

}  // namespace
}  // namespace guantong
