// A network of real nodes, on the loopback or on wires, for as long as the object lives.
#ifndef GUANTONG_TESTS_NETWORK_NETWORK_H_
#define GUANTONG_TESTS_NETWORK_NETWORK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/network/folder.h"
#include "tests/network/node.h"
#include "tests/network/wires.h"

namespace guantong::test {

// Shapes: parents before children.
std::vector<Place> OneNode();     // 000000
std::vector<Place> FourLevels();  // 000000, 630000, 630100, 630102
std::vector<Place> NineNodes();  // 国家; 青海 山西 广东; 西宁 大同 东莞; 城东 平城

class Network {
 public:
  // Initialises, admits and starts every node, and returns when each sees its parent. With `wires`,
  // which outlive the network, every node is on a host of its own.
  // `approvals` is the policy of the network.
  explicit Network(const std::vector<Place>& places, Wires* wires = nullptr, int approvals = 0);

  Node& operator[](absl::string_view division);
  std::vector<Node*> nodes();
  // Where a test puts its own files.
  const Folder& folder() const { return folder_; }
  // Initialised and started; `programs`, see Node::SetPrograms.
  Node& AddNode(const Place& place, const std::string& programs = "");
  // Initialised, not started.
  Node& AddFolder(const Place& place, const std::string& programs = "");

  // Checks `condition` until it holds. Throws after `limit`, saying what was waited for, or when a
  // node that was not killed is gone. Returns how long it took.
  absl::Duration Until(absl::string_view what, const std::function<bool()>& condition,
                       absl::Duration limit = absl::Seconds(30));
  // Until its link to the parent is up, seen from the node.
  void UntilLinked(Node& node);
  // Until every node's copy of the dataset has this digest (Client::LocalDigest).
  void UntilEqual(const std::string& code, const std::string& digest,
                  const std::vector<Node*>& nodes);

  // The last lines of every log.
  std::string LogTails();

 private:
  Wires* wires_;
  const int approvals_;
  Folder folder_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

// Rows of `from` to `to` - 1: code,name with a header, the name telling the `version`.
std::string CodeAndNameRows(int from, int to, absl::string_view version);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_NETWORK_H_
