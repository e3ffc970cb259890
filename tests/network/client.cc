#include "tests/network/client.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/network/folder.h"

namespace guantong::test {
namespace {

// Without the header; quotes and line ends are a matter of style.
constexpr char kDigestOfRows[] = " | tail -n +2 | tr -d '\"\\r' | sort | sha256sum";

std::vector<std::string> WithProgram(std::vector<std::string> arguments,
                                     const Surroundings& around) {
  const std::string folder = around.programs.empty() ? ProgramFolder() : around.programs;
  arguments.insert(arguments.begin(), absl::StrCat(folder, "/guantong"));
  return arguments;
}

std::vector<std::string> WithProfile(const std::string& profile, std::vector<std::string> arguments,
                                     const Surroundings& around) {
  if (std::find(arguments.begin(), arguments.end(), "-o") == arguments.end()) {
    arguments.insert(arguments.begin(), {"-o", "json"});
  }
  arguments.insert(arguments.begin(), {"--profile", profile});
  return WithProgram(std::move(arguments), around);
}

}  // namespace

Outcome Guantong(const std::vector<std::string>& arguments, absl::Duration limit,
                 const Surroundings& around) {
  return Run(
      {.arguments = WithProgram(arguments, around), .network_namespace = around.network_namespace},
      limit);
}

nlohmann::json ErrorOf(const Outcome& outcome) {
  const size_t end = outcome.err.find_last_not_of('\n');
  if (end == std::string::npos) return nlohmann::json::object();
  const size_t before = outcome.err.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const auto document = nlohmann::json::parse(outcome.err.substr(begin, end + 1 - begin), nullptr,
                                              /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("error")) return nlohmann::json::object();
  return document["error"];
}

std::string ReasonOf(const Outcome& outcome) { return ErrorOf(outcome).value("reason", ""); }

Client::Client(std::string profile, std::string department, std::string uscc, Surroundings around)
    : profile_(std::move(profile)),
      department_(std::move(department)),
      uscc_(std::move(uscc)),
      around_(std::move(around)) {}

Client Client::Approver() const {
  const std::string folder = profile_.substr(0, profile_.rfind('/'));
  return {absl::StrCat(folder, "/approver.yaml"), department_, uscc_, around_};
}

Client Client::With(const std::string& profile) const {
  return {profile, department_, uscc_, around_};
}

Outcome Client::Try(const std::vector<std::string>& arguments, absl::Duration limit) const {
  return Run({.arguments = WithProfile(profile_, arguments, around_),
              .network_namespace = around_.network_namespace},
             limit);
}

nlohmann::json Client::Do(const std::vector<std::string>& arguments, absl::Duration limit) const {
  const Outcome outcome = Try(arguments, limit);
  if (!outcome.ok()) {
    throw std::runtime_error(absl::StrCat("guantong ", absl::StrJoin(arguments, " "), " with ",
                                          profile_, ": ", outcome.Text()));
  }
  return outcome.json();
}

std::unique_ptr<Process> Client::Start(const std::vector<std::string>& arguments) const {
  return std::make_unique<Process>(
      ProcessOptions{.arguments = WithProfile(profile_, arguments, around_),
                     .network_namespace = around_.network_namespace});
}

std::string Client::Publish(const Entry& entry, const std::string& folder) const {
  const std::string file = absl::StrCat(folder, "/", uscc_, ".yaml");
  Shell(
      absl::StrCat("cat >'", file, "' <<'YAML'\n", EntryYaml(entry, department_, uscc_), "YAML\n"));
  const std::string code = Do({"catalog", "register", file}).at("code");
  Do({"catalog", "publish", code});
  return code;
}

std::string Client::LocalDigest(const std::string& code) const {
  const std::vector<std::string> query =
      WithProfile(profile_, {"-o", "csv", "query", code, "--local", "--all"}, around_);
  std::string line;
  for (const std::string& argument : query) absl::StrAppend(&line, "'", argument, "' ");
  const Outcome digest =
      Run({.arguments = {"/bin/bash", "-c",
                         absl::StrCat("set -o pipefail; ", line, "2>/dev/null", kDigestOfRows)},
           .environment = {{"LC_ALL", "C"}},
           .network_namespace = around_.network_namespace});
  return digest.ok() ? digest.out.substr(0, digest.out.find(' ')) : "";
}

int64_t Client::LocalRows(const std::string& code) const {
  const Outcome counted = Try({"query", code, "--local", "--count"});
  return counted.ok() ? std::stoll(counted.json().at("total").get<std::string>()) : -1;
}

std::string DigestOfCsv(const std::string& file) {
  const std::string digest = Shell(absl::StrCat("cat '", file, "'", kDigestOfRows));
  return digest.substr(0, digest.find(' '));
}

}  // namespace guantong::test
