// Real bits flipped in real files of a stopped node.
#ifndef GUANTONG_TESTS_PROCESS_DAMAGE_H_
#define GUANTONG_TESTS_PROCESS_DAMAGE_H_

#include <string>

#include "tests/network/network.h"

namespace guantong::test {

// Moves what stands in the write-ahead log of a stopped node to table files.
void Settle(const Node& node);

// Flips one bit of `text` (empty: of anything) where it stands in a table file of the column
// family, and returns the file's name. Throws when it stands in none.
std::string FlipBitInTable(const Node& node, const std::string& family, const std::string& text);

// The same in a write-ahead log.
std::string FlipBitInLog(const Node& node, const std::string& text);

// Changes a row that holds `text`, through the store itself.
void ChangeRow(const Node& node, const std::string& text);

// Rows from..to-1 as code,name: names of 32 hexadecimal digits that no compression hides; the one
// of `marked` is `mark`.
std::string MarkedRows(int from, int to, int marked, const std::string& mark);

// Overwrites the middle half of each table file of the column family.
void SpoilTable(const Node& node, const std::string& family);

// What `status` says was damaged.
nlohmann::json DamageOf(const Node& node);

}  // namespace guantong::test

#endif  // GUANTONG_TESTS_PROCESS_DAMAGE_H_
