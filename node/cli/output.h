// One result on stdout, in the format asked for; values as people read them.
#ifndef GUANTONG_NODE_CLI_OUTPUT_H_
#define GUANTONG_NODE_CLI_OUTPUT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "node/cli/invocation.h"
#include "node/cli/table.h"

namespace google::protobuf {
class Timestamp;
}  // namespace google::protobuf

namespace guantong {

namespace v1 {
class Problem;
}  // namespace v1

void Emit(const Invocation& invocation, const nlohmann::ordered_json& document, const Table& table);

// To stderr: progress, hints, warnings; never data.
void Say(absl::string_view text);

// "3 秒前"; machines get RFC 3339. Empty for an absent time.
TableCell Age(bool present, const google::protobuf::Timestamp& time);
// "2026-11-21 08:00" in local time.
TableCell Date(bool present, const google::protobuf::Timestamp& time);
// "1.5 MiB"; machines get the number.
TableCell ByteCount(uint64_t bytes);
TableCell Count(uint64_t number);
// "/" for the root.
std::string ShownPath(absl::string_view path);
std::string YesNo(bool yes);

// 名称：问题 and its remedy, one line; what names an element of an entry.
std::string ProblemText(const v1::Problem& problem);

// Two columns without headings, for one thing.
Table Facts();

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_OUTPUT_H_
