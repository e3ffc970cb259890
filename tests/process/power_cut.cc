#include "tests/process/power_cut.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/network/folder.h"
#include "tests/process/unsynced_writes/journal.h"

namespace guantong::test {
namespace {

namespace fs = std::filesystem;

// A name given since its folder was last synced.
struct Naming {
  std::string name;
  std::string from;   // empty: created
  std::string saved;  // what stood at `name` before
};

// Replays a journal over what was durable when it began.
class DiskHistory {
 public:
  explicit DiskHistory(std::map<std::string, uint64_t> durable_bytes)
      : durable_(std::move(durable_bytes)) {}

  void Read(const std::string& journal) {
    std::ifstream in(journal);
    for (std::string line; std::getline(in, line);) {
      if (line.size() < 3) throw std::runtime_error("journal: " + line);
      Apply(line[0], line.substr(2));
    }
  }

  Lost Cut() {
    Lost lost;
    lost.names = namings_.size();
    for (auto naming = namings_.rbegin(); naming != namings_.rend(); ++naming) Undo(*naming);
    for (const auto& [path, bytes] : durable_) {
      std::error_code absent;
      const uint64_t now = fs::file_size(path, absent);
      if (absent || now <= bytes) continue;
      lost.bytes += now - bytes;
      fs::resize_file(path, bytes);
    }
    return lost;
  }

 private:
  void Apply(char kind, const std::string& rest) {
    switch (kind) {
      case 'C':
        namings_.push_back({.name = rest});
        if (!fs::is_directory(rest)) durable_[rest] = 0;
        return;
      case 'R': {
        const std::vector<std::string> parts = absl::StrSplit(rest, '|');
        namings_.push_back({.name = parts.at(2), .from = parts.at(1), .saved = parts.at(0)});
        return Move(parts.at(1), parts.at(2));
      }
      case 'U':
        durable_.erase(rest);
        std::erase_if(namings_, [&](const Naming& naming) { return naming.name == rest; });
        return;
      case 'S': {
        const std::pair<std::string, std::string> parts =
            absl::StrSplit(rest, absl::MaxSplits(' ', 1));
        uint64_t& bytes = durable_[parts.second];
        uint64_t size = 0;
        if (!absl::SimpleAtoi(parts.first, &size)) throw std::runtime_error("journal: " + rest);
        bytes = std::max(bytes, size);
        return;
      }
      case 'D':
        std::erase_if(namings_,
                      [&](const Naming& naming) { return FolderOf(naming.name) == rest; });
        return;
      default:
        throw std::runtime_error("the journal cannot tell what a power cut leaves: " + rest);
    }
  }

  void Undo(const Naming& naming) {
    if (naming.from.empty()) {
      fs::remove_all(naming.name);
      return;
    }
    fs::rename(naming.name, naming.from);
    Move(naming.name, naming.from);
    if (naming.saved.empty()) return;
    fs::rename(naming.saved, naming.name);
    durable_[naming.name] = fs::file_size(naming.name);
  }

  void Move(const std::string& from, const std::string& to) {
    auto node = durable_.extract(from);
    if (node.empty()) return;
    durable_[to] = node.mapped();
  }

  static std::string FolderOf(const std::string& path) {
    return fs::path(path).parent_path().string();
  }

  std::map<std::string, uint64_t> durable_;
  std::vector<Naming> namings_;
};

}  // namespace

PowerCut::PowerCut(Node* node, const std::string& folder, Disk disk)
    : node_(*node), folder_(folder), disk_(disk) {
  Begin();
}

void PowerCut::Begin() {
  journal_ = absl::StrCat(folder_, "/journal.", node_.place().division, ".", strikes_);
  durable_bytes_.clear();
  for (const auto& entry : fs::recursive_directory_iterator(node_.dir())) {
    if (entry.is_regular_file()) durable_bytes_[entry.path().string()] = entry.file_size();
  }
  std::map<std::string, std::string> environment = {
      {"LD_PRELOAD", absl::StrCat(ProgramFolder(), "/libunsynced_writes.so")},
      {kJournalVariable, journal_},
      {kJournalRootVariable, node_.dir()}};
  if (disk_ == Disk::kLyingAboutLogs) environment[kLyingDiskVariable] = ".log";
  node_.SetEnvironment(std::move(environment));
}

Lost PowerCut::Strike() {
  node_.Kill();
  DiskHistory log(std::move(durable_bytes_));
  log.Read(journal_);
  const Lost lost = log.Cut();
  ++strikes_;
  Begin();
  return lost;
}

}  // namespace guantong::test
