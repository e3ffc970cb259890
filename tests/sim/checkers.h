// What must hold, each in a file of its own. Check... finds what may never be, at any moment, and
// tells the world; Awaits... says what is still missing once everything is healed, empty when
// nothing is.
#ifndef GUANTONG_TESTS_SIM_CHECKERS_H_
#define GUANTONG_TESTS_SIM_CHECKERS_H_

#include <string>

#include "tests/sim/world.h"

namespace guantong::sim {

// --- tables (check_tables.cc) ---
struct TableState {
  Content content;
  uint64_t push = 0;  // by its marks
  uint64_t commit = 0;
  std::string schema;
};
// False when there is no table. A half push, or rows that no push made, are wrong.
bool ReadTable(World& world, size_t node, const Dataset& dataset, TableState* state);
// Reads every table the node has, as a reader would.
void Probe(World& world, size_t node);
// Looks on from where the last look found something missing, if `from` is given.
std::string AwaitsTables(World& world, size_t* from = nullptr);

// --- catalogues (check_catalogs.cc) ---
std::string AwaitsCatalogs(World& world, size_t* from = nullptr);

// --- blocks: each with a holder (check_blocks.cc) ---
void CheckBlocks(World& world, size_t node);

// --- nothing where nobody may have it (check_placement.cc) ---
void CheckPlacement(World& world, size_t node);

// --- logs: chained, signed, gapless (check_chains.cc) ---
void CheckChains(World& world, size_t node);

// --- durable before promised (check_promises.cc) ---
void CheckPromise(World& world, const Node& from, const std::string& bytes);

// --- logs: nothing twice (check_twice.cc), nothing that nobody asked for (check_invented.cc), all
// in order (check_order.cc) ---
void CheckTwice(World& world, size_t node);
void CheckInvented(World& world, size_t node);
void CheckOrder(World& world, size_t node);
// A reader has just seen this.
void CheckSeen(World& world, size_t node, size_t dataset, const TableState& state);

// --- disk, memory, links (check_bounds.cc) ---
void CheckBounds(World& world, size_t node);
void CheckWindow(World& world, const Node& from, v1::Lane lane, const Network::Load& load);

// --- calls (check_calls.cc) ---
void CheckAnswer(World& world, const std::string& body, const CallDone& done);

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_CHECKERS_H_
