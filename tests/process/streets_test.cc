// Every division's department pushes its own part of one national list, and the national node
// gathers the whole.
//
// A row belongs to the node with the longest division that its code begins with; provinces without
// a node of their own have a department each that the national node hosts. On the real list of
// streets, and on a generated one of the same shape.
#include <fstream>
#include <iostream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/public_data.h"

namespace guantong::test {
namespace {

// 630100 -> 6301, 000000 -> "".
std::string PrefixOf(std::string division) {
  while (absl::EndsWith(division, "00")) division.resize(division.size() - 2);
  return division;
}

// code,name of `file` (header, code, name, more columns or none), to one csv per owner: the
// division of a node, or "11" .. "65" for the provinces hosted at the top.
std::map<std::string, std::string> PartsOf(const std::string& file, Network* network) {
  std::map<std::string, std::string> rows;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    const std::string& code = fields.at(0);
    std::string owner = code.substr(0, 2);
    size_t longest = 0;
    for (Node* node : network->nodes()) {
      const std::string prefix = PrefixOf(node->place().division);
      if (prefix.size() > longest && absl::StartsWith(code, prefix)) {
        longest = prefix.size();
        owner = node->place().division;
      }
    }
    std::string& part = rows[owner];
    if (part.empty()) part = "code,name\n";
    absl::StrAppend(&part, code, ",", fields.at(1), "\n");
  }
  return rows;
}

struct Part {
  std::string code;
  int64_t rows = 0;
};

void Gather(const std::string& file, int64_t rows_expected) {
  Network network(NineNodes());
  Node& national = network["000000"];
  const absl::Time started = absl::Now();
  std::vector<Part> parts;
  for (const auto& [owner, rows] : PartsOf(file, &network)) {
    const bool hosted = owner.size() == 2;
    Node& node = hosted ? national : network[owner];
    const Client editor = hosted ? national.AddDepartment(absl::StrCat(owner, "0000"),
                                                          absl::StrCat(owner, "民政部门"))
                                 : node.Editor();
    Part part{.code = editor.Publish(CodeAndName(absl::StrCat("街道名录", owner)),
                                     network.folder().path())};
    const auto pushed = editor.Do({"push", part.code, network.folder().File("part.csv", rows)});
    part.rows = std::stoll(pushed.at("inserts").get<std::string>());
    if (!hosted) {
      network.Until("the top knows the entry", [&] {
        return national.Operator().Try({"subscribe", part.code}).ok();
      });
    }
    parts.push_back(part);
  }
  const std::string all = network.folder().File("all.csv", "code,name\n");
  int64_t rows = 0;
  for (const Part& part : parts) {
    network.Until("the top holds the part",
                  [&] { return national.Operator().LocalRows(part.code) == part.rows; });
    rows += part.rows;
    Shell(absl::StrCat("'", ProgramFolder(), "/guantong' --profile '",
                       national.Operator().profile(), "' -o csv query '", part.code,
                       "' --local --all | tail -n +2 >>'", all, "'"));
  }
  std::cout << parts.size() << " departments, " << rows << " rows gathered at the top in "
            << absl::FormatDuration(absl::Now() - started) << std::endl;
  CHECK(rows == rows_expected);
  const std::string expected = network.folder().File("expected.csv", "");
  Shell(absl::StrCat("cut -d, -f1,2 '", file, "' >'", expected, "'"));
  CHECK(DigestOfCsv(all) == DigestOfCsv(expected));
}

TEST_CASE("streets: every department pushes its part, the top gathers the whole list") {
  const std::string file = PublicData("divisions/streets.csv");
  if (file.empty()) GUANTONG_SKIP("no public data: divisions/streets.csv (set GUANTONG_DATA)");
  Gather(file, 41'352);
}

TEST_CASE("streets, generated: every department pushes its part, the top gathers the whole list") {
  const Folder folder;
  std::string rows = "code,name,areaCode\n";
  int count = 0;
  for (const char* area : {"110101", "140105", "140202", "140213", "320101", "440106", "441900",
                           "630102", "630103", "632301", "650102"}) {
    for (int street = 1; street <= 20; ++street, ++count) {
      absl::StrAppend(&rows, area, absl::StrFormat("%03d", street), ",\"第", street, "街道\",",
                      area, "\n");
    }
  }
  Gather(folder.File("streets.csv", rows), count);
}

}  // namespace
}  // namespace guantong::test
