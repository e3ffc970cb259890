#include "tests/process/damage.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/keys.h"
#include "catalog/rocks/rocks_store.h"
#include "catalog/sorted_rows.h"

namespace guantong::test {
namespace {

namespace fs = std::filesystem;

constexpr int kLooksMax = 5;

template <typename Suits>
std::string FlipBit(const std::string& folder, const std::string& text, const Suits& suits) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!suits(path)) continue;
    const std::string content = ReadFile(path);
    // Packed rows show no text: any place among them.
    const size_t at = text.empty() ? content.size() / 2 : content.find(text);
    if (at == std::string::npos) continue;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(content[at] ^ 1));
    return entry.path().filename().string();
  }
  return "";
}

std::unique_ptr<RocksStore> Open(const Node& node) {
  auto store = OpenRocksStore(node.dir() + "/store");
  if (!store.ok()) throw std::runtime_error(std::string(store.status().message()));
  return *std::move(store);
}

}  // namespace

void Settle(const Node& node) { Open(node); }

std::string FlipBitInTable(const Node& node, const std::string& family, const std::string& text) {
  std::string listed;
  // Opening may start a compaction, and then the files are others when it is closed.
  for (int i = 0; i < kLooksMax; ++i) {
    std::set<std::string> files;
    listed.clear();
    for (const TableFile& file : Open(node)->TableFiles()) {
      if (file.family == family) files.insert(file.name);
      absl::StrAppend(&listed, " ", file.name, " ", file.family);
    }
    const std::string flipped = FlipBit(node.dir() + "/store", text, [&](const std::string& path) {
      return files.count(fs::path(path).filename().string()) > 0;
    });
    if (!flipped.empty()) return flipped;
  }
  throw std::runtime_error(
      absl::StrCat(text, " stands in no file of ", family, ":", listed, "\n",
                   Shell(absl::StrCat("grep -c '", text, "' '", node.dir(), "'/store/* || true"))));
}

void SpoilTable(const Node& node, const std::string& family) {
  for (const TableFile& table : Open(node)->TableFiles()) {
    if (table.family != family) continue;
    const std::string path = absl::StrCat(node.dir(), "/store/", table.name);
    const size_t bytes = ReadFile(path).size();
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(bytes / 4));
    file << std::string(bytes / 2, '\x5a');
  }
}

std::string FlipBitInLog(const Node& node, const std::string& text) {
  const std::string flipped = FlipBit(node.dir() + "/store", text, [](const std::string& path) {
    return absl::EndsWith(path, ".log");
  });
  if (flipped.empty()) throw std::runtime_error(absl::StrCat(text, " stands in no log"));
  return flipped;
}

void ChangeRow(const Node& node, const std::string& text) {
  const auto store = Open(node);
  WriteSet writes;
  for (auto cursor = store->Scan(KindPrefix('Z'), PrefixEnd(KindPrefix('Z'))); cursor->Valid();
       cursor->Next()) {
    v1::RowBatch rows;
    SortedRowsBuilder block;
    bool found = false;
    if (!UnpackBlock(cursor->value(), &rows).ok()) continue;
    for (v1::RowChange& change : *rows.mutable_changes()) {
      const size_t at = change.row().find(text);
      if (at != std::string::npos) (*change.mutable_row())[at] ^= 1;
      found |= at != std::string::npos;
      block.Add(change.key(), change.row());
    }
    if (found) writes.Put(std::string(cursor->key()), block.Finish());
  }
  if (writes.empty() || !store->Commit({&writes, 1}).ok()) {
    throw std::runtime_error(absl::StrCat("no row holds ", text));
  }
}

std::string MarkedRows(int from, int to, int marked, const std::string& mark) {
  std::string rows = "code,name\n";
  for (int i = from; i < to; ++i) {
    const std::string name =
        i == marked ? mark : HexOf(Sha256(absl::StrCat(mark, i))).substr(0, 32);
    absl::StrAppend(&rows, 1000000 + i, ",", name, "\n");
  }
  return rows;
}

nlohmann::json DamageOf(const Node& node) { return node.Status().at("damage"); }

}  // namespace guantong::test
