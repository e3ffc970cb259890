#include "tests/network/network.h"

#include <poll.h>

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace guantong::test {
namespace {

constexpr int kPaceMs =
    20;  // between two looks at a condition; a node that ends is noticed at once
constexpr size_t kLogTailBytes = 3000;

}  // namespace

std::vector<Place> OneNode() { return {{"000000", "国家", "national", ""}}; }

std::vector<Place> FourLevels() {
  return {{"000000", "国家", "national", ""},
          {"630000", "青海省", "province", "000000"},
          {"630100", "西宁市", "city", "630000"},
          {"630102", "城东区", "county", "630100"}};
}

std::vector<Place> NineNodes() {
  return {{"000000", "国家", "national", ""},         {"630000", "青海省", "province", "000000"},
          {"140000", "山西省", "province", "000000"}, {"440000", "广东省", "province", "000000"},
          {"630100", "西宁市", "city", "630000"},     {"140200", "大同市", "city", "140000"},
          {"441900", "东莞市", "city", "440000"},     {"630102", "城东区", "county", "630100"},
          {"140213", "平城区", "county", "140200"}};
}

Network::Network(const std::vector<Place>& places, Wires* wires, int approvals)
    : wires_(wires), approvals_(approvals) {
  for (const Place& place : places) AddNode(place);
  for (const auto& node : nodes_) {
    if (!node->place().parent.empty()) UntilLinked(*node);
  }
}

Node& Network::operator[](absl::string_view division) {
  for (const auto& node : nodes_) {
    if (node->place().division == division) return *node;
  }
  throw std::runtime_error(absl::StrCat("no node ", division));
}

std::vector<Node*> Network::nodes() {
  std::vector<Node*> all;
  for (const auto& node : nodes_) all.push_back(node.get());
  return all;
}

Node& Network::AddFolder(const Place& place, const std::string& programs) {
  Node* parent = place.parent.empty() ? nullptr : &(*this)[place.parent];
  const Host* host = wires_ == nullptr ? nullptr : &wires_->AddHost();
  nodes_.push_back(std::make_unique<Node>(place, folder_.path(), host));
  nodes_.back()->SetPrograms(programs);
  nodes_.back()->SetApprovals(approvals_);
  nodes_.back()->Init(parent);
  return *nodes_.back();
}

Node& Network::AddNode(const Place& place, const std::string& programs) {
  Node& node = AddFolder(place, programs);
  node.Start();
  return node;
}

absl::Duration Network::Until(absl::string_view what, const std::function<bool()>& condition,
                              absl::Duration limit) {
  const absl::Time started = absl::Now();
  std::vector<pollfd> running;
  for (const auto& node : nodes_) {
    if (node->Running()) running.push_back({node->daemon().descriptor(), POLLIN, 0});
  }
  while (!condition()) {
    const int ended = poll(running.data(), running.size(), kPaceMs);
    if (ended > 0 || absl::Now() - started > limit) {
      throw std::runtime_error(absl::StrCat(
          ended > 0 ? "a node ended while waiting until " : "still not true after the time given: ",
          what, "\n", LogTails()));
    }
  }
  return absl::Now() - started;
}

void Network::UntilLinked(Node& node) {
  Until(absl::StrCat(node.place().name, " sees its parent"), [&] {
    const Outcome status = node.Operator().Try({"status"});
    if (!status.ok()) return false;
    const auto document = status.json();
    return document.contains("parent") && document["parent"].value("state", "") == "up";
  });
}

void Network::UntilEqual(const std::string& code, const std::string& digest,
                         const std::vector<Node*>& nodes) {
  for (Node* node : nodes) {
    Until(
        absl::StrCat("the copy of ", code, " at ", node->place().name, " is equal"),
        [&] { return node->Operator().LocalDigest(code) == digest; }, absl::Seconds(60));
  }
}

std::string Network::LogTails() {
  std::string text;
  for (const auto& node : nodes_) {
    std::string log = node->LogText();
    if (log.size() > kLogTailBytes) log = log.substr(log.size() - kLogTailBytes);
    absl::StrAppend(&text, "--- ", node->place().name, " (", node->log(), ")\n", log, "\n");
  }
  return text;
}

std::string CodeAndNameRows(int from, int to, absl::string_view version) {
  std::string rows = "code,name\n";
  for (int i = from; i < to; ++i)
    absl::StrAppend(&rows, absl::StrFormat("%09d,%s第%d行\n", i, version, i));
  return rows;
}

}  // namespace guantong::test
