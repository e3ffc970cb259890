// What an operator looks at: the keys scripts rely on are there, and what is wrong is found.
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/keys.h"
#include "catalog/rocks/rocks_store.h"
#include "tests/catch.h"
#include "tests/network/network.h"

namespace guantong::test {
namespace {

namespace fs = std::filesystem;

void CheckKeys(const nlohmann::json& document, const std::vector<std::string>& keys) {
  INFO(document.dump(1));
  for (const std::string& key : keys) {
    INFO(key);
    CHECK(document.contains(key));
  }
}

TEST_CASE("the documents of status, tree, links, feeds, trace, doctor and verify") {
  Network network(FourLevels());
  Node& county = network["630102"];
  Node& province = network["630000"];
  const Client editor = county.Editor();
  const std::string code = editor.Publish(CodeAndName("名录"), network.folder().path());
  const std::string rows = network.folder().File("rows.csv", CodeAndNameRows(0, 10, "甲"));
  editor.Do({"push", code, rows});
  network.Until("the province may subscribe", [&] {
    return province.Editor().Try({"subscribe", code}).ok();
  });
  network.UntilEqual(code, DigestOfCsv(rows), {&province});
  const Client client = province.Operator();

  const auto status = client.Do({"status"});
  CheckKeys(status, {"node_id",       "network",
                     "path",          "division",
                     "name",          "level",
                     "listen",        "version",
                     "started_at",    "parent",
                     "children_up",   "children",
                     "entries",       "feeds",
                     "subscriptions", "memory_bytes",
                     "disk_bytes",    "certificate_ends",
                     "refusals",      "frames_rejected",
                     "departments"});
  CHECK(status.at("path") == "630000");
  CHECK(status.at("level") == "province");
  CHECK(status.at("children_up") == 1);
  CHECK(status.at("subscriptions") == "1");

  const auto tree = network["000000"].Operator().Do({"tree"}).at("nodes");
  REQUIRE(tree.size() == 4);
  CHECK(tree[0].at("path") == "");
  CHECK(tree[0].at("self") == true);
  CHECK(tree[3].at("path") == "630000/630100/630102");
  CHECK(tree[3].at("name") == "城东区");
  CheckKeys(tree[3], {"path", "node_id", "division", "name", "level", "self"});

  const auto links = client.Do({"links"}).at("links");
  REQUIRE(links.size() == 2);
  for (const auto& link : links) {
    CheckKeys(link,
              {"path", "name", "node_id", "parent", "state", "since", "last_byte_at", "bytes_sent",
               "bytes_received", "batches_sent", "batches_received", "lag_records", "lag_bytes",
               "nacks_sent", "nacks_received", "text", "address", "ladder"});
    CHECK(link.at("state") == "up");
    CHECK(link.at("lag_records") == "0");
  }

  const auto feeds = client.Do({"feeds", code}).at("feeds");
  REQUIRE(feeds.size() == 1);
  CheckKeys(feeds[0], {"feed", "feed_key", "origin_path", "position", "commit", "last_signed_at",
                       "log_batches", "log_bytes", "rows", "own", "subscribed", "upstream",
                       "downstream", "text", "forks"});
  CHECK(feeds[0].at("origin_path") == "630000/630100/630102");
  CHECK(feeds[0].at("upstream") == "630000/630100");
  CHECK(feeds[0].at("rows") == "10");
  CHECK(feeds[0].at("subscribed") == true);

  const auto trace = client.Do({"trace", code}).at("hops");
  std::vector<std::string> way;
  for (const auto& hop : trace) {
    CheckKeys(hop, {"hop", "reachable", "text", "elapsed_ms"});
    CHECK(hop.at("reachable") == true);
    CHECK(hop.at("feed").at("position").at("sequence") == feeds[0].at("position").at("sequence"));
    way.push_back(hop.at("hop").at("path"));
  }
  CHECK(way == std::vector<std::string>{"630000", "630000/630100", "630000/630100/630102"});

  const auto doctor = client.Do({"doctor"}).at("findings");
  for (const char* check : {"certificate", "port", "parent", "disk", "clock"}) {
    INFO(check << " in " << doctor.dump(1));
    bool found = false;
    for (const auto& finding : doctor)
      found = found || (finding.at("check") == check && finding.at("ok") == true);
    CHECK(found);
  }

  const auto verified = client.Do({"verify"});
  CheckKeys(verified, {"feeds", "batches", "records", "faults"});
  CHECK(std::stoll(verified.at("batches").get<std::string>()) > 0);
  CHECK(verified.at("faults").empty());

  // Its parent is gone: doctor says so, with what to do.
  network["000000"].Kill();
  Outcome ill;
  network.Until("doctor has noticed", [&] {
    ill = client.Try({"doctor"});
    return !ill.ok();
  });
  CHECK(ill.exit_status == 1);
  bool told = false;
  for (const nlohmann::json findings = ill.json().at("findings"); const auto& finding : findings) {
    if (finding.at("ok") == true) continue;
    INFO(finding.dump());
    told = told || finding.at("check") == "parent";
    CHECK(!finding.at("remedy").get<std::string>().empty());
  }
  CHECK(told);
}

// Changes one byte inside a value that stands in a table file of the store, in place.
bool FlipByteOf(const std::string& store, const std::string& text) {
  for (const auto& entry : fs::directory_iterator(store)) {
    const std::string name = entry.path().string();
    if (!absl::EndsWith(name, ".sst")) continue;
    const std::string content = ReadFile(name);
    const size_t at = content.find(text);
    if (at == std::string::npos) continue;
    std::fstream file(name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(content[at] ^ 1));
    return true;
  }
  return false;
}

class StoppedDataset {
 public:
  StoppedDataset() : network(OneNode()), node(network["000000"]) {
    const Client editor = node.Editor();
    code = editor.Publish(CodeAndName("名录"), network.folder().path());
    editor.Do({"push", code, network.folder().File("rows.csv", "code,name\n1,UNMISTAKABLE\n")});
    node.Stop();
  }

  Outcome Verify() const { return Guantong({"-o", "json", "verify", "--dir", node.dir()}); }

  Network network;
  Node& node;
  std::string code;
};

// Somebody with the rights of the process, and no signing key.
bool TamperWithBatch(const std::string& folder, const std::string& text) {
  auto store = OpenRocksStore(folder);
  REQUIRE(store.ok());
  WriteSet writes;
  const std::string log = KindPrefix('L');
  for (auto cursor = (*store)->Scan(log, PrefixEnd(log)); cursor->Valid(); cursor->Next()) {
    std::string value(cursor->value());
    const size_t at = value.find(text);
    if (at == std::string::npos) continue;
    value[at] ^= 1;
    writes.Put(std::string(cursor->key()), value);
  }
  return !writes.empty() && (*store)->Commit({&writes, 1}).ok();
}

TEST_CASE("verify offline finds a stored batch that was changed, and names it") {
  StoppedDataset data;
  const Outcome sound = data.Verify();
  INFO(sound.Text());
  REQUIRE(sound.ok());
  CHECK(sound.json().at("faults").empty());
  CHECK(sound.json().at("batches") != "0");

  REQUIRE(TamperWithBatch(data.node.dir() + "/store", "UNMISTAKABLE"));
  const Outcome broken = data.Verify();
  INFO(broken.Text());
  CHECK(broken.exit_status == 1);
  CHECK(ReasonOf(broken) == "verify_failed");
  const nlohmann::json faults = broken.json().at("faults");
  REQUIRE(!faults.empty());
  CHECK(faults[0].at("feed").at("resource") == data.code + ":1");
  CHECK(faults[0].at("sequence") != "0");
  CHECK(!faults[0].at("text").get<std::string>().empty());
}

TEST_CASE("verify offline finds a byte that went bad on the disk") {
  StoppedDataset data;
  // Opening the store moves what stands in its write-ahead log to table files.
  REQUIRE(data.Verify().ok());
  REQUIRE(FlipByteOf(data.node.dir() + "/store", "UNMISTAKABLE"));
  const Outcome broken = data.Verify();
  INFO(broken.Text());
  CHECK(broken.exit_status == 1);
  CHECK(!ReasonOf(broken).empty());
}

}  // namespace
}  // namespace guantong::test
