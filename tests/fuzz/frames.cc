#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "catalog/base/status.h"
#include "tests/fuzz/targets.h"
#include "tests/script/stage.h"

namespace guantong::fuzz {

namespace {

constexpr size_t kFramesMax = 24;

// Each frame: a byte of choices, two bytes of length, the bytes.
struct Dealt {
  bool to_parent;
  bool wait;
  std::string bytes;
};

std::vector<Dealt> Deal(absl::string_view input) {
  std::vector<Dealt> frames;
  while (input.size() >= 3 && frames.size() < kFramesMax) {
    const auto choice = static_cast<unsigned char>(input[0]);
    const size_t length = static_cast<unsigned char>(input[1]) |
                          static_cast<size_t>(static_cast<unsigned char>(input[2])) << 8;
    input.remove_prefix(3);
    frames.push_back({.to_parent = (choice & 1) != 0,
                      .wait = (choice & 2) != 0,
                      .bytes = std::string(input.substr(0, length))});
    input.remove_prefix(std::min(length, input.size()));
  }
  return frames;
}

}  // namespace

void Frames(absl::string_view input) {
  const std::vector<Dealt> frames = Deal(input);
  if (frames.empty()) return;
  // The liar stands between the root and a leaf; another child of the root is the bystander.
  Stage stage;
  stage.Add("A", "");
  stage.Add("B", "b");
  stage.Add("C", "c");
  stage.Add("D", "b/d");
  stage.Link("B", "A");
  stage.Link("C", "A");
  stage.Link("D", "B");
  PlayedDataset d = OpenDataset(stage, "A", "Q");
  PlayedDataset e = OpenDataset(stage, "D", "R");
  SubscribeTo(stage, "C", d);
  SubscribeTo(stage, "D", d);
  SubscribeTo(stage, "A", e);
  PushTo(stage, d, {{"k1", "one"}});
  PushTo(stage, e, {{"k1", "one"}});
  stage.Settle();
  bool linked[2] = {true, true};
  for (const Dealt& frame : frames) {
    const std::string to = frame.to_parent ? "A" : "D";
    if (!linked[frame.to_parent ? 1 : 0]) continue;
    stage.Said();
    stage.InjectBytes("B", to, frame.bytes);
    stage.Settle();
    if (frame.wait) stage.Pass(absl::Seconds(2));
    if (absl::StrContains(stage.Said(), to + " closes the link"))
      linked[frame.to_parent ? 1 : 0] = false;
  }
  // What it announced and does not show is waited for half a minute; then everybody goes on as if
  // it had not been said.
  stage.Pass(absl::Seconds(36));
  if (linked[1]) stage.Cut("B", "A");
  PushTo(stage, d, {{"k2", "two"}}, "after");
  stage.Pass(absl::Seconds(2));
  const std::string rows = RowsAt(stage, "A", d);
  GT_CHECK(rows == "k1=one k2=two");
  GT_CHECK(RowsAt(stage, "C", d) == rows);
  GT_CHECK(RowsAt(stage, "D", e) == "k1=one");
}

}  // namespace guantong::fuzz
