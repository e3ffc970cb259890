// 字典 as this node knows them, from its own feed and those of the levels above, and what it says
// itself. A version that two of them say is that of the higher one.
#ifndef GUANTONG_NODE_CODE_LISTS_H_
#define GUANTONG_NODE_CODE_LISTS_H_

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "catalog/code_list.h"
#include "catalog/code_list_way.h"
#include "guantong/v1/code_list.pb.h"
#include "node/calls.h"
#include "node/directory.h"
#include "node/site.h"

namespace guantong {

// Any thread; changes wait for commits and are made one at a time, Show may wait for another node.
class CodeLists {
 public:
  CodeLists(const Site* site, const Directory* directory, Calls* calls)
      : site_(*site), directory_(*directory), calls_(*calls) {}

  // Adds what other nodes may ask; before the driver starts.
  void Register();

  // A version that holds here; nothing when it is not known.
  std::optional<v1::CodeList> Find(const Reader& snapshot, const std::string& key) const;

  // Errors: code_list.proto.
  absl::StatusOr<v1::ImportCodeListResponse> Import(const v1::ImportCodeListRequest& request);
  absl::StatusOr<v1::ListCodeListsResponse> List(const v1::ListCodeListsRequest& request) const;
  absl::StatusOr<v1::ShowCodeListResponse> Show(const v1::ShowCodeListRequest& request,
                                                absl::Time deadline);
  absl::StatusOr<v1::HeldCodeList> Close(const v1::CloseCodeListRequest& request);
  absl::StatusOr<v1::ImportCodeMapResponse> ImportMap(const v1::ImportCodeMapRequest& request);
  absl::StatusOr<v1::MapCodesResponse> Map(const v1::MapCodesRequest& request) const;

 private:
  struct Said {
    v1::CodeList fact;  // a version or a mapping
    v1::TreeNode by;
  };
  // The fact under `key` that counts here; nothing when nobody at or above this node says it.
  std::optional<Said> FindSaid(const Reader& snapshot, const std::string& key) const;
  std::vector<v1::TreeNode> Levels() const;  // from the root down to here
  // Versions of `id` that hold here, without items, by version.
  std::vector<Said> VersionsOf(const Reader& snapshot, const std::string& id) const;
  absl::StatusOr<Said> Resolve(const Reader& snapshot, const std::string& key) const;
  // Ends of the mappings that hold here.
  std::vector<std::pair<std::string, std::string>> MapsKnown(const Reader& snapshot) const;
  absl::StatusOr<CodeWay> WayOf(const Reader& snapshot, const std::vector<std::string>& keys) const;
  absl::Status CheckFree(const Reader& snapshot, const v1::CodeList& list) const;
  absl::StatusOr<v1::ShowCodeListResponse> ShowHere(const v1::ShowCodeListRequest& request) const;
  absl::Status Append(const v1::CodeList& fact);
  // INVALID_ARGUMENT page_token_malformed.
  static absl::StatusOr<size_t> PageStart(const std::string& token, size_t size);
  v1::HeldCodeList HeldOf(const Said& said, bool above = true) const;

  const Site& site_;
  const Directory& directory_;
  Calls& calls_;
  std::mutex change_mutex_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CODE_LISTS_H_
