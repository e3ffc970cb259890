// Revisions of one list, each pushed whole with --mode replace: what travels is the difference and
// nothing else.
//
// On the real revisions of GB/T 2260, and on generated ones of the same shape. Rows that travelled
// are counted where they arrive, from the frames.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/catch.h"
#include "tests/network/network.h"
#include "tests/process/public_data.h"

namespace guantong::test {
namespace {

struct Difference {
  int64_t in = 0;   // lines that are new
  int64_t out = 0;  // lines that are gone
  int64_t keys =
      0;  // keys among both: a changed name is one line out and one in, and one row on the way
};

int64_t CountOf(const std::string& pipeline) {
  int64_t count = 0;
  if (!absl::SimpleAtoi(Shell(pipeline), &count)) throw std::runtime_error(pipeline);
  return count;
}

// Between two files of Code<tab>Name, headers included: by comm, not by us.
Difference DifferenceOf(const std::string& before, const std::string& after) {
  const std::string files =
      absl::StrCat(" <(tail -n +2 '", before, "' | sort) <(tail -n +2 '", after, "' | sort)");
  return {.in = CountOf(absl::StrCat("comm -13", files, " | wc -l")),
          .out = CountOf(absl::StrCat("comm -23", files, " | wc -l")),
          .keys = CountOf(
              absl::StrCat("comm -3", files, " | sed 's/^\\t//' | cut -f1 | sort -u | wc -l"))};
}

std::string DigestOfRevision(const std::string& file) {
  const Folder folder;
  const std::string csv = folder.File("revision.csv", "");
  Shell(absl::StrCat("tr '\\t' ',' <'", file, "' >'", csv, "'"));
  return DigestOfCsv(csv);
}

int64_t RowsReceived(Node& node) {
  const auto subscription = node.Operator().Do({"subscriptions"}).at("subscriptions").at(0);
  return std::stoll(subscription.at("rows_received").get<std::string>());
}

// 西宁市 publishes, 平城区 holds a copy, over four links.
class Line {
 public:
  Line() : network(NineNodes()), editor(network["630100"].Editor()), reader(network["140213"]) {
    code = editor.Publish(CodeAndName("行政区划代码"), network.folder().path());
  }

  nlohmann::json Push(const std::string& file) {
    return editor.Do({"push", code, file, "--mode", "replace", "--columns", "code=Code,name=Name"});
  }

  Network network;
  Client editor;
  Node& reader;
  std::string code;
};

// Pushes the files in order and checks each step; the transition to `watched` must be `in` and
// `out`.
void Follow(Line* line, const std::vector<std::string>& revisions, const std::string& watched,
            int64_t in, int64_t out) {
  line->Push(revisions.at(0));
  line->network.Until("the reader may subscribe", [&] {
    return line->reader.Editor().Try({"subscribe", line->code}).ok();
  });
  line->network.UntilEqual(line->code, DigestOfRevision(revisions.at(0)), {&line->reader});

  int64_t travelled = 0, empty = 0;
  bool seen = false;
  for (size_t i = 1; i < revisions.size(); ++i) {
    INFO("revision " << revisions[i]);
    const Difference difference = DifferenceOf(revisions[i - 1], revisions[i]);
    const int64_t received = RowsReceived(line->reader);
    const auto pushed = line->Push(revisions[i]);
    const auto figure = [&](const char* name) {
      return std::stoll(pushed.at(name).get<std::string>());
    };
    CHECK(figure("inserts") + figure("updates") == difference.in);
    CHECK(figure("deletes") + figure("updates") == difference.out);
    if (difference.keys == 0) {
      CHECK(pushed.at("commit") == "0");
      ++empty;
    }
    line->network.UntilEqual(line->code, DigestOfRevision(revisions[i]), {&line->reader});
    CHECK(RowsReceived(line->reader) - received == difference.keys);
    travelled += difference.keys;
    if (revisions[i].find(watched) != std::string::npos) {
      seen = true;
      CHECK(difference.in == in);
      CHECK(difference.out == out);
    }
  }
  CHECK(seen);
  std::cout << revisions.size() - 1 << " transitions, " << empty << " of them empty, " << travelled
            << " rows travelled" << std::endl;
}

TEST_CASE("revisions of GB/T 2260: what travels is the real difference") {
  const std::string folder = PublicData("gb2260_history");
  if (folder.empty()) GUANTONG_SKIP("no public data: gb2260_history (set GUANTONG_DATA)");
  Line line;
  std::vector<std::string> revisions;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string name = file.path().stem().string();
    revisions.push_back(line.network.folder().File(name + ".tsv", ""));
    Shell(absl::StrCat("cut -f3,4 '", file.path().string(), "' >'", revisions.back(), "'"));
  }
  std::sort(revisions.begin(), revisions.end());
  REQUIRE(revisions.size() > 30);
  Follow(&line, revisions, "201710", 17, 17);

  // The whole file has columns the entry does not know: named, and nothing sent.
  const Outcome refused = line.editor.Try({"push", line.code, folder + "/mca_201801.tsv", "--mode",
                                           "replace", "--columns", "code=Code,name=Name"});
  CHECK(refused.exit_status == 1);
  CHECK(ReasonOf(refused) == "column_unknown");
  CHECK(ErrorOf(refused).value("message", "").find("Source") != std::string::npos);
}

TEST_CASE("revisions, generated: what travels is the difference") {
  Line line;
  // 3,000 rows; from one to the next some leave, some come, some are renamed, and twice nothing
  // changes.
  std::vector<std::string> revisions;
  const int kChanges[] = {0, 3, 0, 17, 40, 0};
  int gone = 0, renamed = 0;
  for (size_t revision = 0; revision < std::size(kChanges); ++revision) {
    gone += kChanges[revision];
    renamed += kChanges[revision] / 8;
    std::string rows = "Code\tName\n";
    for (int row = gone; row < 3000 + gone; ++row) {
      absl::StrAppend(&rows,
                      absl::StrFormat("%06d\t%s%d\n", 100000 + row,
                                      row >= 2000 && row < 2000 + renamed ? "改名" : "区划", row));
    }
    revisions.push_back(
        line.network.folder().File(absl::StrCat("revision_", revision, ".tsv"), rows));
  }
  Follow(&line, revisions, "revision_3", 19, 19);
}

}  // namespace
}  // namespace guantong::test
