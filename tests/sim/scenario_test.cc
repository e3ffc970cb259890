// Scenarios as files: what composes how, and what is said about a bad one. The shape of the
// country.
#include "tests/sim/scenario.h"

#include <filesystem>
#include <numeric>

#include "tests/catch.h"
#include "tests/sim/shape.h"

namespace guantong::sim {
namespace {

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, "x.txt");
  return scenario.ok() ? "" : std::string(scenario.status().message());
}

TEST_CASE("every scenario file loads and says what it is about") {
  const std::vector<std::string> names = ScenarioNames();
  CHECK(names.size() > 10);
  for (const std::string& name : names) {
    const absl::StatusOr<Scenario> scenario = LoadScenario(name);
    INFO(name << ": " << scenario.status().message());
    REQUIRE(scenario.ok());
    CHECK_FALSE(scenario->about().empty());
  }
}

TEST_CASE("what is said later counts, and lists replace each other") {
  const absl::StatusOr<Scenario> scenario = ParseScenario(R"(
    include: "crashes"
    include: "small"
    faults { cut_every_s: 9 }
    shape { fan_out: 3 }
  )",
                                                          "x.txt");
  REQUIRE(scenario.ok());
  CHECK(scenario->faults().crash_every_s() == 6);
  CHECK(scenario->faults().cut_every_s() == 9);
  CHECK(scenario->work().datasets() == 3);
  CHECK(scenario->shape().fan_out_size() == 1);
  CHECK(LoadScenario("crashes/small")->shape().fan_out_size() == 3);
}

TEST_CASE("a bad scenario is named by file, line and cause") {
  CHECK(ErrorOf("about: \"x\"\nwork {\n  pushes: 3\n}\n") ==
        "x.txt:3: Message type \"guantong.sim.WorkPlan\" has no field named \"pushes\".");
  CHECK(ErrorOf("faults {\n  cut_every_s: -1\n}") == "x.txt:2: cut_every_s is negative");
  CHECK(ErrorOf("\nweather { loss_chance: 1.5 }") == "x.txt:2: loss_chance is a chance, at most 1");
  CHECK_THAT(ErrorOf("\n\ninclude: \"none\""), Catch::StartsWith("x.txt:3: include \"none\": "));
  CHECK_THAT(ErrorOf("work { lasts_s: soon }"), Catch::StartsWith("x.txt:1: "));
  CHECK_THAT(LoadScenario("calm/none").status().message().data(),
             Catch::Contains("there is no such scenario"));
}

size_t Count(const std::vector<Province>& provinces, size_t* cities, size_t* counties) {
  *cities = *counties = 0;
  for (const Province& province : provinces) {
    *cities += province.counties.size();
    *counties +=
        static_cast<size_t>(std::accumulate(province.counties.begin(), province.counties.end(), 0));
  }
  return provinces.size();
}

TEST_CASE("the stored country has its 31, 342 and 2,978 divisions") {
  size_t cities = 0, counties = 0;
  CHECK(Count(StoredCountry(), &cities, &counties) == 31);
  CHECK(cities == 342);
  CHECK(counties == 2978);
}

TEST_CASE("the country of the division list has as many") {
  const std::string folder = DivisionsFolder();
  if (!std::filesystem::exists(folder))
    GUANTONG_SKIP("no public data: divisions (set GUANTONG_DATA)");
  size_t cities = 0, counties = 0;
  CHECK(Count(CountryFrom(folder), &cities, &counties) == 31);
  CHECK(cities == 342);
  CHECK(counties == 2978);
}

}  // namespace
}  // namespace guantong::sim
