// catalog search, catalog browse.
#include "node/cli/search_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "catalog/search/text.h"
#include "guantong/v1/search.pb.h"
#include "node/cli/connection.h"
#include "node/cli/entry_table.h"
#include "node/cli/failure.h"
#include "node/cli/invocation.h"
#include "node/cli/output.h"
#include "node/cli/words.h"
#include "node/form/entry_form.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr uint32_t kSnippetChars = 10;  // on each side of the match

// The characters [from, to) of `text`.
std::string Characters(const std::string& text, uint32_t from, uint32_t to) {
  std::string part;
  uint32_t n = 0;
  for (size_t at = 0; at < text.size() && n < to; ++n) {
    const size_t begin = at;
    search::NextChar(text, &at);
    if (n >= from) part.append(text, begin, at - begin);
  }
  return part;
}

std::string Snippet(const v1::Highlight& highlight) {
  if (highlight.spans().empty()) return "";
  const v1::Span& span = highlight.spans(0);
  const uint32_t from = span.begin() > kSnippetChars ? span.begin() - kSnippetChars : 0;
  const std::string before = Characters(highlight.text(), from, span.begin());
  const std::string match = Characters(highlight.text(), span.begin(), span.end());
  const std::string all = Characters(highlight.text(), from, span.end() + kSnippetChars);
  return absl::StrCat(from > 0 ? "…" : "", before, "【", match, "】",
                      all.substr(before.size() + match.size()));
}

// Where else than in the name, which is shown anyway.
std::string MatchOf(const v1::Hit& hit) {
  for (const v1::Highlight& highlight : hit.highlights()) {
    if (highlight.field() == "name") return "";
    return Snippet(highlight);
  }
  return "";
}

Table HitTable(const v1::FindResponse& list) {
  Table table({{"code", Text("资源代码", "code")},
               {"name", Text("名称", "name")},
               {"provider", Text("提供方", "provider")},
               {"sharing", Text("共享", "sharing")},
               {"update_cycle", Text("更新周期", "updated")},
               {"updated_at", Text("变更", "changed")},
               {"provider_path", Text("节点", "node")},
               {"tags", Text("标签", "tags")},
               {"match", Text("匹配", "match")}});
  for (const v1::Hit& hit : list.hits()) {
    const v1::CatalogEntry& entry = hit.shown().entry();
    table.Add({entry.code(), entry.name(), entry.provider(), SharingCell(entry.sharing().type()),
               CycleCell(entry.update_cycle()), Age(entry.has_updated_at(), entry.updated_at()),
               ShownPath(hit.shown().provider_path()), TagsOf(hit.shown()), MatchOf(hit)});
  }
  return table;
}

Table FacetTable(const v1::FindResponse& list) {
  Table table({{"facet", Text("分面", "facet")},
               {"value", Text("值", "value")},
               {"label", ""},
               {"entries", Text("条目", "entries"), true}});
  for (const v1::Facet& facet : list.facets()) {
    for (const v1::FacetCount& count : facet.counts())
      table.Add({facet.name(), count.value(), count.label(), Count(count.entries())});
  }
  return table;
}

absl::Status RunSearch(const Invocation& invocation, const v1::FindRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto list, connection->Call<v1::FindResponse>(
                                           "guantong.v1.SearchService.Find", request));
  nlohmann::ordered_json document = ToJson(list);
  document.erase("hits");
  document["entries"] = nlohmann::ordered_json::array();
  for (const v1::Hit& hit : list.hits()) {
    nlohmann::ordered_json entry = ShownEntryJson(hit.shown());
    entry["highlights"] = ToJson(hit)["highlights"];
    document["entries"].push_back(std::move(entry));
  }
  Emit(invocation, document, HitTable(list));
  const bool for_people = invocation.output == OutputFormat::kTable;
  if (for_people && request.facets()) FacetTable(list).Print(stdout);
  if (list.hits().empty()) Say(Text("没有符合的条目", "no entries match"));
  if (for_people && list.total() > 0) {
    Say(absl::StrCat(Text("共 ", "in all "), list.total_is_least() ? "≥" : "", list.total(),
                     Text(" 条", "")));
  }
  if (!list.complete() && !list.note().empty())
    Say(absl::StrCat(Text("结果不全：", "incomplete: "), list.note()));
  if (!list.next_page_token().empty() && for_people) {
    Say(absl::StrCat(Text("还有更多：加 --page-token ", "there is more: --page-token "),
                     list.next_page_token()));
  }
  return absl::OkStatus();
}

absl::Status RunBrowse(const Invocation& invocation, const v1::BrowseRequest& request) {
  GT_ASSIGN_OR_RETURN(const auto connection, Connection::Open(invocation));
  GT_ASSIGN_OR_RETURN(const auto response, connection->Call<v1::BrowseResponse>(
                                               "guantong.v1.SearchService.Browse", request));
  Table table({{"class", Text("分类", "class")},
               {"name", Text("名称", "name")},
               {"entries", Text("条目", "entries"), true},
               {"leaf", Text("末级", "leaf")}});
  for (const v1::ClassCount& count : response.classes())
    table.Add({count.class_(), count.name(), Count(count.entries()), YesNo(count.leaf())});
  Emit(invocation, ToJson(response), table);
  if (response.classes().empty() && response.here() == 0)
    Say(Text("这个分类下没有条目", "no entries in this class"));
  if (response.index().building())
    Say(Text("检索索引正在建立，数目不全", "the index is being made: counts are not complete"));
  return absl::OkStatus();
}

// An option whose value is the short name of an enum value.
template <typename Enum, typename Set>
void AddEnum(CLI::App* command, const char* option, const std::string& description, Set set) {
  command->add_option_function<std::string>(
      option,
      [option, set](const std::string& name) {
        const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
        const auto* value = FindEnum(type, name);
        if (value == nullptr || value->number() == 0)
          throw CLI::ValidationError(option, EnumNames(type));
        set(static_cast<Enum>(value->number()));
      },
      description);
}

void AddFilters(CLI::App* command, const std::shared_ptr<v1::FindRequest>& query) {
  command->add_option("--class", *query->mutable_filter()->mutable_class_(),
                      Text("分类代码，含下级", "class code and all below it"));
  AddEnum<v1::Level>(command, "--level", Text("提供节点的层级", "level of the provider's node"),
                     [query](v1::Level level) { query->mutable_filter()->set_level(level); });
  command->add_option("--division", *query->mutable_filter()->mutable_division(),
                      Text("行政区划代码，含下级", "division code and all below it"));
  command->add_option("--provider", *query->mutable_filter()->mutable_provider(),
                      Text("提供方名称或统一社会信用代码", "department, by name or USCC"));
  AddEnum<v1::SharingType>(
      command, "--sharing",
      Text("共享类型：unconditional、conditional、not_shared",
           "unconditional, conditional, not_shared"),
      [query](v1::SharingType type) { query->mutable_filter()->set_sharing(type); });
  command->add_flag_callback(
      "--open", [query] { query->mutable_filter()->set_open(true); },
      Text("只看向社会开放的", "open to the public"));
  command->add_option("--format", *query->mutable_filter()->mutable_format(),
                      Text("格式代码或其前几位", "format code or its first digits"));
  AddEnum<v1::UpdateCycle>(
      command, "--cycle", Text("更新周期：daily、yearly 等", "update cycle: daily, yearly, ..."),
      [query](v1::UpdateCycle cycle) { query->mutable_filter()->set_update_cycle(cycle); });
  command->add_option("--since", *query->mutable_filter()->mutable_since(),
                      Text("这一天起有变更，CCYY-MM-DD", "changed on that day or later"));
  command->add_option("--theme", *query->mutable_filter()->mutable_theme(), Text("主题", "theme"));
  command->add_option("--key-area", *query->mutable_filter()->mutable_key_area(),
                      Text("重点领域", "key area"));
  command->add_option("--template", *query->mutable_filter()->mutable_template_(),
                      Text("按这个标准目录编目的", "claims this template"));
}

}  // namespace

void AddSearch(CLI::App* catalog, Invocation* invocation) {
  auto* search = catalog->add_subcommand("search", Text("查找条目", "find entries"));
  const auto query = std::make_shared<v1::FindRequest>();
  search->add_option_function<std::vector<std::string>>(
      "WORDS",
      [query](const std::vector<std::string>& words) {
        query->set_words(absl::StrJoin(words, " "));
      },
      Text("都要出现的词；不写则只按条件筛选", "words that all occur; none: by the filters alone"));
  AddEnum<v1::SearchScope>(search, "--scope",
                           Text("范围：branch、province、country", "branch, province, country"),
                           [query](v1::SearchScope scope) { query->set_scope(scope); });
  AddFilters(search, query);
  AddEnum<v1::SearchSort>(search, "--sort",
                          Text("排序：relevance、date、name", "relevance, date, name"),
                          [query](v1::SearchSort sort) { query->set_sort(sort); });
  search->add_flag_callback(
      "--facets", [query] { query->set_facets(true); },
      Text("附各属性的条数", "with counts by attribute"));
  search->add_option_function<uint32_t>(
      "--limit", [query](uint32_t limit) { query->set_limit(limit); }, Text("最多几条", "at most"));
  search->add_option("--page-token", *query->mutable_page_token(),
                     Text("接着上一页", "where the last page ended"));
  search->callback([invocation, query] {
    invocation->action = [invocation, query] { return RunSearch(*invocation, *query); };
  });

  auto* browse =
      catalog->add_subcommand("browse", Text("按分类浏览，附条数", "classes with their counts"));
  const auto under = std::make_shared<v1::BrowseRequest>();
  browse->add_option("CLASS", *under->mutable_class_(),
                     Text("分类代码；不写则从顶层起", "class code; none: the top"));
  browse->callback([invocation, under] {
    invocation->action = [invocation, under] { return RunBrowse(*invocation, *under); };
  });
}

}  // namespace guantong
