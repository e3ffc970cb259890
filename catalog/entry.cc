#include "catalog/entry.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/status.h"

namespace guantong {
namespace {

bool AllOf(absl::string_view text, bool (*is)(unsigned char)) {
  return std::all_of(text.begin(), text.end(), [is](unsigned char c) { return is(c); });
}

// Chinese texts come with ideographic spaces as well.
std::string Trimmed(const std::string& text) {
  const char* data = text.data();
  int32_t begin = 0;
  int32_t end = static_cast<int32_t>(text.size());
  UChar32 character;
  while (begin < end) {
    int32_t next = begin;
    U8_NEXT(data, next, end, character);
    if (character < 0 || !u_isUWhiteSpace(character)) break;
    begin = next;
  }
  while (end > begin) {
    int32_t before = end;
    U8_PREV(reinterpret_cast<const uint8_t*>(data), begin, before, character);
    if (character < 0 || !u_isUWhiteSpace(character)) break;
    end = before;
  }
  return text.substr(begin, end - begin);
}

// Every string field, at any depth.
void TrimAll(google::protobuf::Message* message) {
  using google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection* reflection = message->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(*message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        TrimAll(field->is_repeated() ? reflection->MutableRepeatedMessage(message, field, i)
                                     : reflection->MutableMessage(message, field));
      } else if (field->type() == FieldDescriptor::TYPE_STRING) {
        if (field->is_repeated()) {
          reflection->SetRepeatedString(message, field, i,
                                        Trimmed(reflection->GetRepeatedString(*message, field, i)));
        } else {
          reflection->SetString(message, field, Trimmed(reflection->GetString(*message, field)));
        }
      }
    }
  }
}

// "XK_XDR_MC" -> "xk_xdr_mc", "Area Code" -> "area_code".
std::string FieldFrom(absl::string_view english_name) {
  std::string field;
  for (const unsigned char c : english_name) {
    field.push_back(absl::ascii_isalnum(c) ? absl::ascii_tolower(c) : '_');
  }
  return field;
}

void GiveResourceIds(v1::CatalogEntry* entry) {
  std::set<std::string> taken;
  for (const v1::Resource& resource : entry->resources()) taken.insert(resource.id());
  int next = 1;
  for (v1::Resource& resource : *entry->mutable_resources()) {
    if (!resource.id().empty()) continue;
    while (taken.count(std::to_string(next)) > 0) ++next;
    resource.set_id(std::to_string(next++));
  }
}

}  // namespace

std::vector<v1::Problem> NormaliseEntry(v1::CatalogEntry* entry) {
  std::vector<v1::Problem> problems;
  TrimAll(entry);
  const std::string upper = absl::AsciiStrToUpper(entry->provider_code());
  if (upper != entry->provider_code()) {
    v1::Problem& problem = problems.emplace_back();
    problem.set_element("provider_code");
    problem.set_warning(true);
    problem.set_text(absl::StrCat("提供方代码“", entry->provider_code(),
                                  "”含小写字母，已改为大写 (lower case, taken as upper case)"));
    problem.set_remedy("GB 32100-2015 只用大写字母，请改正原表 (correct it at its source)");
    entry->set_provider_code(upper);
  }
  for (v1::DataItem& item : *entry->mutable_items()) {
    if (item.field().empty()) item.set_field(FieldFrom(item.english_name()));
  }
  GiveResourceIds(entry);
  if (entry->format().empty() && entry->resources_size() > 0) {
    entry->set_format(entry->resources(0).format());
  }
  if (entry->sharing().modes().empty()) {
    std::set<v1::SharingMode> modes;
    for (const v1::Resource& resource : entry->resources()) modes.insert(resource.mode());
    for (const v1::SharingMode mode : modes) {
      if (mode != v1::SHARING_MODE_UNSPECIFIED) entry->mutable_sharing()->add_modes(mode);
    }
  }
  return problems;
}

v1::CatalogEntry WrittenPart(v1::CatalogEntry entry) {
  entry.clear_state();
  entry.clear_version();
  entry.clear_node();
  entry.clear_updated_at();
  entry.clear_schema_version();
  entry.clear_items_withheld();
  entry.clear_publication_date();
  entry.clear_aliases();
  entry.clear_state_reason();
  entry.clear_template_version();
  entry.clear_warnings();
  entry.clear_division();  // of the department, as the node knows it
  NormaliseEntry(&entry);
  if (entry.contact().ByteSizeLong() == 0) entry.clear_contact();
  if (entry.responsible().ByteSizeLong() == 0) entry.clear_responsible();
  if (entry.open().ByteSizeLong() == 0) entry.clear_open();
  for (v1::DataItem& item : *entry.mutable_items()) {
    if (item.sharing().ByteSizeLong() == 0) item.clear_sharing();
    if (item.open().ByteSizeLong() == 0) item.clear_open();
    item.clear_inherited();
  }
  return entry;
}

bool SameEntry(const v1::CatalogEntry& a, const v1::CatalogEntry& b) {
  return WrittenPart(a).SerializeAsString() == WrittenPart(b).SerializeAsString();
}

bool OnlyContactsDiffer(const v1::CatalogEntry& a, const v1::CatalogEntry& b) {
  v1::CatalogEntry one = WrittenPart(a), other = WrittenPart(b);
  for (v1::CatalogEntry* entry : {&one, &other}) {
    entry->clear_contact();
    entry->clear_responsible();
  }
  return one.SerializeAsString() == other.SerializeAsString();
}

bool IsUscc(absl::string_view code) {
  constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  constexpr size_t kLength = 18;
  if (code.size() != kLength || !IsDivisionCode(code.substr(2, 6))) return false;
  size_t sum = 0;
  size_t weight = 1;
  for (size_t i = 0; i + 1 < kLength; ++i) {
    const size_t value = kAlphabet.find(code[i]);
    if (value == absl::string_view::npos) return false;
    sum += value * weight;
    weight = weight * 3 % kAlphabet.size();
  }
  const size_t check = (kAlphabet.size() - sum % kAlphabet.size()) % kAlphabet.size();
  return code.back() == kAlphabet[check];
}

std::string DivisionOfUscc(absl::string_view uscc) {
  return uscc.size() == 18 ? std::string(uscc.substr(2, 6)) : "";
}

absl::StatusOr<ResourceRef> ParseResourceRef(absl::string_view text) {
  constexpr size_t kClassDigitsMax = 24, kSequenceMax = 32, kIdMax = 64;
  const auto is_id = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
  };
  const size_t slash = text.find('/');
  const size_t colon = text.find(':');
  const absl::string_view code = text.substr(0, colon);
  bool good = slash != absl::string_view::npos && slash < code.size();
  if (good) {
    const absl::string_view entry_class = code.substr(0, slash);
    const absl::string_view sequence = code.substr(slash + 1);
    good = !entry_class.empty() && entry_class.size() <= kClassDigitsMax &&
           AllOf(entry_class, absl::ascii_isdigit) && !sequence.empty() &&
           sequence.size() <= kSequenceMax && AllOf(sequence, absl::ascii_isalnum);
  }
  ResourceRef ref{std::string(code), ""};
  if (good && colon != absl::string_view::npos) {
    const absl::string_view id = text.substr(colon + 1);
    good = !id.empty() && id.size() <= kIdMax && std::all_of(id.begin(), id.end(), is_id);
    ref.id = std::string(id);
  }
  if (good) return ref;
  return Error(absl::StatusCode::kInvalidArgument, "code_malformed",
               absl::StrFormat("“%s”不是信息资源代码：应为 分类代码/顺序号，可加 :资源编号", text),
               text, "例如 3070120337/630000000001 或 3070120337/630000000001:1");
}

std::string MakeCode(absl::string_view entry_class, absl::string_view division, uint64_t serial) {
  return absl::StrFormat("%s/%s%06d", entry_class, division, serial);
}

v1::CatalogEntry OpenHalf(const v1::CatalogEntry& entry) {
  v1::CatalogEntry open = entry;
  open.clear_items();
  open.set_items_withheld(true);
  return open;
}

}  // namespace guantong
