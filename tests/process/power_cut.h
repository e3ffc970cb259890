// A power cut for one daemon: its files as a disk would hold them that lost whatever was not
// synced.
//
// A kill -9 proves nothing about fsync, because the page cache survives it. So the daemon runs with
// a preloaded library that writes down what it synced (unsynced_writes/journal.h), and after the
// kill everything else is taken away.
#ifndef GUANTONG_TESTS_PROCESS_POWER_CUT_H_
#define GUANTONG_TESTS_PROCESS_POWER_CUT_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/network/network.h"

namespace guantong::test {

enum class Disk {
  kHonest,
  kLyingAboutLogs
};  // which says "synced" of a write-ahead log and has done nothing

struct Lost {
  uint64_t bytes = 0;  // cut off files
  uint64_t names = 0;  // creations and renames undone
};

class PowerCut {
 public:
  // Before node.Start(): what lies in the folder now is on the disk. `folder` receives the journal,
  // outside of the node's.
  PowerCut(Node* node, const std::string& folder, Disk disk);

  // kill -9, then the loss. The node can be started again, still watched. Throws when the journal
  // cannot tell what is lost.
  Lost Strike();

 private:
  void Begin();

  Node& node_;
  const std::string folder_;
  const Disk disk_;
  int strikes_ = 0;
  std::string journal_;
  std::map<std::string, uint64_t>
      durable_bytes_;  // by path, of the files there were at the last start
};

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_PROCESS_POWER_CUT_H_
