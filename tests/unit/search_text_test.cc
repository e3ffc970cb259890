// Folding, terms, pieces and what they match, by example.
#include <algorithm>

#include "catalog/search/synonyms.h"
#include "catalog/search/text.h"
#include "tests/catch.h"

namespace guantong::search {
namespace {

bool Matches(const std::string& text, const std::string& words) {
  const std::string folded = Fold(text);
  for (const Piece& piece : PiecesOf(words)) {
    if (FindPiece(folded, piece.text) == absl::string_view::npos) return false;
  }
  return true;
}

TEST_CASE("search text: case, width and traditional characters are the same") {
  CHECK(Fold("Street ＬＩＳＴ") == "street list");
  CHECK(Fold("企業登記資訊") == Fold("企业登记资讯"));
  CHECK(Fold("一\n二") == "一 二");
  CHECK(Matches("統一社會信用代碼", "统一社会信用代码"));
}

TEST_CASE(
    "search text: Chinese matches anywhere, letters and digits from the beginning of a word") {
  CHECK(Matches("街道名录", "道名"));
  CHECK(Matches("街道名录", "录"));
  CHECK_FALSE(Matches("街道名录", "街名"));
  CHECK(Matches("street_list", "list"));
  CHECK(Matches("street_list", "stre"));
  CHECK_FALSE(Matches("street_list", "tree"));
  CHECK(Matches("2023年度统计", "2023年"));
  CHECK_FALSE(Matches("12023年度统计", "2023年"));
  CHECK(Matches("A类企业", "a类"));
  CHECK(Matches("3070120337/440000000001", "3070120337/440000000001"));
  CHECK(Matches("甲、乙", "乙 甲"));
  CHECK(Matches("甲", "、。"));
}

TEST_CASE("search text: a piece needs the text only where terms do not say it all") {
  CHECK(MakePiece("企业").exact);
  CHECK(MakePiece("企").exact);
  CHECK(MakePiece("street").exact);
  CHECK_FALSE(MakePiece("企业名").exact);
  CHECK_FALSE(MakePiece("a企").exact);
  CHECK(MakePiece("2023年a").words == std::vector<std::string>{"2023"});
  CHECK(MakePiece("2023年a").prefix == "a");
  CHECK(MakePiece("企业名录").grams.size() == 3);
}

TEST_CASE("search text: spans are in characters of the text as written") {
  using Spans = std::vector<std::pair<uint32_t, uint32_t>>;
  CHECK(FindSpans("全省企業名錄", {"企业"}) == Spans{{2, 4}});
  CHECK(FindSpans("企业和企业", {"企业"}) == Spans{{0, 2}, {3, 5}});
  CHECK(FindSpans("企业名录", {"企业", "业名"}) == Spans{{0, 3}});
  CHECK(FindSpans("ＡＢ 企业", {"ab"}) == Spans{{0, 2}});
  CHECK(FindSpans("企业", {"没有"}).empty());
}

TEST_CASE("search text: names go by pinyin, numbers by their value") {
  const std::vector<std::string> sorted = {
      "2015年统计公报", "2016年统计公报", "安全生产许可证", "不动产登记信息", "残疾人证",
      "道路运输证",     "低保对象",       "法人库",         "公积金缴存",     "户籍信息",
      "建筑业企业资质", "民办学校",       "排污许可证",     "企业名录第2版",  "企业名录第10版",
      "青海省街道名录", "人口库",         "社会组织",       "特种设备",       "行政处罚",
      "医疗机构",       "中小学校",       "A级旅游景区"};
  std::vector<std::string> by_key = sorted;
  std::sort(by_key.begin(), by_key.end());
  const auto before = [](const std::string& a, const std::string& b) {
    return NameKey(Fold(a)) < NameKey(Fold(b));
  };
  std::sort(by_key.begin(), by_key.end(), before);
  CHECK(by_key == sorted);
  CHECK(NameKey(Fold("企业名录")).find('\0') == std::string::npos);
}

TEST_CASE("search text: synonyms stand for each other within a piece") {
  std::vector<v1::SynonymGroup> groups(2);
  for (const char* word : {"低保", "最低生活保障"}) groups[0].add_words(word);
  for (const char* word : {"企业", "公司", "法人单位"}) groups[1].add_words(word);
  const Synonyms synonyms(groups);
  const auto texts = [&](const std::string& word) {
    std::vector<std::string> all;
    for (const Piece& piece : synonyms.Expand(MakePiece(word))) all.push_back(piece.text);
    return all;
  };
  CHECK(texts("低保") == std::vector<std::string>{"低保", "最低生活保障"});
  CHECK(texts("公司名录") == std::vector<std::string>{"公司名录", "企业名录", "法人单位名录"});
  CHECK(texts("学校") == std::vector<std::string>{"学校"});
}

}  // namespace
}  // namespace guantong::search
