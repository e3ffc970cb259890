#include "node/sheets/choices.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "catalog/entry.h"
#include "catalog/format.h"
#include "guantong/v1/entry.pb.h"
#include "node/language.h"

namespace guantong {
namespace {

// What stands before a bracket, and all of it when it begins with one.
absl::string_view BeforeBracket(absl::string_view text) {
  for (const absl::string_view bracket : {"(", "（"}) {
    const size_t at = text.find(bracket);
    if (at != absl::string_view::npos && at > 0) text = text.substr(0, at);
  }
  return text;
}

std::string WithoutFigures(std::string plain) {
  size_t digits = 0;
  while (digits < plain.size() && absl::ascii_isdigit(static_cast<unsigned char>(plain[digits])))
    ++digits;
  return digits == plain.size() ? plain : plain.substr(digits);
}

std::vector<std::string> FormatCodes() {
  constexpr int kClasses = 7, kTypesMax = 11;
  std::vector<std::string> codes;
  for (int group = 1; group <= kClasses; ++group) {
    for (int type = 0; type <= kTypesMax; ++type) {
      const std::string code = type == 0 ? absl::StrCat("0", group)
                                         : absl::StrCat("0", group, type < 10 ? "0" : "", type);
      if (!FormatName(code).empty()) codes.push_back(code);
    }
  }
  return codes;
}

}  // namespace

Choices::Choices(std::vector<Choice> choices) : choices_(std::move(choices)) {
  for (const Choice& choice : choices_) {
    auto& plain = plain_.emplace_back();
    for (const std::string& word : choice.words) plain.push_back(PlainName(word));
  }
}

int Choices::ValueOf(absl::string_view text) const {
  const std::string plain = PlainName(text);
  for (const std::string& tried : {plain, WithoutFigures(plain), PlainName(BeforeBracket(text))}) {
    if (tried.empty()) continue;
    for (size_t i = 0; i < choices_.size(); ++i) {
      for (const std::string& word : plain_[i]) {
        if (tried == word) return choices_[i].value;
      }
    }
  }
  return -1;
}

std::string Choices::WordOf(int value) const {
  for (const Choice& choice : choices_) {
    if (choice.value == value) return choice.words[0];
  }
  return "";
}

std::vector<std::string> Choices::Words() const {
  std::vector<std::string> words;
  for (const Choice& choice : choices_) words.push_back(choice.words[0]);
  return words;
}

std::string Choices::Wanted(absl::string_view text) const {
  return absl::StrCat(Text("“", "\""), text, Text("”应为：", "\" should be one of: "),
                      absl::StrJoin(Words(), Text("、", ", ")));
}

const Choices& SharingTypeChoices() {
  static const auto& choices = *new Choices(
      {{v1::SHARING_TYPE_UNCONDITIONAL, {"无条件共享", "无条件", "1", "unconditional"}},
       {v1::SHARING_TYPE_CONDITIONAL, {"有条件共享", "有条件", "2", "conditional"}},
       {v1::SHARING_TYPE_NOT_SHARED, {"不予共享", "不予", "不共享", "3", "not_shared"}}});
  return choices;
}

const Choices& ModeChoices() {
  static const auto& choices = *new Choices(
      {{v1::SHARING_MODE_TABLE,
        {"库表", "数据库", "库表交换", "共享平台库表", "共享平台方式库表", "table"}},
       {v1::SHARING_MODE_FILE,
        {"文件", "文件下载", "文件交换", "共享平台文件", "共享平台方式文件", "file"}},
       {v1::SHARING_MODE_SERVICE,
        {"接口", "服务接口", "数据接口", "共享平台接口", "共享平台方式接口", "service"}}});
  return choices;
}

const Choices& CycleChoices() {
  static const auto& choices =
      *new Choices({{v1::UPDATE_CYCLE_REALTIME, {"实时", "realtime"}},
                    {v1::UPDATE_CYCLE_DAILY, {"每日", "每天", "日", "daily"}},
                    {v1::UPDATE_CYCLE_WEEKLY, {"每周", "周", "weekly"}},
                    {v1::UPDATE_CYCLE_MONTHLY, {"每月", "月", "monthly"}},
                    {v1::UPDATE_CYCLE_QUARTERLY, {"每季度", "每季", "季度", "quarterly"}},
                    {v1::UPDATE_CYCLE_YEARLY, {"每年", "年", "年度", "yearly"}},
                    {v1::UPDATE_CYCLE_IRREGULAR, {"不定期", "irregular"}},
                    {v1::UPDATE_CYCLE_OTHER, {"其他", "其它", "other"}}});
  return choices;
}

const Choices& ItemTypeChoices() {
  static const auto& choices = *new Choices(
      {{v1::ITEM_TYPE_C,
        {"字符型C", "字符型", "C", "字符", "字符串", "文本", "varchar", "char", "string"}},
       {v1::ITEM_TYPE_N, {"数值型N", "数值型", "N", "数值", "number", "decimal", "numeric"}},
       {v1::ITEM_TYPE_Y, {"货币型Y", "货币型", "Y", "货币"}},
       {v1::ITEM_TYPE_D, {"日期型D", "日期型", "D", "日期", "date"}},
       {v1::ITEM_TYPE_T, {"日期时间型T", "日期时间型", "T", "日期时间", "datetime", "timestamp"}},
       {v1::ITEM_TYPE_L, {"逻辑型L", "逻辑型", "L", "逻辑", "boolean"}},
       {v1::ITEM_TYPE_M, {"备注型M", "备注型", "M", "备注", "text"}},
       {v1::ITEM_TYPE_G, {"通用型G", "通用型", "G", "通用"}},
       {v1::ITEM_TYPE_B, {"双精度型B", "双精度型", "B", "双精度", "double"}},
       {v1::ITEM_TYPE_I, {"整型I", "整型", "I", "整数", "整数型", "int", "integer", "bigint"}},
       {v1::ITEM_TYPE_F, {"浮点型F", "浮点型", "F", "浮点", "float"}}});
  return choices;
}

const Choices& YesNoChoices() {
  static const auto& choices = *new Choices({{1, {"是", "1", "Y", "yes", "√", "true", "开放"}},
                                             {0, {"否", "0", "N", "no", "×", "false", "不开放"}}});
  return choices;
}

std::string FormatCodeOf(absl::string_view text) {
  if (!FormatName(text).empty()) return std::string(text);
  const std::string plain = PlainName(text);
  for (const std::string& code : FormatCodes()) {
    const std::string name = PlainName(FormatName(code));
    // With the name of its class before it, or its code on either side.
    if (plain == name || plain == code + name || plain == name + code) return code;
    for (const absl::string_view group :
         {"电子文件", "电子表格", "数据库", "图形图像", "流媒体", "自描述格式"}) {
      if (plain == absl::StrCat(group, name)) return code;
    }
  }
  return "";
}

std::string FormatWord(absl::string_view code) {
  const absl::string_view name = FormatName(code);
  return name.empty() ? std::string(code) : absl::StrCat(code, " ", name);
}

std::vector<std::string> FormatWords() {
  std::vector<std::string> words;
  for (const std::string& code : FormatCodes()) words.push_back(FormatWord(code));
  return words;
}

}  // namespace guantong
