#include "tests/sim/journal.h"

#include <cstring>
#include <utility>

#include "tests/sim/random.h"

namespace guantong::sim {

namespace {

void AppendNumber(uint64_t number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void AppendBytes(absl::string_view bytes, std::string* out) {
  AppendNumber(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

bool TakeNumber(absl::string_view* in, uint64_t* number) {
  if (in->size() < sizeof(*number)) return false;
  std::memcpy(number, in->data(), sizeof(*number));
  in->remove_prefix(sizeof(*number));
  return true;
}

bool TakeBytes(absl::string_view* in, absl::string_view* bytes) {
  uint64_t size = 0;
  if (!TakeNumber(in, &size) || in->size() < size) return false;
  *bytes = in->substr(0, size);
  in->remove_prefix(size);
  return true;
}

bool Decode(absl::string_view body, WriteSet* writes) {
  while (!body.empty()) {
    uint64_t kind = 0;
    absl::string_view key, value;
    if (!TakeNumber(&body, &kind) || !TakeBytes(&body, &key) || !TakeBytes(&body, &value))
      return false;
    switch (static_cast<WriteSet::Kind>(kind)) {
      case WriteSet::Kind::kPut:
        writes->Put(std::string(key), std::string(value));
        break;
      case WriteSet::Kind::kDelete:
        writes->Delete(std::string(key));
        break;
      case WriteSet::Kind::kDeleteRange:
        writes->DeleteRange(std::string(key), std::string(value));
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

void AppendToJournal(const WriteSet& writes, std::string* journal) {
  std::string body;
  for (const WriteSet::Op& op : writes.ops()) {
    AppendNumber(static_cast<uint64_t>(op.kind), &body);
    AppendBytes(op.key, &body);
    AppendBytes(op.value, &body);
  }
  AppendNumber(HashOf(body), journal);
  AppendBytes(body, journal);
}

std::vector<WriteSet> ReadJournal(absl::string_view journal, bool* torn) {
  std::vector<WriteSet> whole;
  *torn = false;
  while (!journal.empty()) {
    uint64_t hash = 0;
    absl::string_view body;
    WriteSet writes;
    if (!TakeNumber(&journal, &hash) || !TakeBytes(&journal, &body) || HashOf(body) != hash ||
        !Decode(body, &writes)) {
      *torn = true;
      break;
    }
    whole.push_back(std::move(writes));
  }
  return whole;
}

}  // namespace guantong::sim
