#include "node/config.h"

#include <google/protobuf/descriptor.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/status.h"
#include "node/form/form_value.h"
#include "node/form/json_form.h"
#include "node/language.h"
#include "node/new_file.h"

namespace guantong {
namespace {

// `set` says what was expected when it refuses, "" when it took the text.
struct Key {
  const char* name;
  std::function<std::string(const std::string& text, NodeConfig*)> set;
  std::function<std::string(const NodeConfig&)> get;
};

Key TextKey(const char* name, std::string NodeConfig::*field) {
  return {name,
          [field](const std::string& text, NodeConfig* config) {
            config->*field = text;
            return "";
          },
          [field](const NodeConfig& config) { return config.*field; }};
}

template <typename Enum>
Key EnumKey(const char* name, Enum NodeConfig::*field,
            const google::protobuf::EnumDescriptor& type) {
  return {name,
          [field, &type](const std::string& text, NodeConfig* config) {
            const auto* value = FindEnum(type, text);
            if (value == nullptr || value->number() == 0) {
              return absl::StrCat(Text("应为以下之一：", "should be one of "), EnumNames(type));
            }
            config->*field = static_cast<Enum>(value->number());
            return std::string();
          },
          [field, &type](const NodeConfig& config) {
            return EnumName(*type.FindValueByNumber(config.*field));
          }};
}

Key NumberKey(const char* name, uint32_t NodeConfig::*field, uint32_t max) {
  return {name,
          [field, max](const std::string& text, NodeConfig* config) {
            uint32_t number;
            if (!absl::SimpleAtoi(text, &number) || number > max) {
              return absl::StrCat(Text("应为 0 到 ", "should be 0 to "), max);
            }
            config->*field = number;
            return std::string();
          },
          [field](const NodeConfig& config) { return absl::StrCat(config.*field); }};
}

const std::vector<Key>& Keys() {
  static const auto& keys = *new std::vector<Key>{
      TextKey("listen", &NodeConfig::listen),
      TextKey("advertise", &NodeConfig::advertise),
      TextKey("division", &NodeConfig::division),
      TextKey("name", &NodeConfig::name),
      EnumKey("level", &NodeConfig::level, *v1::Level_descriptor()),
      TextKey("parent", &NodeConfig::parent),
      EnumKey("catalog_scope", &NodeConfig::catalog_scope, *v1::SearchScope_descriptor()),
      NumberKey("approvals", &NodeConfig::approvals, 2),
      TextKey("data_dir", &NodeConfig::data_dir),
      TextKey("log_level", &NodeConfig::log_level),
      NumberKey("child_disk_mb", &NodeConfig::child_disk_mb, kChildDiskMbMax),
      NumberKey("scrub_bytes_per_second", &NodeConfig::scrub_bytes_per_second,
                kScrubBytesPerSecondMax),
      NumberKey("scrub_pause_seconds", &NodeConfig::scrub_pause_seconds, kScrubPauseSecondsMax),
      NumberKey("certificate_seconds", &NodeConfig::certificate_seconds, kCertificateSecondsMax),
      NumberKey("renew_before_seconds", &NodeConfig::renew_before_seconds, kCertificateSecondsMax),
  };
  return keys;
}

const Key* FindKey(absl::string_view name) {
  for (const Key& key : Keys()) {
    if (name == key.name) return &key;
  }
  return nullptr;
}

std::string KeyNames() {
  return absl::StrJoin(Keys(), ", ", [](std::string* out, const Key& key) { *out += key.name; });
}

absl::Status ReadForm(const FormValue& form, absl::string_view source, NodeConfig* config) {
  if (form.kind != FormValue::Kind::kMap) {
    return FormError("value_malformed", source, form.line, "",
                     Text("应为一组“键: 值”", "should be keys with values"));
  }
  for (const FormMember& member : form.map) {
    const Key* key = FindKey(member.key);
    if (key == nullptr) {
      return FormError("key_unknown", source, member.value.line, member.key,
                       Text("不认识的键", "unknown key"),
                       absl::StrCat(Text("可用的键：", "known keys: "), KeyNames()));
    }
    if (member.value.kind == FormValue::Kind::kNull) continue;
    if (member.value.kind == FormValue::Kind::kMap || member.value.kind == FormValue::Kind::kList) {
      return FormError("value_malformed", source, member.value.line, member.key,
                       Text("应为单个值", "should be a single value"));
    }
    if (const std::string wrong = key->set(member.value.text, config); !wrong.empty()) {
      return FormError("value_malformed", source, member.value.line, member.key,
                       absl::StrCat(wrong, Text("，写的是 ", ", it is "), member.value.text));
    }
  }
  return absl::OkStatus();
}

absl::Status Override(const Environment& environment, NodeConfig* config) {
  for (const Key& key : Keys()) {
    const std::string variable = absl::StrCat("GUANTONG_", absl::AsciiStrToUpper(key.name));
    const char* text = environment(variable.c_str());
    if (text == nullptr) continue;
    if (const std::string wrong = key.set(text, config); !wrong.empty()) {
      return FormError("value_malformed", variable, 0, "",
                       absl::StrCat(wrong, Text("，写的是 ", ", it is "), text));
    }
  }
  return absl::OkStatus();
}

bool IsSixDigits(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return text.size() == 6;
}

absl::Status CheckAddress(absl::string_view source, absl::string_view key,
                          const std::string& address) {
  if (absl::StatusOr<HostPort> parsed = ParseHostPort(address); !parsed.ok()) {
    return FormError("value_malformed", source, 0, key, std::string(parsed.status().message()));
  }
  return absl::OkStatus();
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

absl::StatusOr<NodeConfig> ParseConfig(absl::string_view text, absl::string_view source,
                                       const Environment& environment) {
  GT_ASSIGN_OR_RETURN(const FormValue form, ParseYaml(text, source));
  NodeConfig config;
  GT_RETURN_IF_ERROR(ReadForm(form, source, &config));
  GT_RETURN_IF_ERROR(Override(environment, &config));
  if (config.advertise.empty()) config.advertise = config.listen;
  GT_RETURN_IF_ERROR(CheckConfig(config, source));
  return config;
}

absl::StatusOr<NodeConfig> LoadConfig(const std::string& dir, const Environment& environment) {
  const std::string file = absl::StrCat(dir, "/", kConfigFile);
  GT_ASSIGN_OR_RETURN(const std::string text, ReadFormFile(file));
  return ParseConfig(text, file, environment);
}

absl::Status CheckConfig(const NodeConfig& config, absl::string_view source) {
  const auto missing = [source](absl::string_view key) {
    return FormError("value_missing", source, 0, key, Text("没有给出", "is not given"));
  };
  if (config.listen.empty()) return missing("listen");
  if (config.name.empty()) return missing("name");
  if (config.data_dir.empty()) return missing("data_dir");
  if (config.level == v1::LEVEL_UNSPECIFIED) return missing("level");
  GT_RETURN_IF_ERROR(CheckAddress(source, "listen", config.listen));
  if (!config.advertise.empty()) {
    GT_RETURN_IF_ERROR(CheckAddress(source, "advertise", config.advertise));
  }
  if (!config.parent.empty()) GT_RETURN_IF_ERROR(CheckAddress(source, "parent", config.parent));
  if (!IsSixDigits(config.division)) {
    return FormError("value_malformed", source, 0, "division",
                     absl::StrCat(Text("应为六位行政区划代码，写的是 ",
                                       "should be a division code of six digits, it is "),
                                  config.division.empty() ? "\"\"" : config.division));
  }
  if (config.child_disk_mb < kChildDiskMbMin) {
    return FormError("value_malformed", source, 0, "child_disk_mb",
                     absl::StrCat(Text("至少为 ", "should be at least "), kChildDiskMbMin));
  }
  const std::string& level = config.log_level;
  if (level != "debug" && level != "info" && level != "warning" && level != "error") {
    return FormError("value_malformed", source, 0, "log_level",
                     absl::StrCat(Text("应为以下之一：debug, info, warning, error，写的是 ",
                                       "should be one of debug, info, warning, error, it is "),
                                  level));
  }
  return absl::OkStatus();
}

std::string PrintConfig(const NodeConfig& config) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const Key& key : Keys()) {
    const std::string text = key.get(config);
    if (text.empty()) continue;
    out << YAML::Key << key.name << YAML::Value << text;
  }
  out << YAML::EndMap;
  return absl::StrCat(out.c_str(), "\n");
}

absl::Status SaveConfig(const std::string& dir, const NodeConfig& config) {
  GT_RETURN_IF_ERROR(CheckConfig(config, kConfigFile));
  return WriteNewFile(absl::StrCat(dir, "/", kConfigFile), PrintConfig(config), 0644);
}

std::string DataFolder(const std::string& dir, const NodeConfig& config) {
  const bool absolute = !config.data_dir.empty() && config.data_dir[0] == '/';
  return absolute ? config.data_dir : absl::StrCat(dir, "/", config.data_dir);
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view address) {
  const auto malformed = [address] {
    return Error(
        absl::StatusCode::kInvalidArgument, "address_malformed",
        absl::StrCat(Text("应为 主机:端口，如 10.1.2.3:7443 或 [2001:db8::1]:7443，写的是 ",
                          "should be HOST:PORT like 10.1.2.3:7443 or "
                          "[2001:db8::1]:7443, it is "),
                     address),
        address);
  };
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return malformed();
  absl::string_view host = address.substr(0, colon);
  int port;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535 ||
      !absl::ascii_isdigit(address.back())) {
    return malformed();
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || bracketed != (host.find(':') != absl::string_view::npos)) return malformed();
  for (const char c : host) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '%') {
      return malformed();
    }
  }
  return HostPort{std::string(host), static_cast<uint16_t>(port)};
}

std::string LocalAddress(absl::string_view address) {
  absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (parsed.ok() && parsed->host == "0.0.0.0") return absl::StrCat("127.0.0.1:", parsed->port);
  if (parsed.ok() && parsed->host == "::") return absl::StrCat("[::1]:", parsed->port);
  return std::string(address);
}

}  // namespace guantong
