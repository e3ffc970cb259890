// A node's identity on disk, and enrolment against a real server.
#include "node/identity/identity.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "guantong/v1/enrolment.grpc.pb.h"
#include "node/identity/credentials.h"
#include "relay/grpc/wire_status.h"
#include "tests/catch.h"
#include "tests/unit/identities.h"
#include "tests/unit/reasons.h"

namespace guantong {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("guantong-" + HexOf(RandomBytes(8)))) {}
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_.string(); }
  fs::path File(const std::string& name) const { return path_ / "identity" / name; }
  std::string Read(const std::string& name) const {
    std::ifstream in(File(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(File(name), std::ios::binary) << content;
  }

 private:
  fs::path path_;
};

unsigned ModeOf(const fs::path& file) {
  struct stat facts;
  REQUIRE(::stat(file.c_str(), &facts) == 0);
  return facts.st_mode & 0777;
}

Identity Loaded(const Folder& folder) {
  auto identity = LoadIdentity(folder.path());
  INFO(identity.status().ToString());
  REQUIRE(identity.ok());
  return *std::move(identity);
}

// A parent that admits whoever shows the token's secret, and binds it to the first key.
class Parent final : public v1::EnrolmentService::Service {
 public:
  explicit Parent(Identity identity) : identity_(std::move(identity)) {
    RequireTls13();
    grpc::ServerBuilder builder;
    builder.AddListeningPort(
        "127.0.0.1:0", MakeServerCredentials(identity_.tls_key.ToPem(), identity_.tls_chain_pem),
        &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~Parent() override { server_->Shutdown(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const Identity& identity() const { return identity_; }
  int requests() const { return requests_; }

  v1::JoinToken Invite(const std::string& label) {
    v1::JoinToken token;
    token.set_parent(identity_.self.node_id);
    token.set_network(identity_.self.network);
    token.set_label(label);
    token.set_secret(RandomBytes(32));
    token.set_division("630100");
    token.set_name("西宁市");
    secret_ = token.secret();
    label_ = label;
    return token;
  }

  grpc::Status Enrol(grpc::ServerContext*, const v1::EnrolRequest* request,
                     v1::EnrolResponse* response) override {
    ++requests_;
    return ToGrpc(Answer(*request, response));
  }

  std::atomic<bool> lose_reply{false};
  std::atomic<bool> wrong_label{false};

 private:
  absl::Status Answer(const v1::EnrolRequest& request, v1::EnrolResponse* response) {
    GT_RETURN_IF_ERROR(CheckEnrolProof(request, identity_.self.network));
    if (request.token_secret() != secret_) {
      return Error(absl::StatusCode::kPermissionDenied, "token_unknown", "no such token");
    }
    if (bound_key_.empty()) bound_key_ = request.signing_key();
    if (bound_key_ != request.signing_key()) {
      return Error(absl::StatusCode::kPermissionDenied, "token_bound", "bound to another key");
    }
    const std::string label = wrong_label ? "999999" : label_;
    GT_ASSIGN_OR_RETURN(*response->mutable_chain(),
                        IssueChild(identity_, label, request.name(), request.signing_key()));
    response->set_path(identity_.self.path.Child(label).text());
    if (lose_reply.exchange(false)) return absl::UnavailableError("lost");
    return absl::OkStatus();
  }

  const Identity identity_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::string secret_;
  std::string label_;
  std::string bound_key_;
  std::atomic<int> requests_{0};
};

Identity RootIdentity(const Folder& folder) {
  REQUIRE(CreateRootIdentity(folder.path(), "中国").ok());
  return Loaded(folder);
}

absl::StatusOr<v1::EnrolResponse> Join(const Folder& folder, const std::string& address,
                                       const v1::JoinToken& token) {
  return JoinNetwork(folder.path(), address, EncodeToken(token), "630100", "西宁市",
                     v1::LEVEL_CITY);
}

TEST_CASE("a root is made once, for its owner's eyes, and loads as it was made") {
  const Folder folder;
  CHECK(ReasonOf(LoadIdentity(folder.path()).status()) == "identity_missing");
  const Identity identity = RootIdentity(folder);
  CHECK(identity.self.path.is_root());
  CHECK(identity.self.node_id == identity.self.network);
  CHECK(identity.self.role == CertificateRole::kIssuing);
  CHECK(identity.self.not_before < absl::Now() - absl::Minutes(9));
  CHECK(identity.parent_node_id.empty());
  for (const char* name : {"signing.key", "chain.pem", "tls.key", "tls.pem"}) {
    INFO(name);
    CHECK(ModeOf(folder.File(name)) == 0600);
  }
  CHECK(ModeOf(folder.File("")) == 0700);
  const auto leaf =
      VerifyChain(ChainFromPem(identity.tls_chain_pem).value(), identity.self.network, absl::Now());
  REQUIRE(leaf.ok());
  CHECK(leaf->role == CertificateRole::kTls);
  CHECK(leaf->key.Verify("m", identity.tls_key.Sign("m")));

  const Identity again = Loaded(folder);
  CHECK(again.self.node_id == identity.self.node_id);
  CHECK(again.tls_chain_pem == identity.tls_chain_pem);
  const absl::Status second = CreateRootIdentity(folder.path(), "中国");
  CHECK(absl::IsFailedPrecondition(second));
  CHECK(ReasonOf(second) == "identity_exists");
}

TEST_CASE("a making that was cut short begins again with the same key") {
  const Folder folder;
  const Identity identity = RootIdentity(folder);
  fs::remove(folder.File("chain.pem"));
  const Identity again = RootIdentity(folder);
  CHECK(again.self.node_id == identity.self.node_id);
}

TEST_CASE("the TLS leaf is made anew when it is missing, foreign or near its end") {
  const Folder folder;
  const Identity identity = RootIdentity(folder);
  SECTION("missing") { fs::remove(folder.File("tls.pem")); }
  SECTION("damaged") { folder.Write("tls.key", "no key"); }
  SECTION("of another key") { folder.Write("tls.key", SigningKey::Generate().value().ToPem()); }
  SECTION("ends within 60 days") {
    const IssueRequest request{.role = CertificateRole::kTls,
                               .node_id = identity.self.node_id,
                               .common_name = "TLS",
                               .public_key = identity.tls_key.public_key()};
    v1::CertificateChain chain;
    chain.add_certificates(IssueOrDie(request, identity.signing_key, identity.chain.certificates(0),
                                      {.not_after = absl::Now() + absl::Hours(24 * 59)}));
    chain.MergeFrom(identity.chain);
    folder.Write("tls.pem", ChainToPem(chain));
  }
  const Identity again = Loaded(folder);
  CHECK(again.tls_chain_pem != identity.tls_chain_pem);
  const auto leaf =
      VerifyChain(ChainFromPem(again.tls_chain_pem).value(), again.self.network, absl::Now());
  REQUIRE(leaf.ok());
  CHECK(leaf->not_after > absl::Now() + absl::Hours(24 * 300));
  CHECK(leaf->key.Verify("m", again.tls_key.Sign("m")));
  CHECK(Loaded(folder).tls_chain_pem == again.tls_chain_pem);
}

TEST_CASE("a damaged identity is refused, naming the file") {
  const Folder folder;
  const Identity identity = RootIdentity(folder);
  std::string file;
  SECTION("chain") {
    file = "chain.pem";
    folder.Write(file, folder.Read(file).substr(0, 100));
  }
  SECTION("another chain") {
    file = "signing.key";
    const Folder other;
    RootIdentity(other);
    folder.Write("chain.pem", other.Read("chain.pem"));
  }
  SECTION("key") {
    file = "signing.key";
    folder.Write(file, "no key");
  }
  SECTION("no key") {
    file = "signing.key";
    fs::remove(folder.File(file));
  }
  SECTION("expired") {
    file = "chain.pem";
    const IssueRequest request{.role = CertificateRole::kIssuing,
                               .node_id = identity.self.node_id,
                               .common_name = "root",
                               .public_key = identity.signing_key.public_key()};
    v1::CertificateChain chain;
    chain.add_certificates(
        IssueOrDie(request, identity.signing_key, "",
                   {absl::Now() - absl::Hours(2), absl::Now() - absl::Hours(1)}));
    folder.Write(file, ChainToPem(chain));
  }
  const auto loaded = LoadIdentity(folder.path());
  CHECK(absl::IsFailedPrecondition(loaded.status()));
  CHECK(absl::EndsWith(DetailOf(loaded.status()).subject, file));
  CHECK_FALSE(DetailOf(loaded.status()).remedy.empty());
}

TEST_CASE("a node joins, keeps what it was given, and can have children itself") {
  const Folder root;
  Parent parent(RootIdentity(root));
  const Folder province;
  const auto answer = Join(province, parent.address(), parent.Invite("630000"));
  REQUIRE(answer.ok());
  CHECK(answer->path() == "630000");
  const Identity identity = Loaded(province);
  CHECK(identity.self.path.text() == "630000");
  CHECK(identity.self.network == parent.identity().self.network);
  CHECK(identity.parent_node_id == parent.identity().self.node_id);
  CHECK(ModeOf(province.File("parent.pin")) == 0600);

  Parent middle(identity);
  const Folder city;
  REQUIRE(Join(city, middle.address(), middle.Invite("630100")).ok());
  CHECK(Loaded(city).self.path.text() == "630000/630100");
  CHECK(Loaded(city).parent_node_id == identity.self.node_id);
  CHECK(ReasonOf(Join(city, middle.address(), middle.Invite("630100")).status()) ==
        "identity_exists");

  city.Write("parent.pin", HexOf(RandomBytes(32)));
  CHECK(absl::EndsWith(DetailOf(LoadIdentity(city.path()).status()).subject, "parent.pin"));
}

TEST_CASE("a lost reply is asked for again with the same key, another key is refused") {
  const Folder root;
  Parent parent(RootIdentity(root));
  const v1::JoinToken token = parent.Invite("630000");
  const Folder folder;
  parent.lose_reply = true;
  CHECK(absl::IsUnavailable(Join(folder, parent.address(), token).status()));
  CHECK(ReasonOf(LoadIdentity(folder.path()).status()) == "identity_missing");
  CHECK(Join(folder, parent.address(), token).ok());
  const Folder other;
  CHECK(ReasonOf(Join(other, parent.address(), token).status()) == "token_bound");
  CHECK(parent.requests() == 3);
}

TEST_CASE("a man in the middle hears nothing") {
  const Folder root;
  Parent parent(RootIdentity(root));
  const v1::JoinToken token = parent.Invite("630000");
  const Folder folder;
  const auto refused_by_joiner = [&](Parent& impostor) {
    const auto joined = Join(folder, impostor.address(), token);
    CHECK(ReasonOf(joined.status()) == "pin_mismatch");
    CHECK(absl::IsPermissionDenied(joined.status()));
    CHECK(impostor.requests() == 0);
  };
  SECTION("of his own network") {
    const Folder stranger;
    Parent impostor(RootIdentity(stranger));
    refused_by_joiner(impostor);
  }
  SECTION("another node of this network") {
    const Folder sibling;
    REQUIRE(Join(sibling, parent.address(), parent.Invite("640000")).ok());
    Parent impostor(Loaded(sibling));
    refused_by_joiner(impostor);
  }
  SECTION("with the parent's chain but not its key") {
    const MadeNode thief = MakeRoot();
    Identity stolen = Loaded(root);
    stolen.tls_key = SigningKey::Generate().value();
    RequireTls13();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(
        "127.0.0.1:0", MakeServerCredentials(stolen.tls_key.ToPem(), stolen.tls_chain_pem), &port);
    CHECK(builder.BuildAndStart() == nullptr);
  }
}

TEST_CASE("an answer that is not for this token is not taken") {
  const Folder root;
  Parent parent(RootIdentity(root));
  const Folder folder;
  parent.wrong_label = true;
  CHECK(ReasonOf(Join(folder, parent.address(), parent.Invite("630000")).status()) ==
        "answer_invalid");
  CHECK(ReasonOf(LoadIdentity(folder.path()).status()) == "identity_missing");
}

TEST_CASE("the parent's refusal reaches the joiner") {
  const Folder root;
  Parent parent(RootIdentity(root));
  v1::JoinToken token = parent.Invite("630000");
  token.set_secret(RandomBytes(32));
  const Folder folder;
  CHECK(ReasonOf(Join(folder, parent.address(), token).status()) == "token_unknown");
  CHECK(absl::IsUnavailable(Join(folder, "127.0.0.1:1", token).status()));
}

TEST_CASE("a proof belongs to key, token and network") {
  const Folder root;
  const Identity parent = RootIdentity(root);
  const SigningKey key = SigningKey::Generate().value();
  v1::EnrolRequest request;
  request.set_token_secret(RandomBytes(32));
  request.set_signing_key(key.public_key());
  request.set_proof(
      key.Sign(SignedMessage(kEnrolDomain, parent.self.network,
                             Sha256(request.token_secret()) + Sha256(request.signing_key()))));
  CHECK(CheckEnrolProof(request, parent.self.network).ok());
  CHECK(ReasonOf(CheckEnrolProof(request, Sha256("other"))) == "proof_invalid");
  v1::EnrolRequest other = request;
  other.set_token_secret(RandomBytes(32));
  CHECK(ReasonOf(CheckEnrolProof(other, parent.self.network)) == "proof_invalid");
  other = request;
  other.set_signing_key(SigningKey::Generate().value().public_key());
  CHECK(ReasonOf(CheckEnrolProof(other, parent.self.network)) == "proof_invalid");
  other.set_signing_key("no key");
  CHECK(ReasonOf(CheckEnrolProof(other, parent.self.network)) == "proof_invalid");
}

TEST_CASE("tokens are text that survives copying") {
  const Folder root;
  Parent parent(RootIdentity(root));
  const v1::JoinToken token = parent.Invite("630100-2");
  const std::string text = EncodeToken(token);
  CHECK(absl::StartsWith(text, "gt1."));
  const auto decoded = DecodeToken("  " + text + "\n");
  REQUIRE(decoded.ok());
  CHECK(decoded->SerializeAsString() == token.SerializeAsString());
  v1::JoinToken bad_label = token;
  bad_label.set_label("../..");
  for (const std::string& bad : {std::string(), std::string("gt1."), std::string("gt2.AAAA"),
                                 text.substr(0, text.size() / 2), text + "!",
                                 EncodeToken(bad_label), std::string(10000, 'A')}) {
    CHECK(ReasonOf(DecodeToken(bad).status()) == "token_malformed");
  }
}

TEST_CASE("children and profiles are issued within the node's own branch and life") {
  const Folder root;
  const Identity parent = RootIdentity(root);
  const SigningKey key = SigningKey::Generate().value();
  const auto child = IssueChild(parent, "630000", "青海省", key.public_key());
  REQUIRE(child.ok());
  const auto verified = VerifyChain(*child, parent.self.network, absl::Now());
  REQUIRE(verified.ok());
  CHECK(verified->node_id == NodeIdOf(key.public_key()));
  CHECK_FALSE(IssueChild(parent, "a/b", "x", key.public_key()).ok());
  CHECK_FALSE(IssueChild(parent, "", "x", key.public_key()).ok());
  CHECK_FALSE(IssueChild(parent, "1", "x", "no key").ok());
  const auto editor = IssueProfile(parent, CertificateRole::kEditor, "116300000150100095", "民政厅",
                                   key.public_key());
  REQUIRE(editor.ok());
  const auto person = VerifyChain(*editor, parent.self.network, absl::Now());
  REQUIRE(person.ok());
  CHECK(person->role == CertificateRole::kEditor);
  CHECK(person->uscc == "116300000150100095");
}

TEST_CASE("a profile file keeps what it was given, and says what is wrong with it") {
  const Folder root;
  const Identity node = RootIdentity(root);
  const SigningKey key = SigningKey::Generate().value();
  const Profile profile{
      .node = "127.0.0.1:7000",
      .network = node.self.network,
      .node_id = node.self.node_id,
      .role = "editor",
      .uscc = "116300000150100095",
      .certificate_pem = ChainToPem(IssueProfile(node, CertificateRole::kEditor,
                                                 "116300000150100095", "民政厅", key.public_key())
                                        .value()),
      .key_pem = key.ToPem()};
  const std::string file = root.File("editor.yaml").string();
  REQUIRE(SaveProfile(file, profile).ok());
  CHECK(ModeOf(file) == 0600);
  const auto loaded = LoadProfile(file);
  REQUIRE(loaded.ok());
  CHECK(loaded->node == profile.node);
  CHECK(loaded->network == profile.network);
  CHECK(loaded->node_id == profile.node_id);
  CHECK(loaded->role == profile.role);
  CHECK(loaded->uscc == profile.uscc);
  CHECK(loaded->certificate_pem == profile.certificate_pem);
  CHECK(loaded->key_pem == profile.key_pem);

  const std::string text = root.Read("editor.yaml");
  for (const std::string& bad :
       {text + "colour: red\n", std::string("- 1\n"), std::string("node: [\n"), std::string(),
        "network: 00\n" + text.substr(text.find("node_id")), text.substr(0, text.size() / 2)}) {
    root.Write("editor.yaml", bad);
    CHECK(ReasonOf(LoadProfile(file).status()) == "profile_malformed");
  }
  CHECK(absl::IsNotFound(LoadProfile(root.File("none.yaml").string()).status()));
}

}  // namespace
}  // namespace guantong
