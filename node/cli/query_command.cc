// query: rows of a dataset, page after page up to the limit asked for.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/limits.h"
#include "catalog/base/status.h"
#include "guantong/v1/data.pb.h"
#include "node/cli/connection.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/form/csv_field.h"
#include "node/form/row_form.h"
#include "node/language.h"

namespace guantong {
namespace {

struct QueryOptions {
  v1::QueryRequest request;
  std::string fields;
  uint64_t limit = kQueryLimitDefault;
  bool all = false;
};

// csv goes out page by page, so that any number of rows passes in bounded memory.
void PrintCsvPage(const v1::QueryResponse& page, bool first) {
  std::string text;
  if (first) {
    std::vector<std::string> fields;
    for (const v1::Column& column : page.schema().columns()) fields.push_back(column.field());
    text = CsvRecord(fields);
  }
  for (const v1::Row& row : page.rows()) text += RowCsv(page.schema(), row);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Table RowTable(const v1::QueryResponse& response) {
  std::vector<TableColumn> columns;
  for (const v1::Column& column : response.schema().columns()) {
    const bool number = column.type() == v1::ITEM_TYPE_N || column.type() == v1::ITEM_TYPE_Y ||
                        column.type() == v1::ITEM_TYPE_I || column.type() == v1::ITEM_TYPE_B ||
                        column.type() == v1::ITEM_TYPE_F;
    columns.push_back(
        {column.field(), column.name().empty() ? column.field() : column.name(), number});
  }
  Table table(std::move(columns));
  for (const v1::Row& row : response.rows()) {
    const std::vector<std::string> values = RowValues(response.schema(), row);
    table.Add({values.begin(), values.end()});
  }
  return table;
}

std::string Way(const v1::QueryResponse& response) {
  std::string text = absl::StrCat(Text("由 ", "answered by "), ShownPath(response.answered_by()),
                                  Text(" 答复", ""));
  if (response.hops_size() > 1) {
    absl::StrAppend(&text, Text("，经 ", ", by way of "));
    for (int i = 0; i < response.hops_size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : " > ", ShownPath(response.hops(i).path()));
    }
  }
  if (response.has_as_of()) {
    absl::StrAppend(&text, Text("，数据截至 ", ", as of "), Date(true, response.as_of()).shown);
  }
  return text;
}

absl::Status RunCount(const Invocation& invocation, const Connection& connection,
                      const v1::QueryRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto response,
                      connection.Call<v1::QueryResponse>("guantong.v1.DataService.Query", request));
  Table table({{"total", Text("行数", "rows"), true}});
  table.Add({Count(response.total())});
  Emit(invocation, QueryJson(response), table);
  return absl::OkStatus();
}

absl::Status RunQuery(const Invocation& invocation, QueryOptions options) {
  v1::QueryRequest& request = options.request;
  for (const absl::string_view field :
       absl::StrSplit(options.fields, ',', absl::SkipWhitespace())) {
    request.add_fields(std::string(absl::StripAsciiWhitespace(field)));
  }
  const bool csv = invocation.output == OutputFormat::kCsv;
  if (options.all && !csv) {
    return UsageError(Text("--all 只能与 -o csv 同用", "--all goes with -o csv"));
  }
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  if (request.count()) return RunCount(invocation, *connection, request);

  uint64_t left = options.all ? std::numeric_limits<uint64_t>::max() : options.limit;
  v1::QueryResponse whole;
  bool first = true, moved = false;
  do {
    request.set_limit(static_cast<uint32_t>(std::min<uint64_t>(left, kQueryLimitMax)));
    GT_ASSIGN_OR_RETURN(
        auto page, connection->Call<v1::QueryResponse>("guantong.v1.DataService.Query", request));
    left -= std::min<uint64_t>(left, static_cast<uint64_t>(page.rows_size()));
    request.set_page_token(page.next_page_token());
    moved = moved || (!first && page.commit() != whole.commit());
    if (csv) {
      PrintCsvPage(page, first);
      if (std::ferror(stdout) != 0) break;  // told of at the end
      page.clear_rows();
    }
    if (first) {
      whole = std::move(page);
    } else {
      whole.mutable_rows()->MergeFrom(page.rows());
      whole.set_next_page_token(page.next_page_token());
      whole.set_commit(page.commit());
    }
    first = false;
  } while (left > 0 && !whole.next_page_token().empty());

  if (!csv) {
    nlohmann::ordered_json document = QueryJson(whole);
    document.erase("total");  // not counted, and 0 would be believed
    Emit(invocation, document, RowTable(whole));
  }
  if (moved) {
    Say(Text("注意：翻页期间数据有更新，前后页不是同一版本",
             "note: the data changed between pages, they are not of one version"));
  }
  if (invocation.output == OutputFormat::kTable) {
    Say(absl::StrCat(whole.rows_size(), Text(" 行，", " rows, "), Way(whole)));
    if (!whole.next_page_token().empty()) {
      Say(Text("还有更多行：加大 --limit，或 -o csv --all 全部取出",
               "there are more rows: raise --limit, or take all with -o csv --all"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void AddQuery(CLI::App* app, Invocation* invocation) {
  auto* query = app->add_subcommand("query", Text("查询数据", "rows of a dataset"));
  const auto options = std::make_shared<QueryOptions>();
  v1::QueryRequest* request = &options->request;
  query
      ->add_option("CODE", *request->mutable_code(),
                   Text("资源代码，或 代码:编号", "resource code, or CODE:id"))
      ->required();
  query->add_flag_callback(
      "--local", [request] { request->set_local(true); },
      Text("读本节点的副本", "read the copy kept here"));
  query->add_option("--where", *request->mutable_where(),
                    Text("条件，如 \"code ^= '6301' and name != null\"",
                         "condition: \"code ^= '6301' and name != null\""));
  query->add_option("--fields", options->fields,
                    Text("只要这些字段，逗号分隔", "these fields only, a,b"));
  auto* limit = query
                    ->add_option("--limit", options->limit,
                                 Text("最多几行，默认 100", "at most so many rows, 100 by default"))
                    ->check(CLI::PositiveNumber);
  query->add_flag("--all", options->all, Text("全部行（-o csv）", "all rows (-o csv)"))
      ->excludes(limit);
  query->add_option("--page-token", *request->mutable_page_token(),
                    Text("接着上一页", "where the last page ended"));
  query->add_option("--purpose", *request->mutable_purpose(),
                    Text("用途，记入双方日志", "purpose, kept by both sides"));
  query->add_flag_callback(
      "--count", [request] { request->set_count(true); }, Text("只数行数", "only count"));
  query->callback([invocation, options] {
    invocation->action = [invocation, options] { return RunQuery(*invocation, *options); };
  });
}

}  // namespace guantong
