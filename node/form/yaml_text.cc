#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/language.h"

namespace guantong {
namespace {

class YamlReader {
 public:
  explicit YamlReader(absl::string_view source) : source_(source) {}

  absl::StatusOr<FormValue> Read(const YAML::Node& node, size_t depth) {
    FormValue value;
    value.line = node.Mark().line + 1;
    if (depth > kFormDepthMax || ++values_ > kFormValuesMax) {
      return FormError("form_malformed", source_, value.line, "",
                       Text("嵌套太深或重复引用太多", "nested too deeply, or too many references"));
    }
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        value.kind = node.Tag() == "!" ? FormValue::Kind::kText : FormValue::Kind::kPlain;
        value.text = node.Scalar();
        return value;
      case YAML::NodeType::Sequence:
        value.kind = FormValue::Kind::kList;
        for (const YAML::Node& item : node) {
          GT_ASSIGN_OR_RETURN(FormValue read, Read(item, depth + 1));
          value.list.push_back(std::move(read));
        }
        return value;
      case YAML::NodeType::Map:
        GT_RETURN_IF_ERROR(ReadMap(node, depth, &value));
        return value;
      default:
        return value;
    }
  }

 private:
  absl::Status ReadMap(const YAML::Node& node, size_t depth, FormValue* value) {
    value->kind = FormValue::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& member : node) {
      const int line = member.first.Mark().line + 1;
      if (!member.first.IsScalar()) {
        return FormError("form_malformed", source_, line, "",
                         Text("键应为一个词", "a key should be a word"));
      }
      const std::string& key = member.first.Scalar();
      if (!seen.insert(key).second) {
        return FormError("key_repeated", source_, line, key,
                         Text("同一个键写了两次", "this key stands here twice"),
                         Text("只留一个", "keep one"));
      }
      GT_ASSIGN_OR_RETURN(FormValue read, Read(member.second, depth + 1));
      // An absent value has no mark of its own.
      if (read.kind == FormValue::Kind::kNull) read.line = line;
      value->map.push_back({key, std::move(read)});
    }
    return absl::OkStatus();
  }

  const absl::string_view source_;
  size_t values_ = 0;
};

// Where a document begins, and nothing else of it.
class DocumentStart : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { mark_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  const YAML::Mark& mark() const { return mark_; }

 private:
  YAML::Mark mark_;
};

// Where the second document of `text` begins; none when there is one at most. Not YAML::LoadAll:
// the parser makes documents without end of a comma that nothing opened, and never leaves it.
std::optional<YAML::Mark> SecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStart start;
  if (!parser.HandleNextDocument(start)) return std::nullopt;
  const int first = start.mark().pos;
  if (!parser.HandleNextDocument(start)) return std::nullopt;
  if (start.mark().pos == first) {
    throw YAML::ParserException(start.mark(), YAML::ErrorMsg::UNKNOWN_TOKEN);
  }
  return start.mark();
}

}  // namespace

absl::StatusOr<FormValue> ParseYaml(absl::string_view text, absl::string_view source) {
  try {
    const std::string bytes(text);
    const std::optional<YAML::Mark> second = SecondDocument(bytes);
    if (second.has_value()) {
      return FormError("form_malformed", source, second->line + 1, "",
                       Text("一个文件只放一份内容", "one document per file"));
    }
    const YAML::Node document = YAML::Load(bytes);
    if (document.IsNull()) {
      return FormError("form_malformed", source, 0, "", Text("内容为空", "nothing in it"));
    }
    return YamlReader(source).Read(document, 0);
  } catch (const YAML::Exception& e) {
    return FormError("form_malformed", source, e.mark.line + 1, "",
                     absl::StrCat(Text("不是合法的 YAML（第 ", "not YAML (column "),
                                  e.mark.column + 1, Text(" 列：", ": "), e.msg, Text("）", ")")),
                     Text("检查缩进、冒号后的空格和括号",
                          "check indentation, the blank after a colon, and brackets"));
  }
}

}  // namespace guantong
