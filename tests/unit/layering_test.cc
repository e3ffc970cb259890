// The architecture as a test. The floors of the house are folders, and an arrow is an #include line
// (an import line in a .proto); every rule below says what may not be seen from where, and
// *because* of what. Link lines say the same to CMake, but a header needs no link line to leak a
// floor, hence this test.
//
// A rule is data: where it holds, what it forbids, why. To change the architecture, change the
// table.

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace {

namespace fs = std::filesystem;

struct Rule {
  std::string
      files;  // regular expression over the path of the including file, from the repository root
  std::string forbidden;  // regular expression over the included path
  std::string because;
};

const std::vector<Rule>& IncludeRules() {
  static const std::vector<Rule> rules = {
      {"^proto/guantong/v1/", "^guantong/storage/",
       "what is stored but never sent must stay free to change without touching the wire"},
      {"^catalog/base/", "^catalog/(?!base/)",
       "base is the lowest floor of code: what everyone stands on stands on the protos alone"},
      {"^catalog/", "^(relay|node)/",
       "facts do not know how they move, nor which process holds them"},
      {"^catalog/(?!rocks/)", "^catalog/rocks/",
       "the store seam is narrow only as long as the catalogue cannot reach behind it"},
      {"^(catalog|relay/core)/", R"(^grpc(pp)?/|\.grpc\.pb\.h$)",
       "facts and protocol are tested and simulated without a network, and compile without its "
       "headers"},
      {"^relay/", "^node/", "the relay is driven by the process and never calls back up into it"},
      {"^relay/core/", "^relay/grpc/",
       "the protocol core is pure, so that thousands of nodes can be simulated in one process"},
      {"^relay/", "^catalog/rocks/",
       "which engine stores the facts is decided once, in node; the relay sees the seam"},
      {"^(?!catalog/rocks/)", "^rocksdb/",
       "one folder knows RocksDB, so that a level can outgrow one machine with another engine"},
      {"^node/(?!cli/|guantong\\.cc$)", "^node/cli/",
       "the command line is a client of the node; the node does not know it"},
      {"^(catalog|relay|node)/", "^tests/", "production code must build without its tests"},
      {"^(?!tests/catch\\.h$)", "^catch2/",
       "tests reach the framework through tests/catch.h alone, so that Catch v3 is a one-line "
       "change"},
  };
  return rules;
}

// An include in quotes that does not start at the root hides its floor from every rule above.
const std::regex& RootedQuote() {
  static const std::regex rooted(
      "^(catalog|relay|node|tests|guantong|"
      "absl|CLI|google|grpc|grpcpp|nlohmann|openssl|rocksdb|unicode|yaml-cpp)/");
  return rooted;
}

// Where one source line points to, or empty. Sets `quoted` for #include "...".
std::string Target(const std::string& line, bool* quoted) {
  static const std::regex include(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  static const std::regex import(R"re(^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;)re");
  std::smatch match;
  *quoted = false;
  if (std::regex_search(line, match, include)) {
    *quoted = match[1] == "\"";
    return match[2];
  }
  return std::regex_search(line, match, import) ? match[1].str() : "";
}

// One message per broken rule; empty when `line` of `file` is in order.
std::string BrokenRules(const std::string& file, const std::string& line) {
  bool quoted = false;
  const std::string target = Target(line, &quoted);
  if (target.empty()) return "";
  std::ostringstream broken;
  for (const Rule& rule : IncludeRules()) {
    if (std::regex_search(file, std::regex(rule.files)) &&
        std::regex_search(target, std::regex(rule.forbidden))) {
      broken << file << " must not include " << target << ", because " << rule.because << "\n";
    }
  }
  if (quoted && !std::regex_search(target, RootedQuote())) {
    broken << file << " must include \"" << target
           << "\" by its path from the repository root, because a relative path hides its floor\n";
  }
  return broken.str();
}

// Empty, or what is wrong with the name of a file or folder.
std::string BrokenName(const std::string& file) {
  static const std::regex drawer("(^|[/_.-])(utils?|common|helpers?|managers?|impl|misc)([/_.-]|$)",
                                 std::regex::icase);
  std::smatch match;
  if (!std::regex_search(file, match, drawer)) return "";
  return file + " must not be called \"" + match[2].str() +
         "\", because a drawer without a noun collects what nobody finds again: name what is in "
         "it\n";
}

std::vector<std::string> OurFiles() {
  const fs::path root(GUANTONG_SOURCE_DIR);
  std::vector<std::string> files;
  for (const char* folder : {"proto", "catalog", "relay", "node", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::end(it); ++it) {
      const std::string name = it->path().filename().string();
      // What others wrote, or a tool generated, keeps its names.
      if (it->is_directory() && (name == "node_modules" || name == "dist")) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file()) {
        files.push_back(fs::relative(it->path(), root).generic_string());
      }
    }
  }
  return files;
}

// Where types are defined at namespace level: "guantong::search::View" -> files. What is in an
// unnamed namespace is nobody else's.
using Definitions = std::map<std::string, std::set<std::string>>;

void AddDefinitions(const std::string& file, std::istream& in, Definitions* definitions) {
  static const std::regex type(R"(^(?:class|struct|enum class|enum)\s+(\w+)(?:\s+final)?\s*(.*))");
  static const std::regex space(R"(^(?:inline )?namespace\s*([\w:]*)\s*\{)");
  std::vector<std::string> spaces;
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("}  // namespace", 0) == 0 && !spaces.empty()) spaces.pop_back();
    if (line.find("namespace") != std::string::npos && std::regex_search(line, match, space)) {
      spaces.push_back(match[1]);
    }
    if (!std::regex_match(line, match, type)) continue;
    const std::string rest = match[2];
    // Else only declared, or within another type.
    if (!rest.empty() && rest[0] != '{' && !(rest[0] == ':' && rest[1] != ':')) continue;
    std::string name;
    bool unnamed = false;
    for (const std::string& inner : spaces) {
      unnamed |= inner.empty();
      name += inner + "::";
    }
    if (!unnamed) (*definitions)[name + match[1].str()].insert(file);
  }
}

// One message per name that two files give to types of their own.
std::string SharedNames(const Definitions& definitions) {
  std::string shared;
  for (const auto& [name, files] : definitions) {
    if (files.size() < 2) continue;
    shared += name + " is defined in";
    for (const std::string& file : files) shared += " " + file;
    shared += ", and the linker keeps one destructor for both: rename one\n";
  }
  return shared;
}

bool IsSource(const std::string& file) {
  static const std::regex source(R"(\.(cc|h|proto)$)");
  return std::regex_search(file, source);
}

TEST_CASE("no include points up a floor") {
  std::string broken;
  for (const std::string& file : OurFiles()) {
    if (!IsSource(file)) continue;
    std::ifstream in(fs::path(GUANTONG_SOURCE_DIR) / file);
    for (std::string line; std::getline(in, line);) {
      // The regular expressions are slow; nearly no line is an include.
      if (line.find("include") == std::string::npos && line.find("import") == std::string::npos) {
        continue;
      }
      broken += BrokenRules(file, line);
    }
  }
  INFO(broken);
  CHECK(broken.empty());
}

TEST_CASE("no two types have one name") {
  Definitions definitions;
  for (const std::string& file : OurFiles()) {
    if (!IsSource(file) || file.rfind("proto/", 0) == 0) continue;
    std::ifstream in(fs::path(GUANTONG_SOURCE_DIR) / file);
    AddDefinitions(file, in, &definitions);
  }
  CHECK(definitions.size() > 200);
  const std::string shared = SharedNames(definitions);
  INFO(shared);
  CHECK(shared.empty());
}

TEST_CASE("types of one name are found, others are not") {
  const auto shared = [](const std::string& one, const std::string& other) {
    Definitions definitions;
    std::istringstream first(one);
    std::istringstream second(other);
    AddDefinitions("one.h", first, &definitions);
    AddDefinitions("other.h", second, &definitions);
    return !SharedNames(definitions).empty();
  };
  const auto in = [](const std::string& space, const std::string& type) {
    return "namespace " + space + " {\n" + type + "\n}  // namespace " + space + "\n";
  };
  CHECK(shared(in("guantong", "class Calls {"), in("guantong", "struct Calls {")));
  CHECK(shared(in("guantong", "class Calls final : public Desk {"),
               in("guantong", "enum class Calls {")));
  CHECK_FALSE(shared(in("guantong", "class Calls {"), in("guantong::search", "class Calls {")));
  CHECK_FALSE(shared(in("guantong", "class Calls {"), in("guantong", "class Calls;")));
  CHECK_FALSE(shared(in("guantong", "class Calls {"), in("", "class Calls {")));
  CHECK_FALSE(shared(in("guantong", "class Calls {"), in("guantong", "struct Calls::Highest {")));
}

TEST_CASE("files are named by a noun, not by a drawer") {
  std::string broken;
  for (const std::string& file : OurFiles()) broken += BrokenName(file);
  INFO(broken);
  CHECK(broken.empty());
}

// A rule that never fires protects nothing: each is shown one line that it must refuse.
TEST_CASE("the layering rules refuse what they should") {
  CHECK(BrokenRules("proto/guantong/v1/feed.proto", "import \"guantong/storage/v1/key.proto\";") !=
        "");
  CHECK(BrokenRules("catalog/base/status.h", "#include \"catalog/store.h\"") != "");
  CHECK(BrokenRules("catalog/entry.cc", "#include \"relay/core/engine.h\"") != "");
  CHECK(BrokenRules("catalog/entry.cc", "#  include \"catalog/rocks/store.h\"") != "");
  CHECK(BrokenRules("catalog/entry.cc", "#include <grpcpp/grpcpp.h>") != "");
  CHECK(BrokenRules("relay/core/engine.h", "#include <grpc/grpc.h>") != "");
  CHECK(BrokenRules("relay/core/engine.h", "#include \"guantong/v1/link.grpc.pb.h\"") != "");
  CHECK(BrokenRules("relay/core/engine.h", "#include \"relay/grpc/stream.h\"") != "");
  CHECK(BrokenRules("relay/grpc/stream.h", "#include \"node/queue.h\"") != "");
  CHECK(BrokenRules("relay/grpc/stream.h", "#include \"catalog/rocks/store.h\"") != "");
  CHECK(BrokenRules("relay/core/engine.cc", "#include <rocksdb/db.h>") != "");
  CHECK(BrokenRules("node/server.cc", "#include <rocksdb/db.h>") != "");
  CHECK(BrokenRules("node/server.cc", "#include \"node/cli/output.h\"") != "");
  CHECK(BrokenRules("node/server.cc", "#include \"tests/sim/world.h\"") != "");
  CHECK(BrokenRules("tests/unit/entry_test.cc", "#include <catch2/catch.hpp>") != "");
  CHECK(BrokenRules("catalog/entry.cc", "#include \"../relay/core/engine.h\"") != "");
  CHECK(BrokenRules("catalog/entry.cc", "#include \"entry.h\"") != "");
  CHECK(BrokenName("catalog/util/strings.h") != "");
  CHECK(BrokenName("node/queue_manager.cc") != "");
  CHECK(BrokenName("relay/core/helpers.h") != "");
}

TEST_CASE("the layering rules allow what they should") {
  CHECK(BrokenRules("proto/guantong/storage/v1/key.proto", "import \"guantong/v1/feed.proto\";") ==
        "");
  CHECK(BrokenRules("catalog/base/status.h", "#include \"absl/status/status.h\"") == "");
  CHECK(BrokenRules("catalog/base/status.h", "#include <absl/status/status.h>") == "");
  CHECK(BrokenRules("catalog/base/certificate.h", "#include \"guantong/v1/feed.pb.h\"") == "");
  CHECK(BrokenRules("catalog/entry.cc", "#include \"guantong/v1/catalog.pb.h\"") == "");
  CHECK(BrokenRules("catalog/rocks/store.cc", "#include <rocksdb/db.h>") == "");
  CHECK(BrokenRules("relay/core/engine.cc", "#include \"catalog/store.h\"") == "");
  CHECK(BrokenRules("relay/grpc/stream.cc", "#include <grpcpp/grpcpp.h>") == "");
  CHECK(BrokenRules("node/guantong.cc", "#include \"node/cli/command.h\"") == "");
  CHECK(BrokenRules("node/server.cc", "#include \"catalog/rocks/store.h\"") == "");
  CHECK(BrokenName("catalog/commonwealth.cc") == "");
  CHECK(BrokenName("node/implementation_guide.h") == "");
}

}  // namespace
