#include "node/directory.h"

#include <algorithm>
#include <map>
#include <utility>

#include "catalog/base/certificate.h"
#include "catalog/base/openssl.h"
#include "catalog/base/status.h"
#include "catalog/view.h"

namespace guantong {
namespace {

// The name its parent wrote into a node's certificate.
std::string CommonName(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
  if (certificate == nullptr) return "";
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "";
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return "";
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

v1::TreeNode NodeOf(const v1::Member& member) {
  v1::TreeNode node;
  node.set_path(member.path());
  node.set_node_id(member.node_id());
  node.set_division(member.division());
  node.set_name(member.name());
  node.set_level(member.level());
  return node;
}

}  // namespace

Directory::Directory(const Site* site) : site_(*site) {
  self_.set_path(site_.path().text());
  self_.set_node_id(site_.node_id());
  self_.set_division(site_.options.division);
  self_.set_name(site_.options.name);
  self_.set_level(site_.options.level);
  self_.set_self(true);

  const v1::CertificateChain& chain = site_.identity->chain;
  v1::CertificateChain rest = chain;
  for (int i = 1; i < chain.certificates_size(); ++i) {
    rest.mutable_certificates()->erase(rest.mutable_certificates()->begin());
    absl::StatusOr<VerifiedChain> ancestor = VerifyChainLinks(rest, site_.network());
    if (!ancestor.ok()) break;
    v1::TreeNode node;
    node.set_path(ancestor->path.text());
    node.set_node_id(ancestor->node_id);
    node.set_name(CommonName(chain.certificates(i)));
    ancestors_.push_back(std::move(node));
  }
}

absl::StatusOr<v1::TreeNode> Directory::Find(const Reader& snapshot,
                                             absl::string_view node_id) const {
  if (node_id == absl::string_view(self_.node_id())) return self_;
  // A member record says more than a certificate, where there is one; where an ancestor stands the
  // certificates prove.
  absl::StatusOr<v1::Member> member = FindMember(snapshot, node_id);
  for (const v1::TreeNode& ancestor : ancestors_) {
    if (node_id != absl::string_view(ancestor.node_id())) continue;
    return member.ok() && member->path() == ancestor.path() ? NodeOf(*member) : ancestor;
  }
  if (member.ok()) return NodeOf(*member);
  return member.status();
}

std::vector<v1::TreeNode> Directory::Tree(const Reader& snapshot) const {
  std::map<std::string, v1::TreeNode> by_id;
  for (const v1::TreeNode& ancestor : ancestors_) by_id[ancestor.node_id()] = ancestor;
  for (const v1::Member& member : AllMembers(snapshot)) {
    auto ancestor = by_id.find(member.node_id());
    if (member.removed() || (ancestor != by_id.end() && ancestor->second.path() != member.path()))
      continue;
    by_id[member.node_id()] = NodeOf(member);
  }
  by_id[self_.node_id()] = self_;
  std::vector<v1::TreeNode> nodes;
  for (auto& [id, node] : by_id) nodes.push_back(std::move(node));
  std::sort(nodes.begin(), nodes.end(),
            [](const v1::TreeNode& a, const v1::TreeNode& b) { return a.path() < b.path(); });
  return nodes;
}

std::vector<v1::Hop> Directory::Way(const Reader& snapshot, const NodePath& path) const {
  std::map<std::string, std::string> names;
  for (const v1::TreeNode& node : Tree(snapshot)) names[node.path()] = node.name();
  std::vector<NodePath> way;
  NodePath at = site_.path();
  way.push_back(at);
  while (!at.Contains(path)) {
    at = at.Parent();
    way.push_back(at);
  }
  for (size_t depth = at.depth() + 1; depth <= path.depth(); ++depth)
    way.push_back(path.Ancestor(depth));
  std::vector<v1::Hop> hops;
  for (const NodePath& stop : way) {
    v1::Hop hop;
    hop.set_path(stop.text());
    auto name = names.find(stop.text());
    if (name != names.end()) hop.set_name(name->second);
    hops.push_back(std::move(hop));
  }
  return hops;
}

}  // namespace guantong
