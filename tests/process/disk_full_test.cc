// A disk that is full, at each level of a line: a push is refused with the disk and what to do, or
// goes on where the disk is another's; nobody reads half of anything; and when there is space again
// all goes on without a hand.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <list>
#include <random>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kDiskMegabytes = 320;

// A small file system of its own.
class SmallDisk {
 public:
  // Why this machine can mount none; empty when it can.
  static std::string WhyNot() {
    const Folder folder;
    if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
      return absl::StrCat("no file system can be mounted here (", std::strerror(errno), ")");
    }
    umount2(folder.path().c_str(), MNT_DETACH);
    return "";
  }

  // The store of a node that does not run moves onto it.
  explicit SmallDisk(const Node& node) : path_(node.dir() + "/store") {
    const std::string before = path_ + ".before";
    std::filesystem::rename(path_, before);
    std::filesystem::create_directory(path_);
    if (mount("none", path_.c_str(), "tmpfs", 0,
              absl::StrCat("size=", kDiskMegabytes, "m,mode=700").c_str()) != 0) {
      throw std::runtime_error(absl::StrCat("cannot mount ", path_, ": ", std::strerror(errno)));
    }
    Shell(absl::StrCat("cp -a '", before, "/.' '", path_, "'"));
  }
  ~SmallDisk() { umount2(path_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  void Fill() {
    std::ofstream out(path_ + "/ballast", std::ios::binary);
    const std::string block(64 << 10, '\1');
    while (out.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void Free() { std::filesystem::remove(path_ + "/ballast"); }

 private:
  const std::string path_;
};

std::string RandomRows(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string rows = "code,name\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&rows, absl::StrFormat("%09d,", i));
    for (int word = 0; word < 7; ++word) absl::StrAppend(&rows, absl::StrFormat("%08x", random()));
    rows += '\n';
  }
  return rows;
}

// What `guantong doctor` finds about it.
bool Healthy(const Client& there, const std::string& check) {
  for (const nlohmann::json findings = there.Try({"doctor"}).json().at("findings");
       const auto& finding : findings) {
    if (finding.at("check") == check) return finding.value("ok", false);
  }
  return false;
}

void FillAndFree(const std::vector<std::string>& divisions) {
  Network network(FourLevels());
  const Client county = network["630102"].Editor();
  const std::string code = county.Publish(CodeAndName("名录"), network.folder().path());
  std::string digest;
  const auto push_first = [&] {
    const std::string first = network.folder().File("first.csv", RandomRows(2'000, 1));
    county.Do({"push", code, first});
    digest = DigestOfCsv(first);
  };
  push_first();
  for (Node* node : network.nodes()) {
    if (node->place().division == "630102") continue;
    network.Until("the entry is known", [&] {
      return node->Editor().Try({"subscribe", code}).ok();
    });
  }
  network.UntilEqual(code, digest, network.nodes());

  std::list<SmallDisk> disks;  // each node stays on its own
  uint32_t seed = 2;
  for (const std::string& division : divisions) {
    Node* const victim = &network[division];
    INFO("the disk of " << victim->place().name);
    const bool origin = victim->place().division == "630102";
    victim->Stop();
    SmallDisk& disk = disks.emplace_back(*victim);
    victim->Start();
    if (!victim->place().parent.empty()) network.UntilLinked(*victim);
    const pid_t pid = victim->daemon().pid();

    disk.Fill();
    // More than whatever room the log had been given before.
    const std::string rows = network.folder().File("more.csv", RandomRows(100'000, ++seed));
    const std::string after = DigestOfCsv(rows);
    const Outcome pushed = county.Try({"push", code, rows, "--batch", absl::StrCat("full-", seed)});
    INFO(pushed.Text());
    const Client there = victim->Operator();
    if (origin) {
      CHECK((pushed.exit_status == 5 || pushed.exit_status == 1));
      CHECK(ReasonOf(pushed) == "disk_full");
      CHECK(absl::StrContains(ErrorOf(pushed).value("message", ""), victim->dir()));
      CHECK(ErrorOf(pushed).value("remedy", "") != "");
      for (Node* node : network.nodes()) CHECK(node->Operator().LocalDigest(code) == digest);
    } else {
      CHECK(pushed.ok());
      network.Until("the full node says so", [&] { return !Healthy(there, "store"); });
      for (Node* node : network.nodes()) {
        const std::string now = node->Operator().LocalDigest(code);
        CHECK((now == digest || now == after));
      }
      CHECK(there.LocalDigest(code) == digest);
    }

    disk.Free();
    const absl::Time freed = absl::Now();
    const absl::Duration back = network.Until(
        "the node has recovered by itself", [&] { return Healthy(there, "store"); },
        absl::Seconds(60));
    const Outcome again = county.Try({"push", code, rows, "--batch", absl::StrCat("full-", seed)});
    INFO(again.Text());
    CHECK(again.ok());
    digest = after;
    network.UntilEqual(code, digest, network.nodes());
    CHECK(victim->daemon().pid() == pid);
    CHECK(there.Do({"verify"}).at("faults").empty());
    std::cout << "disk full at " << victim->place().name << ": it commits again " << back
              << " after there was space, all copies equal after " << absl::Now() - freed
              << std::endl;
  }
}

TEST_CASE("a full disk refuses or waits, and all goes on when there is space") {
  if (const std::string why = SmallDisk::WhyNot(); !why.empty()) GUANTONG_SKIP(why);
  FillAndFree({"630100", "630102"});
}

TEST_CASE("a full disk at each level", "[.][long]") {
  if (const std::string why = SmallDisk::WhyNot(); !why.empty()) GUANTONG_SKIP(why);
  FillAndFree({"000000", "630000", "630100", "630102"});
}

}  // namespace
}  // namespace guantong::test
