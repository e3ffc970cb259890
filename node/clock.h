// Time in messages.
#ifndef GUANTONG_NODE_CLOCK_H_
#define GUANTONG_NODE_CLOCK_H_

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/time/time.h"

namespace guantong {

google::protobuf::Timestamp TimestampOf(absl::Time time);
absl::Time TimeOfTimestamp(
    const google::protobuf::Timestamp& timestamp);  // absent: the epoch of Unix

// CCYY-MM-DD as the office clock shows it: UTC+8 everywhere in the country.
std::string DateOf(absl::Time time);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLOCK_H_
