#include "catalog/base/node_path.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

bool IsLabelStart(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool IsPathLabel(absl::string_view label) {
  return !label.empty() && label.size() <= kPathLabelBytesMax && IsLabelStart(label[0]) &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return IsLabelStart(c) || c == '-'; });
}

absl::StatusOr<NodePath> NodePath::Parse(absl::string_view text) {
  if (text.empty()) return NodePath();
  size_t depth = 0;
  for (absl::string_view label : absl::StrSplit(text, '/')) {
    if (++depth > kPathDepthMax || !IsPathLabel(label)) {
      return Error(absl::StatusCode::kInvalidArgument, "path_malformed",
                   absl::StrCat("a node path has at most ", kPathDepthMax,
                                " labels of a-z, 0-9 and '-', joined by '/'"),
                   text.substr(0, kPathLabelBytesMax * kPathDepthMax));
    }
  }
  return NodePath(std::string(text));
}

size_t NodePath::depth() const {
  return text_.empty() ? 0 : 1 + std::count(text_.begin(), text_.end(), '/');
}

NodePath NodePath::Parent() const {
  const size_t slash = text_.rfind('/');
  return slash == std::string::npos ? NodePath() : NodePath(text_.substr(0, slash));
}

NodePath NodePath::Child(absl::string_view label) const {
  GT_CHECK(IsPathLabel(label));
  return NodePath(text_.empty() ? std::string(label) : absl::StrCat(text_, "/", label));
}

absl::string_view NodePath::Label() const {
  absl::string_view text = text_;
  const size_t slash = text.rfind('/');
  return slash == absl::string_view::npos ? text : text.substr(slash + 1);
}

NodePath NodePath::Ancestor(size_t depth) const {
  if (depth == 0) return NodePath();
  size_t end = 0;
  for (size_t i = 0; i < depth; ++i) {
    end = text_.find('/', i == 0 ? 0 : end + 1);
    if (end == std::string::npos) return *this;
  }
  return NodePath(text_.substr(0, end));
}

bool NodePath::Contains(const NodePath& other) const {
  if (text_.empty()) return true;
  return absl::StartsWith(other.text_, text_) &&
         (other.text_.size() == text_.size() || other.text_[text_.size()] == '/');
}

NodePath NodePath::Moved(const NodePath& from, const NodePath& to) const {
  absl::string_view rest = absl::string_view(text_).substr(from.text_.size());
  absl::ConsumePrefix(&rest, "/");
  if (rest.empty()) return to;
  return NodePath(to.text_.empty() ? std::string(rest) : absl::StrCat(to.text_, "/", rest));
}

std::string DisplayPath(const NodePath& path) { return absl::StrCat("/", path.text()); }

}  // namespace guantong
