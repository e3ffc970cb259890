#include "catalog/base/status.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace guantong {
namespace {

constexpr absl::string_view kDetailUrl = "guantong/error";

void AppendField(absl::string_view field, std::string* out) {
  const uint32_t size = static_cast<uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(size >> shift));
  out->append(field.data(), field.size());
}

bool TakeField(absl::string_view* in, std::string* field) {
  if (in->size() < 4) return false;
  uint32_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<uint8_t>((*in)[i]);
  in->remove_prefix(4);
  if (in->size() < size) return false;
  field->assign(in->data(), size);
  in->remove_prefix(size);
  return true;
}

bool Unpack(absl::string_view packed, ErrorDetail* detail) {
  return TakeField(&packed, &detail->reason) && TakeField(&packed, &detail->subject) &&
         TakeField(&packed, &detail->remedy) && packed.empty();
}

}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   absl::string_view subject, absl::string_view remedy) {
  GT_CHECK(code != absl::StatusCode::kOk);
  ErrorDetail detail{std::string(reason), std::string(subject), std::string(remedy)};
  return WithDetail(absl::Status(code, message), PackDetail(detail));
}

ErrorDetail DetailOf(const absl::Status& status) {
  ErrorDetail detail;
  if (auto payload = status.GetPayload(kDetailUrl); payload.has_value()) {
    if (!Unpack(std::string(*payload), &detail)) return {};
  }
  return detail;
}

std::string PackDetail(const ErrorDetail& detail) {
  std::string out;
  AppendField(detail.reason, &out);
  AppendField(detail.subject, &out);
  AppendField(detail.remedy, &out);
  return out;
}

absl::Status WithDetail(absl::Status status, absl::string_view packed_detail) {
  ErrorDetail detail;
  if (!status.ok() && Unpack(packed_detail, &detail)) {
    status.SetPayload(kDetailUrl, absl::Cord(packed_detail));
  }
  return status;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace guantong
