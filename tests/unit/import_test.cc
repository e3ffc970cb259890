// An import at the node: new entries and changes in one commit, or nothing.
#include <algorithm>

#include "node/entries/import_stream.h"
#include "node/limits.h"
#include "tests/catch.h"
#include "tests/unit/office.h"

namespace guantong {
namespace {

v1::CatalogEntry Named(const std::string& name) {
  v1::CatalogEntry entry = LoneNode::Entry(v1::SHARING_TYPE_UNCONDITIONAL);
  entry.set_name(name);
  return entry;
}

TEST_CASE("import: changes and new entries become drafts together, or none does") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  REQUIRE(node.Publish(code).ok());
  const auto draft = [&] {
    return node.catalogue().Show(office.editor(), code, absl::InfiniteFuture())->has_draft();
  };
  const auto listed = [&] { return node.catalogue().List(office.editor(), {})->entries_size(); };
  v1::ImportRequest request;
  v1::CatalogEntry* changed = request.add_entries();
  *changed = Named("街道名录");
  changed->set_code(code);
  changed->set_abstract("新摘要");
  request.add_changes(0);
  *request.add_entries() = Named("社区名录");
  *request.add_entries() = Named("村名录");
  request.mutable_entries(2)->clear_class_();

  const auto refused = node.drafts().Import(office.editor(), request);
  REQUIRE(refused.ok());
  CHECK_FALSE(refused->stored());
  CHECK(refused->refused() == 1);
  CHECK(refused->entries(1).code().empty());
  CHECK_FALSE(draft());
  CHECK(listed() == 1);

  request.mutable_entries(2)->set_class_("3070120337");
  request.set_dry_run(true);
  CHECK(node.drafts().Import(office.editor(), request)->taken() == 3);
  CHECK_FALSE(draft());
  request.set_dry_run(false);
  const auto stored = node.drafts().Import(office.editor(), request);
  REQUIRE(stored->stored());
  CHECK(stored->entries(0).code() == code);
  CHECK(stored->entries(1).code() != stored->entries(2).code());
  node.Restart();
  CHECK(draft());
  CHECK(listed() == 3);
  const auto shown = node.catalogue().Show(office.editor(), code, absl::InfiniteFuture());
  CHECK(shown->draft().version() == 2);
  CHECK(shown->draft().abstract() == "新摘要");
  CHECK(shown->entry().abstract() != "新摘要");
  const v1::HistoryResponse history = office.History(code);
  CHECK(history.acts(history.acts_size() - 1).kind() == v1::ACT_KIND_EDIT);
  CHECK(office.History(stored->entries(1).code()).acts(0).kind() == v1::ACT_KIND_REGISTER);
}

TEST_CASE("import: a change is held against what `edit` is held against") {
  Office office;
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  const auto problem = [&](const CallerIdentity& caller, const std::string& of, int times = 1) {
    v1::ImportRequest request;
    for (int i = 0; i < times; ++i) {
      *request.add_entries() = Named("街道名录");
      request.mutable_entries(i)->set_code(of);
      request.mutable_entries(i)->set_provider_code(caller.uscc);
      request.add_changes(static_cast<uint32_t>(i));
    }
    const auto answer = node.drafts().Import(caller, request);
    REQUIRE(answer.ok());
    CHECK(answer->stored() == (answer->refused() == 0));
    const auto& problems = answer->entries(times - 1).problems();
    for (const v1::Problem& one : problems) {
      if (!one.warning()) return one.text();
    }
    return std::string();
  };
  CHECK(problem(office.editor(), code).empty());
  CHECK(problem(office.editor(), code, 2).find("两次") != std::string::npos);
  CHECK(problem(office.editor(), "3/9").find("没有这个条目") != std::string::npos);
  CHECK_FALSE(problem(office.As(CertificateRole::kEditor, kSupervisorUscc, "x"), code).empty());
  REQUIRE(node.approvals().Submit(office.editor(), Office::Of(code)).ok());
  CHECK(problem(office.editor(), code).find("正在审核") != std::string::npos);
}

TEST_CASE("import: a change readers would not bear is refused, and whom it would break is asked") {
  Office office(0);
  LoneNode& node = office.node;
  const std::string code = office.Draft();
  REQUIRE(node.Publish(code).ok());
  v1::ImportRequest request;
  *request.add_entries() = Named("街道名录");
  request.mutable_entries(0)->set_code(code);
  request.mutable_entries(0)->mutable_sharing()->set_type(v1::SHARING_TYPE_NOT_SHARED);
  request.mutable_entries(0)->mutable_sharing()->set_basis("某法第一条");
  request.add_changes(0);
  *request.add_entries() = Named("社区名录");
  std::vector<std::string> asked;
  const auto answer = node.drafts().Import(
      office.editor(), request, [&](const absl::Status& refused, const std::string& of) {
        asked.push_back(of);
        return Error(refused.code(), ReasonOf(refused), "读者：某局");
      });
  REQUIRE(answer.ok());
  CHECK_FALSE(answer->stored());
  CHECK(asked == std::vector<std::string>{code});
  const auto& problems = answer->entries(0).problems();
  CHECK(std::any_of(problems.begin(), problems.end(),
                    [](const v1::Problem& one) { return one.text() == "读者：某局"; }));
  CHECK(node.catalogue().List(office.editor(), {})->entries_size() == 1);
}

TEST_CASE("import: a stream counts when its last message has come") {
  std::vector<v1::ImportRequest> parts(2);
  *parts[0].add_entries() = Named("甲");
  *parts[0].add_entries() = Named("乙");
  parts[0].add_changes(1);
  *parts[1].add_entries() = Named("丙");
  parts[1].add_changes(0);
  parts[1].set_accept_valid(true);
  const auto gather = [&] {
    size_t at = 0;
    return GatherImport([&](v1::ImportRequest* part) {
      if (at == parts.size()) return false;
      *part = parts[at++];
      return true;
    });
  };
  CHECK(ReasonOf(gather().status()) == "import_broken");
  parts[1].set_end(true);
  const auto all = gather();
  REQUIRE(all.ok());
  CHECK(all->entries_size() == 3);
  CHECK(all->entries(2).name() == "丙");
  CHECK(all->accept_valid());
  REQUIRE(all->changes_size() == 2);
  CHECK(all->changes(1) == 2);
  while (static_cast<size_t>(parts[0].entries_size()) < kImportEntriesMax) parts[0].add_entries();
  CHECK(ReasonOf(gather().status()) == "import_too_large");
  parts[0].clear_entries();
  parts[0].add_entries()->set_abstract(std::string(kImportBytesMax, 'x'));
  CHECK(ReasonOf(gather().status()) == "import_too_large");
}

}  // namespace
}  // namespace guantong
