// One node of a network under test: its folder, its daemon, the people who use it.
#ifndef GUANTONG_TESTS_NETWORK_NODE_H_
#define GUANTONG_TESTS_NETWORK_NODE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/network/client.h"
#include "tests/network/process.h"
#include "tests/network/wires.h"

namespace guantong::test {

struct Place {
  std::string division;
  std::string name;
  std::string level;
  std::string parent;  // division; empty at the root
};

class Node {
 public:
  // Everything of it lies in `folder`/division. Nothing is created yet. Without a host it is on the
  // loopback; with one, it and those who use it are there.
  Node(Place place, const std::string& folder, const Host* host = nullptr);

  const Place& place() const { return place_; }
  const std::string& dir() const { return dir_; }  // what --dir names
  const std::string& log() const { return log_; }  // of all its runs
  uint16_t port() const { return port_; }
  const std::string& address() const { return address_; }
  const Host& host() const { return *host_; }
  const std::string& path() const { return path_; }  // in the tree; known after Init

  // Given to every later Start; GUANTONG_ and a key of node.yaml in capitals overrides the file.
  void SetEnvironment(std::map<std::string, std::string> environment);

  // Programs of another build, from the next Init or Start on; empty: those under test.
  void SetPrograms(std::string folder) { programs_ = std::move(folder); }

  // Of the network, said at the Init of the root; 0 otherwise.
  void SetApprovals(int approvals) { approvals_ = approvals; }

  // `guantong init`: as a root, or with a token of `parent`, which has to be running.
  void Init(Node* parent);
  // Starts the daemon and returns when it accepts connections.
  void Start();
  // SIGTERM; throws unless it ends by itself with status 0.
  void Stop();
  void Kill();  // kill -9
  void Pause() { daemon_->Pause(); }
  void Resume() { daemon_->Resume(); }
  bool Running() { return daemon_ != nullptr && daemon_->Running(); }
  Process& daemon() { return *daemon_; }

  Client Operator() const;
  // Adds a department and returns its editor.
  Client AddDepartment(const std::string& division, const std::string& name);
  // The same for the supervising authority of the division.
  Client AddSupervisor(const std::string& division, const std::string& name);
  // The department of the node's own division, added when first asked for.
  Client Editor();

  nlohmann::json Status() const { return Operator().Do({"status"}); }
  // Of all its runs; empty before the first.
  std::string LogText() const;

 private:
  Client Admit(const std::string& division, const std::string& name, const std::string& flag);
  Surroundings Around() const;
  bool Accepts() const;

  Place place_;
  const Host* host_;
  std::string folder_;
  std::string dir_;
  std::string log_;
  uint16_t port_;
  std::string address_;
  std::string path_;
  std::map<std::string, std::string> environment_;
  std::string programs_;
  std::unique_ptr<Process> daemon_;
  int departments_ = 0;
  int approvals_ = 0;
  Client editor_;
};

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_NETWORK_NODE_H_
