// Many questions on one stream, over three hops: each has its own answer, no check is left out, and
// the stream ends with its asker's rights or its node.
#include "node/cli/question_stream.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"
#include "node/limits.h"
#include "tests/bench/push.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

using Outcome = absl::StatusOr<v1::QueryResponse>;

v1::QueryRequest RowOf(const std::string& code, int row) {
  v1::QueryRequest request;
  request.set_code(code);
  request.set_where(absl::StrFormat("code = '%09d'", row));
  return request;
}

// All asked at once; the answers in order.
std::vector<Outcome> AskAll(QuestionStream& stream, const std::vector<v1::QueryRequest>& requests) {
  std::mutex mutex;
  std::condition_variable all;
  size_t answered = 0;
  std::vector<Outcome> outcomes(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    stream.Ask(requests[i], absl::Seconds(20), [&, i](Outcome outcome) {
      const std::lock_guard<std::mutex> lock(mutex);
      outcomes[i] = std::move(outcome);
      if (++answered == requests.size()) all.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  all.wait(lock, [&] { return answered == requests.size(); });
  return outcomes;
}

std::string ReasonOf(const Outcome& outcome) { return DetailOf(outcome.status()).reason; }

TEST_CASE("many questions on one stream have each its own answer, and no check is left out") {
  Network network(FourLevels());
  Node& county = network["630102"];
  Node& top = network["000000"];
  const Client editor = county.Editor();
  const std::string code = editor.Publish(CodeAndName("城东区名录"), network.folder().path());
  constexpr int kRows = 1000;
  editor.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, kRows, "甲"))});
  Entry closed = CodeAndName("内部名录");
  closed.sharing = "not_shared";
  closed.basis = "《条例》第九条";
  const std::string withheld = editor.Publish(closed, network.folder().path());
  editor.Do({"push", withheld, network.folder().File("few.csv", CodeAndNameRows(0, 10, "乙"))});
  const Client asker = top.Editor();
  network.Until("the top knows both entries", [&] {
    return asker.Try({"catalog", "show", code}).ok() &&
           asker.Try({"catalog", "show", withheld}).ok();
  });

  QuestionStream stream(bench::Connect(bench::ProfileOf(asker)));
  // More than the node reads before it has answered some.
  std::vector<v1::QueryRequest> requests;
  for (size_t i = 0; i < 3 * kQuestionsOpenMax; ++i) {
    requests.push_back(i % 10 == 9 ? RowOf(withheld, 1)
                                   : RowOf(code, static_cast<int>(i * 7) % kRows));
  }
  const std::vector<Outcome> outcomes = AskAll(stream, requests);
  int wrong = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    const std::string key = absl::StrFormat("%09d", static_cast<int>(i * 7) % kRows);
    const bool right = i % 10 == 9
                           ? ReasonOf(outcome) == "not_shared"
                           : outcome.ok() && outcome->rows_size() == 1 &&
                                 outcome->rows(0).values(0) == key && outcome->hops_size() == 4 &&
                                 outcome->answered_by() == "630000/630100/630102";
    if (!right && ++wrong == 1) UNSCOPED_INFO(i << ": " << outcome.status());
  }
  CHECK(wrong == 0);

  // A hop that is gone is told of each, and the stream goes on.
  network["630100"].Kill();
  network.Until("the hop is missed",
                [&] { return ReasonOf(AskAll(stream, {RowOf(code, 1)})[0]) == "hop_down"; });
  for (const Outcome& outcome : AskAll(stream, {RowOf(code, 1), RowOf(code, 2)})) {
    CHECK(ReasonOf(outcome) == "hop_down");
  }
  network["630100"].Start();
  network.Until("the way is back", [&] { return AskAll(stream, {RowOf(code, 1)})[0].ok(); });

  // An open stream holds up no stop; afterwards it is begun anew.
  const absl::Time begun = absl::Now();
  top.Stop();
  CHECK(absl::Now() - begun < absl::Seconds(10));
  CHECK(absl::IsUnavailable(AskAll(stream, {RowOf(code, 1)})[0].status()));
  top.Start();
  network.Until("the node is back", [&] { return AskAll(stream, {RowOf(code, 1)})[0].ok(); });
}

TEST_CASE("a stream of questions ends with its asker's profile") {
  Network network({{"630000", "青海省", "province", ""}});
  const Client editor = network["630000"].Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  editor.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"))});
  const std::string folder = absl::StrCat(network.folder().path(), "/wang");
  const std::string id =
      editor.Approver()
          .Do({"person", "add", "--name", "王芳", "--role", "editor", "--out", folder})
          .at("person")
          .at("id");
  QuestionStream stream(
      bench::Connect(bench::ProfileOf(editor.With(absl::StrCat(folder, "/editor.yaml")))));
  REQUIRE(AskAll(stream, {RowOf(code, 1)})[0].ok());
  editor.Approver().Do({"person", "disable", id});
  for (const Outcome& outcome : AskAll(stream, {RowOf(code, 1), RowOf(code, 2)})) {
    CHECK(absl::IsPermissionDenied(outcome.status()));
    CHECK(ReasonOf(outcome) == "person_disabled");
  }
}

}  // namespace
}  // namespace guantong::test
