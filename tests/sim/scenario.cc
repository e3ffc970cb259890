#include "tests/sim/scenario.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/status.h"

namespace guantong::sim {

namespace {

namespace pb = google::protobuf;

constexpr char kFolder[] = GUANTONG_SOURCE_DIR "/tests/sim/scenarios";

absl::Status Wrong(absl::string_view file, int line, absl::string_view cause) {
  return absl::InvalidArgumentError(absl::StrCat(file, ":", line + 1, ": ", cause));
}

class FirstError : public pb::io::ErrorCollector {
 public:
  explicit FirstError(std::string file) : file_(std::move(file)) {}
  void AddError(int line, int, const std::string& message) override {
    if (status_.ok()) status_ = Wrong(file_, line, message);
  }
  const absl::Status& status() const { return status_; }

 private:
  std::string file_;
  absl::Status status_;
};

// Nothing here may be negative, and a chance is at most 1.
absl::Status CheckNumbers(const pb::Message& message, const pb::TextFormat::ParseInfoTree& where,
                          const std::string& file) {
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const auto wrong = [&](absl::string_view cause) {
      return Wrong(file, where.GetLocation(field, field->is_repeated() ? 0 : -1).line,
                   absl::StrCat(field->name(), " ", cause));
    };
    if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_DOUBLE) {
      const double value = reflection.GetDouble(message, field);
      if (!(value >= 0)) return wrong("is negative");
      if (absl::EndsWith(field->name(), "_chance") && value > 1)
        return wrong("is a chance, at most 1");
    } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_INT32) {
      const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        const int value = field->is_repeated() ? reflection.GetRepeatedInt32(message, field, i)
                                               : reflection.GetInt32(message, field);
        if (value < 0) return wrong("is negative");
        if (field->is_repeated() && value == 0) return wrong("has a level without nodes");
      }
    } else if (field->cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE) {
      GT_RETURN_IF_ERROR(CheckNumbers(reflection.GetMessage(message, field),
                                      *where.GetTreeForNested(field, -1), file));
    }
  }
  return absl::OkStatus();
}

void Add(const Scenario& more, Scenario& to) {
  // Said again, a list replaces what was said before.
  if (more.shape().fan_out_size() > 0) {
    to.mutable_shape()->clear_fan_out();
    to.mutable_shape()->clear_country();
  }
  to.MergeFrom(more);
}

absl::StatusOr<Scenario> LoadFile(const std::string& path, std::vector<std::string>& open);

absl::StatusOr<Scenario> Parse(const std::string& text, const std::string& file,
                               std::vector<std::string>& open) {
  Scenario own;
  FirstError errors(file);
  pb::TextFormat::ParseInfoTree where;
  pb::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&where);
  if (!parser.ParseFromString(text, &own)) return errors.status();
  GT_RETURN_IF_ERROR(CheckNumbers(own, where, file));

  const pb::FieldDescriptor* include =
      Scenario::descriptor()->FindFieldByNumber(Scenario::kIncludeFieldNumber);
  Scenario whole;
  for (int i = 0; i < own.include_size(); ++i) {
    const std::string path = absl::StrCat(kFolder, "/", own.include(i), ".txt");
    absl::StatusOr<Scenario> part = absl::InvalidArgumentError("it includes itself");
    if (std::find(open.begin(), open.end(), path) == open.end()) part = LoadFile(path, open);
    if (!part.ok()) {
      return Wrong(file, where.GetLocation(include, i).line,
                   absl::StrCat("include \"", own.include(i), "\": ", part.status().message()));
    }
    Add(*part, whole);
  }
  own.clear_include();
  Add(own, whole);
  return whole;
}

absl::StatusOr<Scenario> LoadFile(const std::string& path, std::vector<std::string>& open) {
  std::ifstream in(path);
  if (!in) return absl::InvalidArgumentError(absl::StrCat(path, ": there is no such scenario"));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  open.push_back(path);
  absl::StatusOr<Scenario> scenario = Parse(text, path, open);
  open.pop_back();
  return scenario;
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(const std::string& text, const std::string& file) {
  std::vector<std::string> open;
  return Parse(text, file, open);
}

absl::StatusOr<Scenario> LoadScenario(absl::string_view name) {
  std::vector<std::string> open;
  if (absl::EndsWith(name, ".txt")) return LoadFile(std::string(name), open);
  Scenario whole;
  for (absl::string_view part : absl::StrSplit(name, '/')) {
    absl::StatusOr<Scenario> more = LoadFile(absl::StrCat(kFolder, "/", part, ".txt"), open);
    if (!more.ok()) return more.status();
    Add(*more, whole);
  }
  return whole;
}

std::vector<std::string> ScenarioNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace guantong::sim
