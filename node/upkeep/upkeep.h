// The parts that keep a running node's data whole, and what they say of themselves.
#ifndef GUANTONG_NODE_UPKEEP_UPKEEP_H_
#define GUANTONG_NODE_UPKEEP_UPKEEP_H_

#include "absl/status/statusor.h"
#include "catalog/rocks/rocks_store.h"
#include "guantong/v1/node.pb.h"
#include "node/site.h"
#include "node/upkeep/backup.h"
#include "node/upkeep/copies.h"
#include "node/upkeep/damage.h"
#include "node/upkeep/scrub.h"

namespace guantong {

class Upkeep {
 public:
  Upkeep(const Site* site, RocksStore* store, DamageWatch* watch, const ScrubOptions& scrub,
         Calls* calls, Finder* finder, const Directory* directory)
      : site_(*site),
        store_(*store),
        watch_(*watch),
        backups_(site, store),
        copies_(site, calls, finder, directory),
        scrubber_(site, store, watch, scrub) {}

  Copies& copies() { return copies_; }
  Scrubber& scrubber() { return scrubber_; }

  absl::StatusOr<v1::Backup> BackUp(const std::string& to, const Backups::OnProgress& progress);

  // Every table file block by block, then every batch, table and fact. Damage is listed as faults,
  // and mended when the answer is given.
  absl::StatusOr<v1::VerifyResponse> Verify();

  void Describe(v1::StatusResponse* status) const;

  // Damage, restore, scrub, backup, histories cut off, children that were paused.
  void Examine(v1::DoctorResponse* response) const;

 private:
  v1::Finding Damage() const;
  v1::Finding RestorePending() const;
  v1::Finding Scrubbing() const;
  v1::Finding BackupAge() const;
  v1::Finding Histories() const;
  v1::Finding PausedChildren() const;

  const Site& site_;
  RocksStore& store_;
  DamageWatch& watch_;
  Backups backups_;
  Copies copies_;
  Scrubber scrubber_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_UPKEEP_UPKEEP_H_
