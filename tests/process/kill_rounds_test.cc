// kill -9 of every node of a line at random moments, under pushes from below and from above that
// never pause and a subscription that comes and goes: what was acknowledged is everywhere, once.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

constexpr int kRowsPerPush = 20;

// Pushes new rows into one dataset as fast as they are taken. A batch that was not acknowledged is
// pushed again under its batch id until it is.
class Pusher {
 public:
  Pusher(std::string name, Client editor, std::string code, std::string folder)
      : name_(std::move(name)),
        editor_(std::move(editor)),
        code_(std::move(code)),
        folder_(std::move(folder)) {}
  ~Pusher() { End(); }

  // Returns when the first batch is taken; the others follow by themselves.
  void Begin() {
    PushOne();
    thread_ = std::thread([this] {
      while (!ending_) PushOne();
    });
  }
  void End() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  const std::string& code() const { return code_; }
  int64_t acknowledged() const { return acknowledged_; }
  int64_t pushes() const { return pushes_; }
  int64_t tries() const { return tries_; }
  int64_t repeated() const { return repeated_; }
  int64_t commit_last() const { return commit_last_; }
  const std::string& unexpected() const { return unexpected_; }
  // All that was acknowledged, as a file.
  std::string File() const {
    const std::string file = absl::StrCat(folder_, "/", name_, "-all.csv");
    WriteFile(file, CodeAndNameRows(0, static_cast<int>(acknowledged_), name_));
    return file;
  }

 private:
  static void WriteFile(const std::string& file, const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
  }

  void PushOne() {
    const int from = static_cast<int>(acknowledged_);
    const std::string file = absl::StrCat(folder_, "/", name_, ".csv");
    WriteFile(file, CodeAndNameRows(from, from + kRowsPerPush, name_));
    const std::string batch = absl::StrCat(name_, "-", pushes_.load());
    while (true) {
      ++tries_;
      const Outcome pushed =
          editor_.Try({"--timeout", "10s", "push", code_, file, "--batch", batch});
      if (pushed.ok()) {
        const nlohmann::json taken = pushed.json();
        if (taken.at("repeated_batch") == true) ++repeated_;
        commit_last_ = std::stoll(taken.at("commit").get<std::string>());
        if (taken.at("inserts") != std::to_string(kRowsPerPush)) unexpected_ = pushed.Text();
        acknowledged_ += kRowsPerPush;
        ++pushes_;
        return;
      }
      if (pushed.exit_status != 5) unexpected_ = pushed.Text();
      if (ending_ && !unexpected_.empty()) return;
    }
  }

  const std::string name_;
  const Client editor_;
  const std::string code_;
  const std::string folder_;
  std::atomic<bool> ending_ = false;
  std::atomic<int64_t> acknowledged_ = 0;
  std::atomic<int64_t> pushes_ = 0;
  std::atomic<int64_t> tries_ = 0;
  std::atomic<int64_t> repeated_ = 0;
  std::atomic<int64_t> commit_last_ = 0;
  std::string unexpected_;  // read after End
  std::thread thread_;
};

class KillRounds {
 public:
  explicit KillRounds(uint32_t seed)
      : network(FourLevels()),
        random(seed),
        up("up", network["630102"].Editor(), Share("630102", "向上"), network.folder().path()),
        down("down", network["000000"].Editor(), Share("000000", "向下"), network.folder().path()),
        third(Share("630000", "第三")) {
    network["630000"].Editor().Do(
        {"push", third, network.folder().File("third.csv", CodeAndNameRows(0, 500, "三"))});
  }

  // Kills one, starts it again, and waits until every node has what was acknowledged by then.
  void Round(Node& victim) {
    const absl::Time strike = absl::Now() + absl::Milliseconds(random() % 700);
    network.Until("the moment has come", [&] { return absl::Now() >= strike; });
    victim.Kill();
    victim.Start();
    const absl::Time started = absl::Now();
    const int64_t up_rows = up.acknowledged();
    const int64_t down_rows = down.acknowledged();
    for (Node* node : network.nodes()) {
      network.Until(absl::StrCat("all is at ", node->place().name), [&] {
        return node->Operator().LocalRows(up.code()) >= up_rows &&
               node->Operator().LocalRows(down.code()) >= down_rows;
      });
    }
    // Nothing is back before a push over the node that was killed has arrived.
    const int64_t beyond = up.acknowledged() + 1;
    network.Until("what is pushed from now on is at the top, too",
                  [&] { return network["000000"].Operator().LocalRows(up.code()) >= beyond; });
    recovered.push_back(absl::Now() - started);
    const Client county = network["630102"].Editor();
    county.Try({subscribed_ ? "unsubscribe" : "subscribe", third});
    subscribed_ = !subscribed_;
  }

  void Run(int rounds) {
    for (Pusher* pusher : {&up, &down}) {
      pusher->Begin();
      for (Node* node : network.nodes()) {
        network.Until(absl::StrCat("the first rows are at ", node->place().name),
                      [&] { return node->Operator().LocalRows(pusher->code()) > 0; });
      }
    }
    for (int round = 0; round < rounds; ++round) {
      std::vector<Node*> victims = network.nodes();
      Round(*victims[round % victims.size()]);
    }
    up.End();
    down.End();
    CHECK(up.unexpected() == "");
    CHECK(down.unexpected() == "");
    network.Until("the county has the third", [&] {
      return network["630102"].Editor().Try({"subscribe", third}).ok();
    });
    network.UntilEqual(third, DigestOfCsv(network.folder().path() + "/third.csv"),
                       {&network["630102"]});
    int64_t acknowledged = 0;
    for (Pusher* pusher : {&up, &down}) {
      network.UntilEqual(pusher->code(), DigestOfCsv(pusher->File()), network.nodes());
      // One commit for each batch: none was taken twice, however often it was sent.
      CHECK(pusher->commit_last() == pusher->pushes());
      acknowledged += pusher->acknowledged();
    }
    for (Node* node : network.nodes()) {
      CHECK(node->Operator().Do({"verify"}).at("faults").empty());
    }
    std::sort(recovered.begin(), recovered.end());
    std::cout << rounds << " rounds of kill -9: " << acknowledged << " rows acknowledged in "
              << up.pushes() + down.pushes() << " batches (" << up.tries() + down.tries()
              << " tries, " << up.repeated() + down.repeated()
              << " answered as repeated), 0 lost, 0 taken twice; recovered after "
              << recovered[recovered.size() / 2] << " (p50), "
              << recovered[(recovered.size() * 99 - 1) / 100] << " (p99), " << recovered.back()
              << " (longest)" << std::endl;
  }

  Network network;
  std::mt19937 random;
  Pusher up;
  Pusher down;
  std::string third;
  std::vector<absl::Duration> recovered;

 private:
  // A dataset of that node, subscribed at all others.
  std::string Share(const std::string& division, const std::string& name) {
    const Client owner = network[division].Editor();
    const std::string code = owner.Publish(CodeAndName(name), network.folder().path());
    if (name == "第三") return code;
    for (Node* node : network.nodes()) {
      if (node->place().division == division) continue;
      network.Until("the entry is known", [&] {
        return node->Editor().Try({"subscribe", code}).ok();
      });
    }
    return code;
  }

  bool subscribed_ = false;
};

TEST_CASE("kill -9 of every node in turn at random moments during continuous pushes") {
  KillRounds rounds(20261121);
  rounds.Run(4);
}

TEST_CASE("a hundred rounds of kill -9", "[.][long]") {
  KillRounds rounds(20261122);
  rounds.Run(100);
}

}  // namespace
}  // namespace guantong::test
