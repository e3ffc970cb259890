// Where a node stands now: ASCII labels joined by '/', the root is empty. Labels are never parsed
// as codes.
#ifndef GUANTONG_CATALOG_BASE_NODE_PATH_H_
#define GUANTONG_CATALOG_BASE_NODE_PATH_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace guantong {

inline constexpr size_t kPathLabelBytesMax = 32;
inline constexpr size_t kPathDepthMax = 8;

// [a-z0-9][a-z0-9-]*, at most kPathLabelBytesMax.
bool IsPathLabel(absl::string_view label);

class NodePath {
 public:
  NodePath() = default;  // the root
  static absl::StatusOr<NodePath> Parse(absl::string_view text);

  const std::string& text() const { return text_; }
  bool is_root() const { return text_.empty(); }
  size_t depth() const;
  NodePath Parent() const;                        // of the root: the root
  NodePath Child(absl::string_view label) const;  // label must be valid
  absl::string_view Label() const;                // last one, "" for the root
  NodePath Ancestor(size_t depth) const;          // the first `depth` labels

  // True for the path itself and everything below it.
  bool Contains(const NodePath& other) const;

  // Where this path lies when `from`, which contains it, stands at `to`.
  NodePath Moved(const NodePath& from, const NodePath& to) const;

  friend bool operator==(const NodePath& a, const NodePath& b) { return a.text_ == b.text_; }
  friend bool operator!=(const NodePath& a, const NodePath& b) { return a.text_ != b.text_; }
  friend bool operator<(const NodePath& a, const NodePath& b) { return a.text_ < b.text_; }

 private:
  explicit NodePath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// For people: "/" for the root, "/630000/630100" else.
std::string DisplayPath(const NodePath& path);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_NODE_PATH_H_
