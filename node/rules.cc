#include "node/rules.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "catalog/base/status.h"
#include "catalog/keys.h"
#include "node/driver.h"
#include "node/form/form_value.h"
#include "node/form/json_form.h"
#include "node/level_facts.h"

namespace guantong {
namespace {

constexpr char kPolicyName[] = "policy";

std::string PackName(const v1::RulePack& pack) {
  return absl::StrCat("pack/", pack.id(), "/", pack.effective_from());
}

}  // namespace

std::string ShippedRules() {
  if (const char* told = std::getenv("GUANTONG_RULES"); told != nullptr) return told;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "";
  return (program.parent_path().parent_path() / "share/guantong/rules").string();
}

absl::StatusOr<std::vector<v1::RulePack>> LoadRulePacks(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() == ".yaml") files.push_back(file.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<v1::RulePack> packs;
  for (const std::string& file : files) {
    GT_ASSIGN_OR_RETURN(const std::string text, ReadFormFile(file));
    GT_ASSIGN_OR_RETURN(const FormValue form, ParseYaml(text, file));
    v1::RulePack& pack = packs.emplace_back();
    GT_RETURN_IF_ERROR(FromForm(form, file, &pack));
    if (const absl::Status valid = CheckRulePack(pack); !valid.ok()) return Annotate(valid, file);
  }
  return packs;
}

absl::Status Rules::Begin() {
  GT_ASSIGN_OR_RETURN(shipped_, LoadRulePacks(ShippedRules()));
  GT_ASSIGN_OR_RETURN(own_, LoadRulePacks(absl::StrCat(site_.options.dir, "/rules")));
  AppendRecords append = {.kind = v1::FEED_KIND_RULES};
  const std::unique_ptr<Reader> snapshot = site_.store->Snapshot();
  const FeedKey feed = FeedOf(site_.node_id(), v1::FEED_KIND_RULES);
  const auto say = [&](v1::Rule rule) {
    std::string held;
    const std::string bytes = rule.SerializeAsString();
    const absl::Status got = snapshot->Get(EntryKey(feed, rule.name()), &held);
    if (!got.ok() || held != bytes) append.records.emplace_back().set_rule(bytes);
  };
  if (site_.path().is_root()) {
    v1::Rule policy;
    policy.set_name(kPolicyName);
    policy.mutable_policy()->set_approvals(static_cast<uint32_t>(site_.options.approvals));
    say(std::move(policy));
  }
  for (const v1::RulePack& pack : own_) {
    v1::Rule rule;
    rule.set_name(PackName(pack));
    *rule.mutable_pack() = pack;
    say(std::move(rule));
  }
  if (append.records.empty()) return absl::OkStatus();
  const absl::Status written = site_.driver->Write(std::move(append)).status();
  // A store that came from a backup takes nothing in yet; what holds is said at the next start.
  return absl::IsUnavailable(written) ? absl::OkStatus() : written;
}

std::shared_ptr<const RuleBook> Rules::Book(const Reader& snapshot) {
  std::vector<std::string> above = LevelsDownTo(directory_);
  above.pop_back();
  const std::string heads = HeadsOf(snapshot, above, v1::FEED_KIND_RULES);
  std::lock_guard<std::mutex> lock(mutex_);
  if (book_ != nullptr && heads == heads_) return book_;
  auto book = std::make_shared<RuleBook>();
  for (const v1::RulePack& pack : shipped_) book->Add(pack);
  for (const std::string& node : above) {
    for (v1::Rule& rule : FactsOf<v1::Rule>(snapshot, FeedOf(node, v1::FEED_KIND_RULES))) {
      if (rule.has_pack() && CheckRulePack(rule.pack()).ok())
        book->Add(std::move(*rule.mutable_pack()));
    }
  }
  for (const v1::RulePack& pack : own_) book->Add(pack);
  book_ = std::move(book);
  heads_ = heads;
  return book_;
}

RulesOfDay Rules::Today(const Reader& snapshot) { return Book(snapshot)->On(DayOf(absl::Now())); }

uint32_t Rules::Approvals(const Reader& snapshot) const {
  constexpr uint32_t kApprovalsMax = 2;
  std::string bytes;
  v1::Rule rule;
  const FeedKey feed = FeedOf(site_.network(), v1::FEED_KIND_RULES);
  if (!site_.path().is_root() && snapshot.Get(EntryKey(feed, kPolicyName), &bytes).ok() &&
      rule.ParseFromString(bytes)) {
    return std::min(rule.policy().approvals(), kApprovalsMax);
  }
  return static_cast<uint32_t>(site_.options.approvals);
}

}  // namespace guantong
