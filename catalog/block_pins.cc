#include "catalog/block_pins.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace guantong {
namespace {

// What is not a run stands by its own key.
bool IsRun(absl::string_view what) { return what[0] == 'Y'; }

// As it is left: with all of its run, when it is a run's own.
absl::string_view LeftAs(absl::string_view block) {
  return IsRun(block) ? block.substr(0, OwnBlockPrefix(FeedKey(), 0).size()) : block;
}

}  // namespace

const std::string* BlockPins::Find(const std::string& hash) const {
  const auto found = names_.find(hash);
  return found == names_.end() ? nullptr : &found->second;
}

bool BlockPins::Left(absl::string_view block) const {
  return left_.count(std::string(LeftAs(block))) > 0;
}

// Keys of blocks of batches all have one length, so there the one that begins so is it.
bool BlockPins::Named(absl::string_view what) const {
  const auto found = blocks_.lower_bound(std::string(what));
  return found != blocks_.end() && absl::StartsWith(*found, what);
}

void BlockPins::Name(const ChunkName& name, WriteSet* writes) {
  const auto found = names_.find(name.hash);
  if (found != names_.end()) {
    if (found->second == name.block) return;
    Drop(name.hash, writes);
  }
  names_[name.hash] = name.block;
  blocks_.insert(name.block);
  writes->Put(ChunkNameKey(feed_, name.hash), name.block);
}

void BlockPins::Unname(const std::function<bool(const std::string& hash)>& stays,
                       WriteSet* writes) {
  std::vector<std::string> gone;
  for (const auto& [hash, block] : names_) {
    if (!stays(hash)) gone.push_back(hash);
  }
  for (const std::string& hash : gone) Drop(hash, writes);
}

void BlockPins::Drop(const std::string& hash, WriteSet* writes) {
  const std::string block = std::move(names_.extract(hash).mapped());
  blocks_.erase(block);
  writes->Delete(ChunkNameKey(feed_, hash));
  const std::string left(LeftAs(block));
  if (leaves_all_ || left_.count(left) == 0) return;
  if (!Named(left)) {
    left_.erase(left);
    Remove(left, writes);
  } else {
    // Of a run that others keep here: a snapshot that is loaded over and over would leave as many.
    writes->Delete(block);
  }
}

void BlockPins::Settle(WriteSet* writes) {
  leaves_all_ = false;
  for (auto it = left_.begin(); it != left_.end();) {
    if (Named(*it)) {
      ++it;
      continue;
    }
    Remove(*it, writes);
    it = left_.erase(it);
  }
}

void BlockPins::LetGo(const std::string& what, WriteSet* writes) {
  if (leaves_all_ || Named(what)) {
    left_.insert(what);
    writes->Put(LeftKey(feed_, what), "");
  } else if (IsRun(what)) {
    writes->DeleteRange(what, PrefixEnd(what));
  } else {
    writes->Delete(what);
  }
}

void BlockPins::Remove(const std::string& what, WriteSet* writes) {
  writes->Delete(LeftKey(feed_, what));
  if (IsRun(what)) {
    writes->DeleteRange(what, PrefixEnd(what));
  } else {
    writes->Delete(what);
  }
}

void BlockPins::TakeBack(const std::string& block, WriteSet* writes) {
  if (left_.erase(block) > 0) writes->Delete(LeftKey(feed_, block));
}

void BlockPins::LogBlocksGone(WriteSet* writes) {
  Unname([this](const std::string& hash) { return IsRun(names_.at(hash)); }, writes);
  for (auto it = left_.begin(); it != left_.end();) {
    if (IsRun(*it)) {
      ++it;
      continue;
    }
    writes->Delete(LeftKey(feed_, *it));
    it = left_.erase(it);
  }
}

absl::Status LoadPins(const Reader& store,
                      const std::function<BlockPins*(const FeedKey&)>& pins_of) {
  const auto read =
      [&](const std::string& kind,
          const std::function<void(BlockPins&, absl::string_view, absl::string_view)>& take) {
        const auto cursor = store.Scan(kind, PrefixEnd(kind));
        for (; cursor->Valid(); cursor->Next()) {
          const absl::string_view tail = cursor->key().substr(kind.size());
          BlockPins* pins = pins_of(FeedKey::FromBytes(tail.substr(0, kFeedKeyBytes)));
          if (pins != nullptr) take(*pins, tail.substr(kFeedKeyBytes), cursor->value());
        }
        return cursor->status();
      };
  const absl::Status named =
      read(KindPrefix('b'), [](BlockPins& pins, absl::string_view hash, absl::string_view block) {
        pins.blocks_.emplace(block);
        pins.names_.emplace(hash, block);
      });
  if (!named.ok()) return named;
  return read(KindPrefix('o'), [](BlockPins& pins, absl::string_view what, absl::string_view) {
    pins.left_.emplace(what);
  });
}

}  // namespace guantong
