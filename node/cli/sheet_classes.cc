#include "node/cli/sheet_classes.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "guantong/v1/class.pb.h"
#include "node/language.h"

namespace guantong {
namespace {

constexpr int kNamedMax = 5;

bool IsName(const std::string& text) {
  return !text.empty() && !std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// The classes of a name, asked once.
class Names {
 public:
  explicit Names(const Connection& connection) : connection_(connection) {}

  // Null: no tree is known.
  absl::StatusOr<const std::vector<v1::ClassNode>*> Of(const std::string& name) {
    const auto asked = asked_.find(name);
    if (asked != asked_.end()) return &asked->second;
    v1::ClassesRequest request;
    request.set_name(name);
    GT_ASSIGN_OR_RETURN(const auto answer, connection_.Call<v1::ClassesResponse>(
                                               "guantong.v1.ClassService.Classes", request));
    if (answer.known() == 0) return nullptr;
    std::vector<v1::ClassNode> open;
    for (const v1::ClassNode& node : answer.children()) {
      if (!node.closed()) open.push_back(node);
    }
    return &asked_.emplace(name, std::move(open)).first->second;
  }

 private:
  const Connection& connection_;
  std::map<std::string, std::vector<v1::ClassNode>> asked_;
};

std::string Wanted(const std::string& name, const std::vector<v1::ClassNode>& found) {
  if (found.empty()) {
    return absl::StrCat(Text("没有名为“", "no open class is called \""), name,
                        Text("”的在用分类", "\""));
  }
  std::vector<std::string> codes;
  for (const v1::ClassNode& node : found) {
    if (codes.size() == kNamedMax) {
      codes.push_back("…");
      break;
    }
    codes.push_back(node.code());
  }
  return absl::StrCat(Text("名为“", "classes called \""), name, Text("”的分类有 ", "\": "),
                      found.size(), Text(" 个：", ": "), absl::StrJoin(codes, Text("、", ", ")));
}

}  // namespace

absl::Status FindClasses(const Connection& connection, EntrySheets* sheets) {
  Names names(connection);
  for (SheetEntry& one : sheets->entries) {
    std::vector<std::string*> classes = {one.entry.mutable_class_()};
    for (std::string& other : *one.entry.mutable_other_classes()) classes.push_back(&other);
    for (std::string* text : classes) {
      if (!IsName(*text)) continue;
      GT_ASSIGN_OR_RETURN(const auto* found, names.Of(*text));
      if (found == nullptr) return absl::OkStatus();
      if (found->size() == 1) {
        *text = (*found)[0].code();
        continue;
      }
      v1::Problem& problem = one.problems.emplace_back();
      problem.set_element("class");
      problem.set_text(Wanted(*text, *found));
      problem.set_remedy(Text("写分类代码，或“上级/名称”；见 guantong catalog classes --name",
                              "write the code, or ABOVE/NAME: guantong catalog classes --name"));
      *problem.mutable_place() = PlaceOf(*sheets, one, "class");
    }
  }
  return absl::OkStatus();
}

}  // namespace guantong
