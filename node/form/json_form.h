// Any message of ours as text for people and scripts, and back: one conversion, driven by the
// descriptors, no table per message.
//
// SHAPE  Field names as in the protos. Enum values without their prefix in lower case
// ("published"); one-letter values (item types)
//        in upper case, read in any case. 64-bit integers are decimal strings, 32-bit ones, doubles
//        and bools JSON values. Timestamps are RFC 3339 in UTC, Durations text ("1.5s"), bytes hex.
//        Every field that always has a value is printed, also at its default, and lists also when
//        empty, so that scripts can rely on the key; absent messages, absent optionals and the
//        unset arms of a oneof are left out.
//
// GAPS   No maps, no Any, no extensions: the protos have none.
#ifndef GUANTONG_NODE_FORM_JSON_FORM_H_
#define GUANTONG_NODE_FORM_JSON_FORM_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "node/form/form_value.h"

namespace google::protobuf {
class EnumDescriptor;
class EnumValueDescriptor;
class Message;
}  // namespace google::protobuf

namespace guantong {

nlohmann::ordered_json ToJson(const google::protobuf::Message& message);

// Replaces `message`. INVALID_ARGUMENT key_unknown, value_malformed; subject is the place, or the
// path of the key where no place is known. null stands for absent. On an error `message` holds what
// was read before.
absl::Status FromJson(const nlohmann::ordered_json& json, google::protobuf::Message* message);
absl::Status FromForm(const FormValue& form, absl::string_view source,
                      google::protobuf::Message* message);

// One line of text; bytes that are no UTF-8 (a peer can send them) become U+FFFD.
std::string JsonText(const nlohmann::ordered_json& json);
// For people: indented.
std::string PrettyJsonText(const nlohmann::ordered_json& json);

// "published" for ENTRY_STATE_PUBLISHED, "N" for ITEM_TYPE_N.
std::string EnumName(const google::protobuf::EnumValueDescriptor& value);
// Null: no such value.
const google::protobuf::EnumValueDescriptor* FindEnum(const google::protobuf::EnumDescriptor& type,
                                                      absl::string_view name);
// All names but unspecified, for messages: "up, down, refused".
std::string EnumNames(const google::protobuf::EnumDescriptor& type);

}  // namespace guantong

#endif  // GUANTONG_NODE_FORM_JSON_FORM_H_
