#include "catalog/store.h"

#include <iterator>

#include "catalog/base/status.h"

namespace guantong {

void WriteSet::Put(std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  ops_.push_back({Kind::kPut, std::move(key), std::move(value)});
}

void WriteSet::Delete(std::string key) {
  bytes_ += key.size();
  ops_.push_back({Kind::kDelete, std::move(key), ""});
}

void WriteSet::DeleteRange(std::string begin, std::string end) {
  // An empty end means "to the end" in a scan; here it would delete a whole store by a slip.
  GT_CHECK(begin < end);
  bytes_ += begin.size() + end.size();
  ops_.push_back({Kind::kDeleteRange, std::move(begin), std::move(end)});
}

void WriteSet::Append(WriteSet other) {
  bytes_ += other.bytes_;
  ops_.insert(ops_.end(), std::make_move_iterator(other.ops_.begin()),
              std::make_move_iterator(other.ops_.end()));
}

}  // namespace guantong
