#include "catalog/search/document.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/digest.h"
#include "catalog/claims.h"
#include "catalog/division.h"
#include "catalog/search/text.h"
#include "catalog/view.h"

namespace guantong::search {
namespace {

// A character that folding leaves alone and joins with nothing.
constexpr char kFieldEnd = '\x1d';

std::string Joined(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  values.erase(std::remove(values.begin(), values.end(), ""), values.end());
  return absl::StrJoin(values, std::string(1, kValueEnd));
}

std::string NodeValue(const v1::CatalogEntry& entry) {
  const std::string& division = entry.division();
  return absl::StrCat(IsDivisionCode(division) ? division : "", std::string(1, kLabelEnd),
                      entry.node());
}

Document DocumentOf(const v1::CatalogEntry& entry) {
  Document document;
  document.code = entry.code();
  document.text = TextOf(entry);
  const absl::string_view text = document.text;
  const absl::string_view name = text.substr(0, text.find('\n'));
  for (size_t at = 0; at < name.size(); ++document.name_chars) NextChar(name, &at);
  document.name_key = NameKey(name);
  document.changed = static_cast<uint32_t>(
      std::clamp<int64_t>(entry.updated_at().seconds(), 0, std::numeric_limits<uint32_t>::max()));
  std::vector<std::string> classes = {entry.class_()};
  classes.insert(classes.end(), entry.other_classes().begin(), entry.other_classes().end());
  document.values[kClass] = Joined(std::move(classes));
  document.values[kDivision] = entry.division();
  document.values[kProvider] =
      absl::StrCat(entry.provider_code(), std::string(1, kLabelEnd), entry.provider());
  document.values[kSharing] = absl::StrCat(entry.sharing().type());
  document.values[kOpen] = entry.open().public_() ? "1" : "0";
  std::vector<std::string> formats = {entry.format()};
  for (const v1::Resource& resource : entry.resources()) formats.push_back(resource.format());
  document.values[kFormat] = Joined(std::move(formats));
  document.values[kCycle] = absl::StrCat(entry.update_cycle());
  document.values[kTheme] = Joined({entry.themes().begin(), entry.themes().end()});
  document.values[kKeyArea] = Joined({entry.key_areas().begin(), entry.key_areas().end()});
  document.values[kTemplate] = entry.template_();
  document.values[kNode] = NodeValue(entry);
  return document;
}

}  // namespace

NodeOf ParseNodeValue(absl::string_view value) {
  const size_t end = value.find(kLabelEnd);
  if (end == absl::string_view::npos) return {};
  return {.division = value.substr(0, end), .node = value.substr(end + 1)};
}

bool Before(const Document& a, const Document& b) {
  return std::make_tuple(a.name_chars, ~a.changed, absl::string_view(a.code), a.audience) <
         std::make_tuple(b.name_chars, ~b.changed, absl::string_view(b.code), b.audience);
}

std::string TextOf(const v1::CatalogEntry& entry) {
  // One call for all: folding costs more to begin than to do.
  std::string text;
  const auto add = [&text](absl::string_view field) {
    const size_t from = text.size();
    absl::StrAppend(&text, field);
    std::replace(text.begin() + static_cast<ptrdiff_t>(from), text.end(), kFieldEnd, ' ');
  };
  for (const std::string* field :
       {&entry.name(), &entry.provider(), &entry.class_(), &entry.code(), &entry.abstract()}) {
    add(*field);
    text += kFieldEnd;
  }
  for (const v1::DataItem& item : entry.items()) {
    text += " ; ";
    add(item.name());
    text += " ; ";
    add(item.field());
  }
  text = Fold(text);
  std::replace(text.begin(), text.end(), kFieldEnd, '\n');
  return text;
}

uint64_t Fingerprint(const v1::CatalogEntry& entry) {
  uint64_t fingerprint = 0;
  std::memcpy(&fingerprint, Sha256(entry.SerializeAsString()).data(), sizeof fingerprint);
  return fingerprint;
}

std::vector<Document> DocumentsOf(const Reader& snapshot, const v1::CatalogEntry& entry) {
  std::vector<Document> documents;
  if (entry.state() != v1::ENTRY_STATE_PUBLISHED) return documents;
  documents.push_back(DocumentOf(entry));
  documents[0].fingerprint = Fingerprint(entry);
  if (!entry.items_withheld()) return documents;
  const absl::StatusOr<v1::CatalogEntry> full =
      FindEntry(snapshot, entry.code(), UpwardItems::kShown);
  if (!full.ok() || full->items_withheld()) return documents;
  Document own = DocumentOf(*full);
  own.audience = kForOwn;
  own.fingerprint = Fingerprint(*full);
  documents[0].audience = kForOthers;
  documents.push_back(std::move(own));
  return documents;
}

std::vector<Document> DocumentsOf(const Reader& snapshot, absl::string_view code) {
  const std::optional<v1::CatalogEntry> entry = EntryInForce(snapshot, code);
  if (!entry.has_value()) return {};
  return DocumentsOf(snapshot, *entry);
}

}  // namespace guantong::search
