// Files that cannot be pushed: each gives one clear error with its place and cause, changes
// nothing, and the node goes on.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/network/uscc.h"

namespace guantong::test {
namespace {

struct BadFile {
  std::string what;
  std::string name;
  std::string content;
  std::vector<std::string> options;
  int exit_status;
  std::string reason;
  std::vector<std::string> told;  // must stand in the message or its subject
};

const std::vector<BadFile>& BadFiles() {
  static const std::vector<BadFile> files = {
      {"a column the entry lacks",
       "a.csv",
       "code,name,surplus\n1,甲,x\n",
       {},
       1,
       "column_unknown",
       {"surplus", "a.csv"}},
      {"no key column", "b.csv", "name\n甲\n", {}, 1, "key_missing", {"code"}},
      {"a row without its key",
       "c.csv",
       "code,name\n1,甲\n,乙\n",
       {},
       1,
       "row_invalid",
       {"3", "code"}},
      {"two rows with one key",
       "d.csv",
       "code,name\n1,甲\n2,乙\n1,丙\n",
       {},
       1,
       "row_invalid",
       {"第 4", "第 2"}},
      {"a value too long",
       "e.csv",
       "code,name\n1,甲\n1234567890123,乙\n",
       {},
       1,
       "row_invalid",
       {"3", "code"}},
      {"a row with a value too many",
       "f.csv",
       "code,name\n1,甲\n2,乙,丙\n",
       {},
       1,
       "row_invalid",
       {"f.csv:3"}},
      {"bytes that are no UTF-8",
       "g.csv",
       "code,name\n1,甲乙丙丁\n2,坏\xff\xfe字\n",
       {},
       1,
       "text_malformed",
       {"g.csv:3"}},
      {"bytes that are no UTF-8, said to be",
       "h.csv",
       "code,name\n1,\xb3\xc7\n",
       {"--encoding", "utf-8"},
       1,
       "text_malformed",
       {"h.csv:2"}},
      {"nothing at all", "i.csv", "", {}, 1, "file_empty", {"i.csv"}},
      {"a header with an unnamed column",
       "j.csv",
       "code,\n1,甲\n",
       {},
       1,
       "header_invalid",
       {"j.csv:1"}},
      {"an open quote", "k.csv", "code,name\n1,\"甲\n2,乙\n", {}, 1, "quotes_invalid", {"k.csv:2"}},
      {"JSON that is none",
       "l.jsonl",
       "{\"code\":\"1\",\"name\":\"甲\"}\n{\"code\":\n",
       {},
       1,
       "row_invalid",
       {"l.jsonl:2"}},
      {"an ending nobody knows",
       "m.txt",
       "code,name\n1,甲\n",
       {},
       1,
       "file_kind_unknown",
       {"m.txt"}},
      {"a replace that deletes everything",
       "n.csv",
       "code,name\n",
       {"--mode", "replace"},
       4,
       "replace_guard",
       {"10"}},
      {"a replace with another number of deletes than said",
       "o.csv",
       "code,name\n000000001,甲\n",
       {"--mode", "replace", "--expect-deletes", "3"},
       4,
       "replace_guard",
       {"9", "3"}},
      {"a column named that is not there",
       "p.csv",
       "code,name\n1,甲\n",
       {"--columns", "code=编码"},
       2,
       "usage",
       {"编码"}},
      {"a mode nobody knows",
       "q.csv",
       "code,name\n1,甲\n",
       {"--mode", "merge"},
       2,
       "usage",
       {"merge"}},
  };
  return files;
}

TEST_CASE("bad files: one clear error each, nothing changed, the node goes on") {
  Network network(OneNode());
  Node& node = network["000000"];
  const Client editor = node.Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  editor.Do({"push", code, network.folder().File("good.csv", CodeAndNameRows(0, 10, "好"))});
  const std::string before = editor.LocalDigest(code);
  const auto unchanged = [&] { return node.Running() && editor.LocalDigest(code) == before; };
  REQUIRE(!before.empty());

  for (const BadFile& bad : BadFiles()) {
    INFO(bad.what);
    std::vector<std::string> push = {"push", code, network.folder().File(bad.name, bad.content)};
    push.insert(push.end(), bad.options.begin(), bad.options.end());
    const Outcome refused = editor.Try(push);
    INFO(refused.Text());
    CHECK(refused.exit_status == bad.exit_status);
    CHECK(ReasonOf(refused) == bad.reason);
    CHECK(refused.out.empty());
    const auto error = ErrorOf(refused);
    const std::string text =
        absl::StrCat(error.value("message", ""), " ", error.value("subject", ""), " ",
                     error.value("remedy", ""));
    for (const std::string& told : bad.told) {
      INFO("told: " << told);
      CHECK(absl::StrContains(text, told));
    }
    CHECK(unchanged());
  }

  for (const auto& [arguments, status, reason] :
       {std::tuple(std::vector<std::string>{"push", "3070120101/000000999999",
                                            network.folder().File("z.csv", "code,name\n1,甲\n")},
                   3, "entry_unknown"),
        std::tuple(std::vector<std::string>{"push", code, network.folder().path() + "/absent.csv"},
                   3, "file_absent"),
        std::tuple(std::vector<std::string>{"query", "3070120101/000000999999"}, 3,
                   "entry_unknown"),
        std::tuple(std::vector<std::string>{"query", code, "--where", "code = "}, 2,
                   "where_invalid"),
        std::tuple(std::vector<std::string>{"query", code, "--fields", "surplus"}, 1,
                   "field_unknown"),
        std::tuple(std::vector<std::string>{"catalog", "publish", "3070120101/000000999999"}, 3,
                   "entry_unknown"),
        std::tuple(std::vector<std::string>{"trace", "3070120101/000000999999"}, 3,
                   "entry_unknown")}) {
    INFO(arguments[0] << " " << arguments[1] << " " << reason);
    const Outcome refused = editor.Try(arguments);
    INFO(refused.Text());
    CHECK(refused.exit_status == status);
    CHECK(ReasonOf(refused) == reason);
    CHECK(unchanged());
  }
}

TEST_CASE("a line of 200 MB is refused after a bounded look at it") {
  Network network(OneNode());
  const Client editor = network["000000"].Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  const std::string file = network.folder().File("long.csv", "code,name\n1,甲\n2,");
  Shell(absl::StrCat("head -c 200000000 /dev/zero | tr '\\0' 'x' >>'", file, "'"));
  // An address space the file does not fit into shows that it is never held whole.
  const Outcome refused =
      Run({.arguments = {
               "/bin/bash", "-c",
               absl::StrCat("ulimit -v 1500000; exec '", ProgramFolder(), "/guantong' --profile '",
                            editor.profile(), "' -o json push '", code, "' '", file, "'")}});
  INFO(refused.Text());
  CHECK(refused.exit_status == 1);
  CHECK(ReasonOf(refused) == "line_too_long");
  CHECK(absl::StrContains(ErrorOf(refused).value("subject", ""), "long.csv:3"));
  CHECK(editor.LocalRows(code) == 0);
}

TEST_CASE("bad entries: refused with the element and the line") {
  Network network(OneNode());
  const Client editor = network["000000"].Editor();
  const std::string good = EntryYaml(CodeAndName("名录"), editor.department(), editor.uscc());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::tuple<std::string, std::string, std::string, std::string>> bad = {
      {"a key nobody knows", with("abstract:", "abstrakt:"), "key_unknown", "abstrakt"},
      {"a type nobody knows", with("type: C", "type: Q"), "value_malformed", "Q"},
      {"no name", with("name: 名录", "name: \"\""), "entry_invalid", "name"},
      {"a provider code that is another's", with(editor.uscc(), FictitiousUscc("000000", 99)),
       "not_your_entry", FictitiousUscc("000000", 99)},
      {"not shared without a basis", with("type: unconditional", "type: not_shared"),
       "entry_invalid", "basis"},
      {"no key item", with(", key: true", ""), "", "key"},
      {"no YAML", "name: [\n", "form_malformed", "entry.yaml"},
  };
  for (const auto& [what, text, reason, told] : bad) {
    INFO(what);
    const Outcome refused =
        editor.Try({"catalog", "register", network.folder().File("entry.yaml", text)});
    INFO(refused.Text());
    CHECK((refused.exit_status == 1 || refused.exit_status == 4));
    CHECK(!ReasonOf(refused).empty());
    if (!reason.empty()) CHECK(ReasonOf(refused) == reason);
    CHECK(absl::StrContains(ErrorOf(refused).dump(), told));
  }
  CHECK(editor.Do({"catalog", "list", "--mine"}).at("entries").empty());

  std::string wrong = editor.uscc();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  const Outcome department = network["000000"].Operator().Try(
      {"department", "add", "--uscc", wrong, "--division", "000000", "--name", "部门", "--out",
       network.folder().path() + "/wrong"});
  INFO(department.Text());
  CHECK(department.exit_status == 1);
  CHECK(ReasonOf(department) == "uscc_invalid");
}

}  // namespace
}  // namespace guantong::test
