// What clients asked for, what they were promised, and what must therefore be found. The checkers
// hold the stores against it.
#ifndef GUANTONG_TESTS_SIM_LEDGER_H_
#define GUANTONG_TESTS_SIM_LEDGER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/keys.h"
#include "guantong/v1/entry.pb.h"
#include "guantong/v1/feed.pb.h"
#include "guantong/v1/row.pb.h"

namespace guantong::sim {

using Content = std::map<std::string, std::string>;  // row key -> row

// Rows every push writes, all with its number, spread over the key space: who reads two numbers has
// read half a push.
const std::vector<std::string>& MarkKeys();
std::string MarkRow(uint64_t push);
uint64_t PushOfMark(absl::string_view row);
uint64_t DigestOf(const Content& content);

struct Dataset {
  size_t origin = 0;
  std::string resource;
  v1::FeedId feed;
  FeedKey key;
  v1::DatasetSchema schema;
  bool shared = true;
  bool opened = false;
  bool closed = false;

  uint64_t last_push = 0;  // numbers given out
  uint64_t acknowledged = 0;
  std::set<uint64_t> in_doubt;           // the origin crashed before it answered
  std::set<uint64_t> refused;            // never to be seen
  std::map<uint64_t, uint64_t> content;  // push -> digest of all rows after it
  bool restored = false;                 // its origin came back with an older store
  bool rewound = false;                  // and nobody could give back what it had lost
};

// The newest commit a reader has seen of a copy.
struct Seen {
  uint64_t opening = 0;  // of the copy: it may be dropped, restored, and come again
  uint64_t commit = 0;
};

// The number in a push id; 0: none.
std::string PushId(uint64_t push);
uint64_t NumberOfPush(absl::string_view push_id);

enum class Standing { kNever, kWanted, kDoubtful, kEnded, kDropped };

// An entry's name carries its version, by node and code.
std::string NameOfVersion(uint64_t version);
uint64_t VersionOf(const v1::CatalogEntry& entry);

struct PublishedEntry {
  uint64_t last_version = 0;
  uint64_t acknowledged = 0;
};

struct CallOutcome {
  int executions = 0;
  bool done = false;
};

struct Ledger {
  std::vector<Dataset> datasets;
  std::map<std::pair<size_t, size_t>, Standing> subscriptions;  // node, dataset
  std::map<std::pair<size_t, size_t>, Seen> seen;               // node, dataset
  std::map<std::pair<size_t, size_t>, uint64_t> openings;
  std::map<size_t, std::set<size_t>> ever_subscribed;  // dataset -> nodes
  std::map<FeedKey, size_t> dataset_of;
  std::map<std::pair<size_t, std::string>, PublishedEntry> entries;  // node, code: open catalogue
  std::set<std::string> odd_records;         // asked for, to be applied nowhere
  std::map<std::string, CallOutcome> calls;  // by body
  std::set<size_t> rewound;                  // nodes whose record feeds may have lost records

  std::set<std::string> node_ids;  // of whom members may be named

  uint64_t records = 0;  // acknowledged, of all kinds
  uint64_t pushes = 0;
  uint64_t refusals = 0;
  uint64_t probes = 0;
  uint64_t calls_answered = 0;
  uint64_t crashes = 0;
  uint64_t restores = 0;
  uint64_t restored_again = 0;
  uint64_t lies = 0;
  uint64_t moves = 0;
  uint64_t joins = 0;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_LEDGER_H_
