#include "node/cli/output.h"

#include <google/protobuf/timestamp.pb.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "guantong/v1/entry.pb.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string MachineTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string Length(absl::Duration length) {
  const auto whole = [length](absl::Duration unit) { return length / unit; };
  if (length < absl::Minutes(1)) {
    return absl::StrCat(whole(absl::Seconds(1)), Text(" 秒", " s"));
  }
  if (length < absl::Hours(1)) return absl::StrCat(whole(absl::Minutes(1)), Text(" 分钟", " min"));
  if (length < absl::Hours(48)) return absl::StrCat(whole(absl::Hours(1)), Text(" 小时", " h"));
  return absl::StrCat(whole(absl::Hours(24)), Text(" 天", " days"));
}

}  // namespace

void Emit(const Invocation& invocation, const nlohmann::ordered_json& document,
          const Table& table) {
  switch (invocation.output) {
    case OutputFormat::kJson:
      std::printf("%s\n", PrettyJsonText(document).c_str());
      return;
    case OutputFormat::kCsv:
      table.PrintCsv(stdout);
      return;
    case OutputFormat::kTable:
      table.Print(stdout);
      return;
  }
}

void Say(absl::string_view text) {
  std::fprintf(stderr, "%s\n", Printable(text, KeepLines::kYes).c_str());
}

TableCell Age(bool present, const google::protobuf::Timestamp& time) {
  if (!present) return "";
  const absl::Time at = TimeOf(time);
  const absl::Duration age = absl::Now() - at;
  const std::string shown = age >= absl::ZeroDuration()
                                ? absl::StrCat(Length(age), Text("前", " ago"))
                                : absl::StrCat(Length(-age), Text("后", " from now"));
  return {shown, MachineTime(at)};
}

TableCell Date(bool present, const google::protobuf::Timestamp& time) {
  if (!present) return "";
  const absl::Time at = TimeOf(time);
  return {absl::FormatTime("%Y-%m-%d %H:%M", at, absl::LocalTimeZone()), MachineTime(at)};
}

TableCell ByteCount(uint64_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return {unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.1f %s", value, units[unit]),
          absl::StrCat(bytes)};
}

TableCell Count(uint64_t number) { return absl::StrCat(number); }

std::string ShownPath(absl::string_view path) { return absl::StrCat("/", path); }

std::string YesNo(bool yes) { return yes ? Text("是", "yes") : Text("否", "no"); }

std::string ProblemText(const v1::Problem& problem) {
  return absl::StrCat(problem.warning() ? Text("注意 ", "note ") : Text("错误 ", "error "),
                      problem.element(), problem.element().empty() ? "" : "：", problem.text(),
                      problem.remedy().empty() ? "" : "。", problem.remedy());
}

Table Facts() { return Table({{"field", ""}, {"value", ""}}); }

}  // namespace guantong
