// Damage in the store of a running node: noticed once, remembered beside the store, and the process
// asked to begin anew, which mends it (mend.h). Until then what is damaged is not served: the store
// refuses it at every read.
#ifndef GUANTONG_NODE_UPKEEP_DAMAGE_H_
#define GUANTONG_NODE_UPKEEP_DAMAGE_H_

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "catalog/store.h"
#include "guantong/v1/upkeep.pb.h"

namespace guantong {

// The mark beside the store in `store_dir`: two lines, who found it and the text.
std::string DamageMark(const std::string& store_dir);

// What was found and mended in the past, newest first, at most kDamagesKept.
std::vector<v1::Damage> PastDamage(const Reader& store);
void AddDamage(const v1::Damage& damage, WriteSet* writes);

// Any thread.
class DamageWatch {
 public:
  // `wants_restart` is called at most once, and not at all when the store was mended too often
  // lately: then the disk is what has to be mended.
  DamageWatch(std::string store_dir, std::function<void()> wants_restart)
      : mark_(DamageMark(store_dir)), wants_restart_(std::move(wants_restart)) {}

  // The node serves. `mended`: times at which the store was mended. Damage noted before is only
  // marked, for the next start.
  void Begin(const std::vector<absl::Time>& mended);

  void Note(absl::string_view found_by, const absl::Status& why);

  // What was noted and is not mended; OK: nothing.
  absl::Status open() const;

 private:
  void AskRestart();

  const std::string mark_;
  const std::function<void()> wants_restart_;
  mutable std::mutex mutex_;
  absl::Status noted_;
  bool serving_ = false;
  bool too_often_ = false;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_DAMAGE_H_
