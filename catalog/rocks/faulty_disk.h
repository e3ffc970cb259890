// A disk that fails on demand, for durability tests of the store: real files underneath, with a
// record of what was synced.
//
// GAPS  A renamed file is taken for durable at once; files the tests do not write through it are
// not touched.
#ifndef GUANTONG_CATALOG_ROCKS_FAULTY_DISK_H_
#define GUANTONG_CATALOG_ROCKS_FAULTY_DISK_H_

#include <memory>

namespace rocksdb {
class Env;
}

namespace guantong {

class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  rocksdb::Env* env();

  // Writes fail half-way for want of space, until there is some again.
  void FillUp();
  void FreeUp();

  // From now on nothing reaches the disk.
  void CutPower();
  // After the store is closed: what was not synced is gone, and the disk works again.
  void RestorePower();

 private:
  class Files;
  std::shared_ptr<Files> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ROCKS_FAULTY_DISK_H_
