// The reading half of json_form.h.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "catalog/base/status.h"
#include "node/form/json_form.h"
#include "node/language.h"

namespace guantong {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::ordered_json;
using Kind = FormValue::Kind;

bool IsScalar(const FormValue& value) {
  return value.kind != Kind::kList && value.kind != Kind::kMap;
}

std::string KnownKeys(const google::protobuf::Descriptor& type) {
  std::string keys;
  for (int i = 0; i < type.field_count(); ++i) {
    absl::StrAppend(&keys, i == 0 ? "" : ", ", type.field(i)->name());
  }
  return keys;
}

class Reader {
 public:
  explicit Reader(absl::string_view source) : source_(source) {}

  absl::Status ReadMessage(const FormValue& form, const std::string& path, Message* message) const {
    if (form.kind != Kind::kMap)
      return Wrong(form, path, Text("应为一组“键: 值”", "should be keys with values"));
    const auto* type = message->GetDescriptor();
    for (const FormMember& member : form.map) {
      const std::string at = path.empty() ? member.key : absl::StrCat(path, ".", member.key);
      const FieldDescriptor* field = type->FindFieldByName(member.key);
      if (field == nullptr) {
        return FormError(
            "key_unknown", source_, member.value.line, at, Text("不认识的键", "unknown key"),
            absl::StrCat(Text("这里可用的键：", "keys known here: "), KnownKeys(*type)));
      }
      if (member.value.kind == Kind::kNull) continue;
      if (!field->is_repeated()) {
        GT_RETURN_IF_ERROR(ReadValue(member.value, at, *field, message));
        continue;
      }
      if (member.value.kind != Kind::kList)
        return Wrong(member.value, at, Text("应为列表", "should be a list"));
      for (size_t i = 0; i < member.value.list.size(); ++i) {
        GT_RETURN_IF_ERROR(
            ReadValue(member.value.list[i], absl::StrCat(at, "[", i, "]"), *field, message));
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Wrong(const FormValue& value, const std::string& path,
                     absl::string_view what) const {
    const std::string given =
        IsScalar(value) && !value.text.empty()
            ? absl::StrCat(Text("，写的是 ", ", it is "), value.text.substr(0, 60))
            : "";
    return FormError("value_malformed", source_, value.line, path, absl::StrCat(what, given));
  }

  // Sets a singular field, or appends to a repeated one.
  absl::Status ReadValue(const FormValue& value, const std::string& path,
                         const FieldDescriptor& field, Message* message) const {
    const Reflection& reflection = *message->GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message* part = field.is_repeated() ? reflection.AddMessage(message, &field)
                                          : reflection.MutableMessage(message, &field);
      return ReadPart(value, path, part);
    }
    if (!IsScalar(value) || value.kind == Kind::kNull)
      return Wrong(value, path, Text("应为单个值", "should be a single value"));
    const auto put = [&](auto set, auto add, auto read) {
      if (field.is_repeated()) {
        (reflection.*add)(message, &field, std::move(read));
      } else {
        (reflection.*set)(message, &field, std::move(read));
      }
      return absl::OkStatus();
    };
    const std::string& text = value.text;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        int32_t number;
        if (!absl::SimpleAtoi(text, &number))
          return Wrong(value, path, Text("应为整数", "should be an integer"));
        return put(&Reflection::SetInt32, &Reflection::AddInt32, number);
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        uint32_t number;
        if (!absl::SimpleAtoi(text, &number))
          return Wrong(value, path, Text("应为非负整数", "should be an integer from 0"));
        return put(&Reflection::SetUInt32, &Reflection::AddUInt32, number);
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        int64_t number;
        if (!absl::SimpleAtoi(text, &number))
          return Wrong(value, path, Text("应为整数", "should be an integer"));
        return put(&Reflection::SetInt64, &Reflection::AddInt64, number);
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        uint64_t number;
        if (!absl::SimpleAtoi(text, &number))
          return Wrong(value, path, Text("应为非负整数", "should be an integer from 0"));
        return put(&Reflection::SetUInt64, &Reflection::AddUInt64, number);
      }
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT: {
        double number;
        if (!absl::SimpleAtod(text, &number) || !std::isfinite(number)) {
          return Wrong(value, path, Text("应为数", "should be a number"));
        }
        if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
          return put(&Reflection::SetDouble, &Reflection::AddDouble, number);
        }
        return put(&Reflection::SetFloat, &Reflection::AddFloat, static_cast<float>(number));
      }
      case FieldDescriptor::CPPTYPE_BOOL: {
        if (value.kind == Kind::kNumber || (text != "true" && text != "false")) {
          return Wrong(value, path, Text("应为 true 或 false", "should be true or false"));
        }
        return put(&Reflection::SetBool, &Reflection::AddBool, text == "true");
      }
      case FieldDescriptor::CPPTYPE_ENUM: {
        const EnumValueDescriptor* found = FindEnum(*field.enum_type(), text);
        if (found == nullptr || value.kind == Kind::kNumber) {
          return Wrong(value, path,
                       absl::StrCat(Text("应为以下之一：", "should be one of "),
                                    EnumNames(*field.enum_type())));
        }
        return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue, found->number());
      }
      case FieldDescriptor::CPPTYPE_STRING:
        return ReadText(value, path, field, put);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        break;
    }
    return Wrong(value, path, Text("无法读取", "cannot be read"));
  }

  template <typename Put>
  absl::Status ReadText(const FormValue& value, const std::string& path,
                        const FieldDescriptor& field, const Put& put) const {
    // A code written as a JSON number may have lost digits or zeros before it got here.
    if (value.kind == Kind::kNumber || value.kind == Kind::kBool) {
      return Wrong(value, path, Text("应为文本，请加引号", "should be text: put it in quotes"));
    }
    if (field.type() != FieldDescriptor::TYPE_BYTES) {
      return put(&Reflection::SetString, &Reflection::AddString, value.text);
    }
    for (const char c : value.text) {
      if (!absl::ascii_isxdigit(c))
        return Wrong(value, path, Text("应为十六进制", "should be hexadecimal"));
    }
    if (value.text.size() % 2 != 0)
      return Wrong(value, path, Text("应为十六进制", "should be hexadecimal"));
    return put(&Reflection::SetString, &Reflection::AddString, absl::HexStringToBytes(value.text));
  }

  absl::Status ReadPart(const FormValue& value, const std::string& path, Message* part) const {
    const std::string& type = part->GetDescriptor()->full_name();
    if (type == google::protobuf::Timestamp::descriptor()->full_name()) {
      absl::Time time;
      std::string why;
      if (!IsScalar(value) || !absl::ParseTime(absl::RFC3339_full, value.text, &time, &why) ||
          time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
        return Wrong(value, path,
                     Text("应为时间，如 2026-11-21T08:00:00+08:00",
                          "should be a time like 2026-11-21T08:00:00+08:00"));
      }
      auto* stamp = static_cast<google::protobuf::Timestamp*>(part);
      stamp->set_seconds(absl::ToUnixSeconds(time));
      stamp->set_nanos(static_cast<int32_t>(
          absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(stamp->seconds()))));
      return absl::OkStatus();
    }
    if (type == google::protobuf::Duration::descriptor()->full_name()) {
      absl::Duration duration;
      if (!IsScalar(value) || !absl::ParseDuration(value.text, &duration) ||
          duration == absl::InfiniteDuration() || duration == -absl::InfiniteDuration()) {
        return Wrong(value, path,
                     Text("应为时长，如 1.5s、10m", "should be a duration like 1.5s or 10m"));
      }
      auto* length = static_cast<google::protobuf::Duration*>(part);
      length->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
      length->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
      return absl::OkStatus();
    }
    return ReadMessage(value, path, part);
  }

  const absl::string_view source_;
};

FormValue FormOf(const ordered_json& json) {
  FormValue form;
  switch (json.type()) {
    case ordered_json::value_t::object:
      form.kind = Kind::kMap;
      for (const auto& [key, value] : json.items()) form.map.push_back({key, FormOf(value)});
      break;
    case ordered_json::value_t::array:
      form.kind = Kind::kList;
      for (const auto& value : json) form.list.push_back(FormOf(value));
      break;
    case ordered_json::value_t::string:
      form.kind = Kind::kText;
      form.text = json.get_ref<const std::string&>();
      break;
    case ordered_json::value_t::boolean:
      form.kind = Kind::kBool;
      form.text = json.get<bool>() ? "true" : "false";
      break;
    case ordered_json::value_t::number_integer:
    case ordered_json::value_t::number_unsigned:
    case ordered_json::value_t::number_float:
      form.kind = Kind::kNumber;
      form.text = json.dump();
      break;
    default:
      break;
  }
  return form;
}

}  // namespace

absl::Status FromForm(const FormValue& form, absl::string_view source, Message* message) {
  message->Clear();
  return Reader(source).ReadMessage(form, "", message);
}

absl::Status FromJson(const ordered_json& json, Message* message) {
  return FromForm(FormOf(json), "", message);
}

}  // namespace guantong
