// What a question costs, in instructions: where its rows are, gathered with others and held against
// the rules, and where its asker stands.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "node/gathering.h"
#include "node/query.h"
#include "tests/catch.h"
#include "tests/unit/instructions.h"
#include "tests/unit/lone_node.h"

namespace guantong {
namespace {

constexpr int kRows = 2000;
constexpr int kTogether = 32;
constexpr int kTimes = 50;
// Half as much again as was counted.
constexpr int64_t kGatheredCostMax = 77'000;
constexpr int64_t kHereMax = 75'000;

v1::QueryRequest RowOf(const std::string& code, int row) {
  v1::QueryRequest request;
  request.set_code(code);
  request.set_where(absl::StrCat("code = '", 100'000 + row * 7919 % kRows, "'"));
  return request;
}

}  // namespace

struct AskedNode {
  AskedNode() : code(node.Publish()) {
    LoneNode::Rows rows;
    for (int i = 0; i < kRows; ++i)
      rows.push_back({absl::StrCat(100'000 + i), "城东区第一社区", absl::StrCat(i)});
    GT_CHECK(node.Push(node.Open(code, v1::PUSH_MODE_UPSERT), rows).ok());
  }
  LoneNode node;
  const std::string code;
};

// What valgrind counts.
__attribute__((noinline)) void CostOfGathered(AskedNode& asked);
__attribute__((noinline)) void CostOfAskingHere(AskedNode& asked);

void CostOfGathered(AskedNode& asked) {
  for (int time = 0; time < kTimes; ++time) {
    v1::GatheredCalls calls;
    for (int i = 0; i < kTogether; ++i) {
      v1::GatheredCall& call = *calls.add_calls();
      call.set_method("query");
      call.set_body(RowOf(asked.code, time * kTogether + i).SerializeAsString());
    }
    const auto replies =
        asked.node.AskFromAfar<v1::GatheredReplies>(kGatheredMethod, calls.SerializeAsString());
    GT_CHECK(replies.ok() && replies->replies_size() == kTogether);
    for (const v1::GatheredReply& reply : replies->replies()) GT_CHECK(reply.code() == 0);
  }
}

void CostOfAskingHere(AskedNode& asked) {
  int answered = 0;
  for (int i = 0; i < kTimes * kTogether; ++i) {
    asked.node.questions().QueryBytes(
        asked.node.Editor(), RowOf(asked.code, i), absl::InfiniteFuture(),
        [&answered](const absl::StatusOr<std::string>& made) { answered += made.ok() ? 1 : 0; });
  }
  GT_CHECK(answered == kTimes * kTogether);
}

namespace {

TEST_CASE("the questions whose cost is counted", "[.]") {
  AskedNode asked;
  CostOfGathered(asked);
  CostOfAskingHere(asked);
}

TEST_CASE("a question costs few instructions, gathered or where its asker stands") {
  if (const std::string why = test::CannotCountInstructions(); !why.empty()) GUANTONG_SKIP(why);
  const auto count = [](const char* function) {
    return test::InstructionsOf(function, "the questions whose cost is counted") /
           (kTimes * kTogether);
  };
  const int64_t gathered = count("CostOfGathered");
  const int64_t here = count("CostOfAskingHere");
  INFO("gathered: " << gathered << ", asked here: " << here);
  CHECK(gathered > 0);
  CHECK(gathered < kGatheredCostMax);
  CHECK(here > 0);
  CHECK(here < kHereMax);
}

}  // namespace
}  // namespace guantong
