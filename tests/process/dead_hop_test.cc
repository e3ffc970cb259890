// A node on the way is gone: questions over it are answered at once, what needs it not goes on, and
// all is well when it is back.
#include <iostream>

#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

TEST_CASE("a dead hop answers unavailable within a second, and works when it is back") {
  Network network(FourLevels());
  Node& national = network["000000"];
  Node& province = network["630000"];
  const Client county = network["630102"].Editor();
  const Client top = national.Editor();
  const std::string code = county.Publish(CodeAndName("城东区名录"), network.folder().path());
  county.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"))});
  network.Until("the top can ask the county", [&] { return top.Try({"query", code}).ok(); });
  top.Do({"subscribe", code});
  network.Until("the top has a copy", [&] { return top.LocalRows(code) == 10; });

  province.Kill();
  network.Until("the top has noticed", [&] {
    return national.Operator().Do({"links"}).at("links")[0].at("state") != "up";
  });
  const Outcome refused = top.Try({"query", code});
  std::cout << "answered after " << absl::FormatDuration(refused.took) << " (promised 1 s)"
            << std::endl;
  CHECK(refused.exit_status == 5);
  CHECK(ReasonOf(refused) == "hop_down");
  CHECK(ErrorOf(refused).value("message", "").find("unavailable at") != std::string::npos);
  CHECK(ErrorOf(refused).value("message", "").find("630000") != std::string::npos);
  CHECK(refused.took < absl::Seconds(5));

  // Below the gap everything that stays below goes on: push, own query, a query of the city.
  const Client city = network["630100"].Editor();
  CHECK(county.Try({"push", code, network.folder().File("more.csv", CodeAndNameRows(10, 20, "乙"))})
            .ok());
  CHECK(city.Do({"query", code}).at("rows").size() == 20);

  province.Start();
  network.UntilLinked(province);
  const absl::Duration caught_up = network.Until("what was pushed meanwhile is at the top",
                                                 [&] { return top.LocalRows(code) == 20; });
  std::cout << "caught up " << absl::FormatDuration(caught_up)
            << " after the link's return (promised 2 s)" << std::endl;
  CHECK(caught_up < absl::Seconds(10));
  network.Until("the top can ask again", [&] { return top.Try({"query", code}).ok(); });
  CHECK(top.Do({"query", code}).at("rows").size() == 20);
}

TEST_CASE("a frozen hop costs a caller its own time and no more") {
  Network network(FourLevels());
  Node& province = network["630000"];
  const Client county = network["630102"].Editor();
  const Client top = network["000000"].Editor();
  const std::string code = county.Publish(CodeAndName("城东区名录"), network.folder().path());
  county.Do({"push", code, network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"))});
  network.Until("the top can ask the county", [&] { return top.Try({"query", code}).ok(); });

  province.Pause();
  const Outcome late = top.Try({"--timeout", "2s", "query", code});
  CHECK(late.exit_status == 5);
  CHECK(late.took < absl::Seconds(6));
  const absl::Duration noticed = network.Until("the top has given the link up", [&] {
    const Outcome refused = top.Try({"--timeout", "2s", "query", code});
    return ReasonOf(refused) == "hop_down";
  });
  std::cout << "frozen link given up after " << absl::FormatDuration(late.took + noticed)
            << std::endl;

  province.Resume();
  network.Until("the top can ask again", [&] { return top.Try({"query", code}).ok(); });
}

}  // namespace
}  // namespace guantong::test
