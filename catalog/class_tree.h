// 信息资源分类: the class tree as the levels that govern it have said it. Parents are stored, never
// cut from a code by width: segments of real codes have two and three digits, mixed.
//
// The root governs all classes; another node those below a class that was delegated to it. What a
// node says about others counts for nothing.
#ifndef GUANTONG_CATALOG_CLASS_TREE_H_
#define GUANTONG_CATALOG_CLASS_TREE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "guantong/v1/class.pb.h"
#include "guantong/v1/entry.pb.h"

namespace guantong {

// What one node says about classes.
struct ClassSource {
  std::string node_id;
  bool is_root = false;
  std::vector<v1::ClassNode> classes;
};

// Immutable once made; any thread.
class ClassTree {
 public:
  ClassTree() = default;
  // From the root downward.
  explicit ClassTree(std::vector<ClassSource> sources);

  bool empty() const { return classes_.empty(); }
  size_t size() const { return classes_.size(); }

  const v1::ClassNode* Find(absl::string_view code) const;             // null: no such class
  std::vector<v1::ClassNode> Ancestors(absl::string_view code) const;  // from the top
  std::vector<v1::ClassNode> Children(absl::string_view code) const;   // "": the top; in code order
  // Classes of this name, spaces and punctuation apart, in code order; or of this way of names,
  // parted by / or >, which need not begin at the top nor name each class on it.
  std::vector<v1::ClassNode> Named(absl::string_view name) const;
  // Whether `code` is the class or stands below it, as parents were said: 307011 does not stand
  // below 30701 because it begins so. A code that is not known stands where its longest known
  // beginning does; below a class that is not known stands what begins with it.
  bool Within(absl::string_view code, absl::string_view above) const;
  // NodeId of whoever adds to what stands right below the class; "" is the top. What was there
  // before it was delegated stays.
  std::string Governor(absl::string_view code) const;
  // NodeId of the node the class, or one around it, was delegated to; "" nobody: many give codes
  // in it.
  std::string Delegate(absl::string_view code) const;
  // Where that is for a division hosted on that node alone: the division; "" for all of the node.
  std::string DelegateDivision(absl::string_view code) const;
  // Which delegate in turn that is; 0 nobody.
  uint32_t DelegateTurn(absl::string_view code) const;
  // The highest turn so far of the class, those around it and those below it.
  uint32_t LastTurn(absl::string_view code) const;
  // NodeId of whoever said that the class exists; "" no such class.
  std::string SaidBy(absl::string_view code) const;

 private:
  const v1::ClassNode* Delegated(absl::string_view code) const;  // it or one around it; null
  bool MaySay(absl::string_view code, absl::string_view node_id) const;

  struct Placed {
    v1::ClassNode node;
    std::string said_by;
  };
  std::map<std::string, Placed> classes_;
  std::map<std::string, std::vector<std::string>> children_;
  std::string root_;
};

// Classes somebody brings, from `node_id`, against the tree as it is. Errors: no code or name, a
// parent that is not there, a code that does not go on from its parent's, one class twice, a class
// this node does not govern. Marks what looks like something else than a class (`suspicious`) and
// lists it as a warning. `rows`: places in the file, one for each class, or none.
std::vector<v1::Problem> CheckClasses(const ClassTree& tree, absl::string_view node_id,
                                      const std::vector<uint32_t>& rows,
                                      std::vector<v1::ClassNode>* classes);

// Of an entry: its classes exist and are open. Nothing while no tree is known.
std::vector<v1::Problem> CheckClassesOf(const v1::CatalogEntry& entry, const ClassTree& tree);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_CLASS_TREE_H_
