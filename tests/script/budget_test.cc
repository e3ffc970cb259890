// The ladder of a child: log, snapshot, paused. What a parent keeps for it stays within its budget,
// and it comes back by itself.
#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/script/stage.h"

namespace guantong {
namespace {

// A is the origin, R keeps what X behind it wants.
struct Line {
  explicit Line(uint64_t budget) {
    EngineOptions relay;
    relay.child_disk_bytes = budget;
    stage.Add("A", "");
    stage.Add("R", "r", relay);
    stage.Add("X", "r/x");
    stage.Link("R", "A");
    stage.Link("X", "R");
    stage.Settle();
  }
  v1::LinkInfo LinkAt(const std::string& name, bool parent) {
    for (const v1::LinkInfo& link : stage.engine(name).Links()) {
      if (link.parent() == parent) return link;
    }
    return {};
  }
  uint64_t LogBytesAt(const std::string& name) {
    uint64_t bytes = 0;
    for (const v1::FeedInfo& feed : stage.engine(name).Feeds("")) {
      if (feed.feed().kind() == v1::FEED_KIND_ROWS) bytes += feed.log_bytes();
    }
    return bytes;
  }
  // Incompressible, so that bytes are bytes.
  std::string Noise(int n) {
    std::string text;
    uint64_t state = 88172645463325252u + static_cast<uint64_t>(n);
    while (text.size() < 4000) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      absl::StrAppend(&text, absl::Hex(state));
    }
    return text;
  }
  Stage stage;
};

TEST_CASE(
    "a child that is away costs its parent no more than its budget, and comes back by snapshot") {
  constexpr uint64_t kBudget = 64 << 10;
  Line line(kBudget);
  Stage& stage = line.stage;
  PlayedDataset d = OpenDataset(stage, "A", "D");
  SubscribeTo(stage, "X", d);
  PushTo(stage, d, {{"k0", "zero"}});
  stage.Settle();
  stage.Cut("X", "R");
  stage.Settle();
  for (int i = 0; i < 60; ++i) {
    PushTo(stage, d, {{absl::StrCat("k", i % 3), line.Noise(i)}}, absl::StrCat("push ", i));
    stage.Settle();
    REQUIRE(line.LogBytesAt("R") <= kBudget + (kBudget >> 3) + 8000);
  }
  stage.Said();
  stage.Link("X", "R");
  stage.Settle();
  CHECK(stage.Said().find("R -> X: manifest D") != std::string::npos);
  CHECK(RowsAt(stage, "X", d) == RowsAt(stage, "A", d));
  CHECK(line.LinkAt("R", false).disk_budget_bytes() == kBudget);
  CHECK(line.LinkAt("R", false).disk_bytes() <= kBudget);
}

TEST_CASE(
    "a child that wants more than its budget holds is paused, visibly on both sides, and goes on "
    "when there is room") {
  constexpr uint64_t kBudget = 32 << 10;
  Line line(kBudget);
  Stage& stage = line.stage;
  std::vector<PlayedDataset> datasets;
  for (int i = 0; i < 8; ++i) {
    datasets.push_back(OpenDataset(stage, "A", absl::StrCat("D", i)));
    SubscribeTo(stage, "X", datasets.back());
    stage.Settle();
    PushTo(stage, datasets.back(), {{"k1", line.Noise(i)}, {"k2", line.Noise(i + 100)}},
           absl::StrCat("push ", i));
    stage.Settle();
  }
  stage.Pass(absl::Minutes(2));
  CHECK(stage.Noticed("R", "has used up its disk budget"));
  CHECK(line.LinkAt("R", false).ladder() == "paused");
  CHECK(line.LinkAt("X", true).ladder() == "paused");
  CHECK(line.LogBytesAt("R") <= kBudget);
  // Its operator gives up what it does not need.
  for (int i = 0; i < 6; ++i) {
    stage.Step("X", Unsubscribe{.code = absl::StrCat("D", i, ":1"), .drop_data = true, .token = 1});
    stage.Settle();
  }
  stage.Pass(absl::Minutes(15));
  CHECK(line.LinkAt("R", false).ladder() != "paused");
  for (int i = 6; i < 8; ++i) {
    PushTo(stage, datasets[static_cast<size_t>(i)], {{"k3", "three"}},
           absl::StrCat("last push ", i));
    stage.Settle();
    CHECK(RowsAt(stage, "X", datasets[static_cast<size_t>(i)]) ==
          RowsAt(stage, "A", datasets[static_cast<size_t>(i)]));
  }
}

TEST_CASE("a child that does not take what it is sent holds a window of it and nothing more") {
  Stage stage;
  EngineOptions options;
  options.link_window_bytes = 20000;
  stage.Add("A", "", options);
  std::vector<std::string> children;
  PlayedDataset d = OpenDataset(stage, "A", "D");
  for (int i = 0; i < 64; ++i) {
    children.push_back(absl::StrCat("C", i));
    stage.Add(children.back(), absl::StrCat("c", i));
    stage.Link(children.back(), "A");
    SubscribeTo(stage, children.back(), d);
    stage.Settle();
  }
  // It reads, and its disk takes nothing: no acknowledgement.
  stage.HoldCommits("C0");
  for (int i = 0; i < 30; ++i) {
    PushTo(stage, d, {{absl::StrCat("k", i), std::string(4000, static_cast<char>('a' + i % 26))}},
           absl::StrCat("push ", i));
    stage.Settle();
  }
  for (const v1::LinkInfo& link : stage.engine("A").Links()) {
    if (link.path() == "c0") {
      CHECK(link.lag_bytes() <= options.link_window_bytes + 8000);
      CHECK(link.lag_records() > 0);
    } else {
      CHECK(link.lag_records() == 0);
    }
  }
  stage.ReleaseCommits("C0");
  stage.Pass(absl::Seconds(40));
  CHECK(RowsAt(stage, "C0", d) == RowsAt(stage, "A", d));
}

}  // namespace
}  // namespace guantong
