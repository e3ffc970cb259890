#include "tests/network/node.h"

#include <poll.h>
#include <signal.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/network/folder.h"
#include "tests/network/uscc.h"

namespace guantong::test {
namespace {

constexpr absl::Duration kStartWithin = absl::Seconds(20);
constexpr absl::Duration kStopWithin = absl::Seconds(20);

void Require(const Outcome& outcome, absl::string_view what) {
  if (!outcome.ok()) throw std::runtime_error(absl::StrCat(what, ": ", outcome.Text()));
}

}  // namespace

Node::Node(Place place, const std::string& folder, const Host* host)
    : place_(std::move(place)),
      host_(host),
      folder_(absl::StrCat(folder, "/", place_.division)),
      dir_(absl::StrCat(folder_, "/node")),
      log_(absl::StrCat(folder_, "/log")),
      port_(FreePort()),
      address_(absl::StrCat(host == nullptr ? "127.0.0.1" : host->address, ":", port_)) {
  std::filesystem::create_directories(folder_);
}

void Node::SetEnvironment(std::map<std::string, std::string> environment) {
  environment_ = std::move(environment);
}

void Node::Init(Node* parent) {
  std::vector<std::string> arguments = {"init",          "--dir",    dir_,        "--division",
                                        place_.division, "--name",   place_.name, "--level",
                                        place_.level,    "--listen", address_};
  if (parent == nullptr) {
    arguments.insert(arguments.end(), {"--root", "--approvals", absl::StrCat(approvals_)});
  } else {
    const auto invitation =
        parent->Operator().Do({"invite", "--division", place_.division, "--name", place_.name});
    const std::string token = invitation.at("token");
    const std::string label = invitation.at("label");
    path_ = parent->path().empty() ? label : absl::StrCat(parent->path(), "/", label);
    arguments.insert(arguments.end(), {"--join", parent->address(), "--token", token});
  }
  Require(Guantong(arguments, absl::Seconds(60), Around()), absl::StrCat("init of ", place_.name));
}

void Node::Start() {
  daemon_ = std::make_unique<Process>(ProcessOptions{
      .arguments = {absl::StrCat(programs_.empty() ? ProgramFolder() : programs_, "/guantongd"),
                    "--dir", dir_},
      .environment = environment_,
      .log = log_,
      .network_namespace = Around().network_namespace});
  pollfd ended = {daemon_->descriptor(), POLLIN, 0};
  const absl::Time deadline = absl::Now() + kStartWithin;
  while (!Accepts()) {
    if (poll(&ended, 1, 5) != 0 || absl::Now() > deadline) {
      throw std::runtime_error(absl::StrCat(place_.name, " does not start:\n", LogText()));
    }
  }
}

Surroundings Node::Around() const {
  return {host_ == nullptr ? -1 : host_->network_namespace, programs_};
}

bool Node::Accepts() const { return host_ == nullptr ? Listens(port_) : ListensIn(*host_, port_); }

void Node::Stop() {
  daemon_->Signal(SIGTERM);
  const Outcome outcome = daemon_->Wait(kStopWithin);
  Require(outcome, absl::StrCat("stop of ", place_.name, "\n", LogText()));
}

void Node::Kill() { daemon_->Kill(); }

Client Node::Operator() const { return {absl::StrCat(dir_, "/admin.yaml"), "", "", Around()}; }

Client Node::AddDepartment(const std::string& division, const std::string& name) {
  return Admit(division, name, "");
}

Client Node::AddSupervisor(const std::string& division, const std::string& name) {
  return Admit(division, name, "--supervising");
}

Client Node::Admit(const std::string& division, const std::string& name, const std::string& flag) {
  const std::string uscc = FictitiousUscc(division, ++departments_);
  const std::string out = absl::StrCat(folder_, "/", uscc);
  std::vector<std::string> arguments = {"department", "add",    "--uscc", uscc,    "--division",
                                        division,     "--name", name,     "--out", out};
  if (!flag.empty()) arguments.push_back(flag);
  Operator().Do(arguments);
  return {absl::StrCat(out, "/editor.yaml"), name, uscc, Around()};
}

Client Node::Editor() {
  if (editor_.profile().empty()) {
    editor_ = AddDepartment(place_.division, absl::StrCat(place_.name, "民政部门"));
  }
  return editor_;
}

std::string Node::LogText() const { return std::filesystem::exists(log_) ? ReadFile(log_) : ""; }

}  // namespace guantong::test
