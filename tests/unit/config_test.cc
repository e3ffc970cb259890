#include "node/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include "catalog/base/status.h"
#include "tests/catch.h"

namespace guantong {
namespace {

Environment Nothing() {
  return [](const char*) -> const char* { return nullptr; };
}

constexpr char kQinghai[] = R"(listen: 0.0.0.0:7443
division: "630000"
name: 青海省
level: province
parent: gov.example:7443
)";

TEST_CASE("a configuration with its defaults") {
  const auto config = ParseConfig(kQinghai, "node.yaml", Nothing());
  REQUIRE(config.ok());
  CHECK(config->listen == "0.0.0.0:7443");
  CHECK(config->advertise == "0.0.0.0:7443");
  CHECK(config->level == v1::LEVEL_PROVINCE);
  CHECK(config->catalog_scope == v1::SEARCH_SCOPE_BRANCH);
  CHECK(config->data_dir == "store");
  CHECK(config->approvals == 0);
}

TEST_CASE("a configuration that is printed reads back equal") {
  auto config = ParseConfig(kQinghai, "node.yaml", Nothing());
  REQUIRE(config.ok());
  config->name = "null";
  config->approvals = 2;
  config->catalog_scope = v1::SEARCH_SCOPE_COUNTRY;
  const std::string text = PrintConfig(*config);
  const auto read = ParseConfig(text, "again", Nothing());
  REQUIRE(read.ok());
  CHECK(PrintConfig(*read) == text);
  CHECK(read->name == "null");
  CHECK(read->division == "630000");
}

TEST_CASE("the environment overrides the file and is checked alike") {
  std::map<std::string, std::string> set = {{"GUANTONG_LISTEN", "127.0.0.1:9"},
                                            {"GUANTONG_CATALOG_SCOPE", "country"}};
  const Environment environment = [&set](const char* name) -> const char* {
    const auto found = set.find(name);
    return found == set.end() ? nullptr : found->second.c_str();
  };
  const auto config = ParseConfig(kQinghai, "node.yaml", environment);
  REQUIRE(config.ok());
  CHECK(config->listen == "127.0.0.1:9");
  CHECK(config->advertise == "127.0.0.1:9");
  CHECK(config->catalog_scope == v1::SEARCH_SCOPE_COUNTRY);

  set = {{"GUANTONG_APPROVALS", "3"}};
  const auto wrong = ParseConfig(kQinghai, "node.yaml", environment);
  CHECK(DetailOf(wrong.status()).subject == "GUANTONG_APPROVALS");
}

TEST_CASE("a mistake in the configuration names its line") {
  const std::string good(kQinghai);
  struct Bad {
    std::string text;
    const char* reason;
    const char* place;
  };
  const Bad bad[] = {
      {good + "lisen: x\n", "key_unknown", "node.yaml:6"},
      {good + "approvals: 3\n", "value_malformed", "node.yaml:6"},
      {good + "approvals: many\n", "value_malformed", "node.yaml:6"},
      {good + "catalog_scope: world\n", "value_malformed", "node.yaml:6"},
      {good + "catalog_scope: unspecified\n", "value_malformed", "node.yaml:6"},
      {good + "data_dir: [a]\n", "value_malformed", "node.yaml:6"},
      {good + "name: again\n", "key_repeated", "node.yaml:6"},
      {good + "log_level: loud\n", "value_malformed", "node.yaml"},
      {good + "advertise: nowhere\n", "value_malformed", "node.yaml"},
      {"- a\n", "value_malformed", "node.yaml:1"},
      {"listen: [", "form_malformed", "node.yaml:1"},
      {"listen: a:1\n", "value_missing", "node.yaml"},
      {"listen: a:1\nname: n\nlevel: city\ndivision: 63000\n", "value_malformed", "node.yaml"},
  };
  for (const Bad& one : bad) {
    INFO(one.text);
    const auto config = ParseConfig(one.text, "node.yaml", Nothing());
    REQUIRE_FALSE(config.ok());
    INFO(config.status().message());
    CHECK(DetailOf(config.status()).reason == one.reason);
    CHECK(DetailOf(config.status()).subject == one.place);
  }
}

TEST_CASE("addresses of nodes") {
  CHECK(ParseHostPort("10.1.2.3:7443")->port == 7443);
  CHECK(ParseHostPort("[2001:db8::1]:7443")->host == "2001:db8::1");
  CHECK(ParseHostPort("node.gov.example:0")->host == "node.gov.example");
  for (const char* bad : {"", "host", "host:", ":1", "host:65536", "host:-1", "host:1x", "::1:7443",
                          "[host]:1", "[::1]", "a b:1", "host:1 ", "http://host:1"}) {
    INFO(bad);
    CHECK(DetailOf(ParseHostPort(bad).status()).reason == "address_malformed");
  }
  CHECK(LocalAddress("0.0.0.0:1") == "127.0.0.1:1");
  CHECK(LocalAddress("[::]:1") == "[::1]:1");
  CHECK(LocalAddress("10.1.2.3:1") == "10.1.2.3:1");
}

TEST_CASE("a node's configuration is written once") {
  namespace fs = std::filesystem;
  const fs::path dir =
      fs::temp_directory_path() / ("guantong_config_" + std::to_string(::getpid()));
  fs::create_directory(dir);
  CHECK(DetailOf(LoadConfig(dir.string(), Nothing()).status()).reason == "file_absent");
  auto config = *ParseConfig(kQinghai, "node.yaml", Nothing());
  REQUIRE(SaveConfig(dir.string(), config).ok());
  CHECK(LoadConfig(dir.string(), Nothing())->name == "青海省");
  CHECK(DetailOf(SaveConfig(dir.string(), config)).reason == "file_exists");
  // Nothing staged is left behind.
  CHECK(std::distance(fs::directory_iterator(dir), fs::directory_iterator()) == 1);
  config.listen = "";
  CHECK(DetailOf(SaveConfig(dir.string(), config)).reason == "value_missing");
  CHECK(DetailOf(
            SaveConfig((dir / "absent").string(), *ParseConfig(kQinghai, "node.yaml", Nothing())))
            .reason == "file_unwritable");
  fs::remove_all(dir);
}

}  // namespace
}  // namespace guantong
