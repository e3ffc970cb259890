#include <yaml-cpp/yaml.h>

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/digest.h"
#include "catalog/base/status.h"
#include "node/identity/files.h"
#include "node/identity/identity.h"
#include "node/language.h"

namespace guantong {
namespace {

absl::Status Malformed(const std::string& file, absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "profile_malformed",
               absl::StrCat(file, ": ", why), file,
               Text("用 guantong init 或 guantong department add 写出的文件，不要手工改证书",
                    "use the file that guantong init or guantong department add wrote"));
}

absl::StatusOr<YAML::Node> ParseYaml(const std::string& file, const std::string& text) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return Malformed(file, absl::StrCat("line ", error.mark.line + 1, ": ", error.msg));
  }
}

// Copies the scalars of a map into `fields`; every key must be known, and once.
absl::Status ReadFields(const std::string& file, const YAML::Node& yaml,
                        const std::map<std::string, std::string*>& fields) {
  try {
    if (!yaml.IsMap()) return Malformed(file, "not a map of fields");
    for (const auto& entry : yaml) {
      const auto name = entry.first.as<std::string>();
      const auto field = fields.find(name);
      if (field == fields.end()) {
        return Malformed(
            file, absl::StrCat("line ", entry.first.Mark().line + 1, ": unknown field ", name));
      }
      *field->second = entry.second.as<std::string>();
    }
  } catch (const YAML::Exception& error) {
    return Malformed(file, absl::StrCat("line ", error.mark.line + 1, ": ", error.msg));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Digest(const std::string& file, const std::string& hex,
                                   absl::string_view name) {
  std::string bytes;
  if (hex.size() == 2 * kDigestBytes) bytes = absl::HexStringToBytes(hex);
  if (HexOf(bytes) != hex || bytes.empty()) {
    return Malformed(file, absl::StrCat(name, " is not ", 2 * kDigestBytes, " hex digits"));
  }
  return bytes;
}

}  // namespace

absl::Status SaveProfile(const std::string& file, const Profile& profile) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  out << YAML::Key << "node" << YAML::Value << profile.node;
  out << YAML::Key << "network" << YAML::Value << HexOf(profile.network);
  out << YAML::Key << "node_id" << YAML::Value << HexOf(profile.node_id);
  out << YAML::Key << "role" << YAML::Value << profile.role;
  if (!profile.uscc.empty()) out << YAML::Key << "uscc" << YAML::Value << profile.uscc;
  out << YAML::Key << "certificate" << YAML::Value << YAML::Literal << profile.certificate_pem;
  out << YAML::Key << "key" << YAML::Value << YAML::Literal << profile.key_pem;
  out << YAML::EndMap;
  return ReplaceFile(file, absl::StrCat(out.c_str(), "\n"));
}

absl::StatusOr<Profile> LoadProfile(const std::string& file) {
  GT_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file));
  GT_ASSIGN_OR_RETURN(const YAML::Node yaml, ParseYaml(file, text));
  Profile profile;
  std::string network;
  std::string node_id;
  GT_RETURN_IF_ERROR(ReadFields(file, yaml,
                                {{"node", &profile.node},
                                 {"network", &network},
                                 {"node_id", &node_id},
                                 {"role", &profile.role},
                                 {"uscc", &profile.uscc},
                                 {"certificate", &profile.certificate_pem},
                                 {"key", &profile.key_pem}}));
  GT_ASSIGN_OR_RETURN(profile.network, Digest(file, network, "network"));
  GT_ASSIGN_OR_RETURN(profile.node_id, Digest(file, node_id, "node_id"));
  if (profile.node.empty()) return Malformed(file, "node is missing");
  if (const auto chain = ChainFromPem(profile.certificate_pem); !chain.ok()) {
    return Malformed(file, absl::StrCat("certificate: ", chain.status().message()));
  }
  if (const auto key = SigningKey::FromPem(profile.key_pem); !key.ok()) {
    return Malformed(file, absl::StrCat("key: ", key.status().message()));
  }
  return profile;
}

}  // namespace guantong
