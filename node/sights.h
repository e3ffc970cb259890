// What questions are answered from: a view of the store and what has been worked out from it, kept
// from one question to the next for as long as nothing is committed. So many questions between two
// commits read and parse an entry and a table's record once.
//
// A commit that has been confirmed to anybody is in every Sight that is asked for afterwards.
//
// THREADS  Any.
#ifndef GUANTONG_NODE_SIGHTS_H_
#define GUANTONG_NODE_SIGHTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <utility>

#include "catalog/store.h"

namespace guantong {

class Sight {
 public:
  explicit Sight(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}

  const Reader& reader() const { return *reader_; }

  // What `make` gives for `name`, made for the first who asks; two at the same moment may make it
  // twice. A function of the reader alone; lives no longer than the Sight if it borrows from it. A
  // failure (of a value that has ok()) is not kept: the disk may answer the next time.
  template <typename Value>
  std::shared_ptr<const Value> Keep(const std::string& name,
                                    const std::function<Value(const Reader&)>& make) const {
    const Name key = {typeid(Value), name};
    std::shared_ptr<const void> kept = Kept(key);
    if (kept == nullptr) {
      auto made = std::make_shared<const Value>(make(*reader_));
      if constexpr (requires { made->ok(); }) {
        if (!made->ok()) return made;
      }
      kept = Put(key, std::move(made));
    }
    return std::static_pointer_cast<const Value>(kept);
  }

 private:
  using Name = std::pair<std::type_index, std::string>;

  std::shared_ptr<const void> Kept(const Name& name) const;
  std::shared_ptr<const void> Put(const Name& name, std::shared_ptr<const void> value) const;

  const std::unique_ptr<Reader> reader_;
  mutable std::mutex mutex_;
  mutable std::map<Name, std::shared_ptr<const void>> kept_;  // guarded by mutex_
};

class Sights {
 public:
  std::shared_ptr<const Sight> Now(const Store& store);
  // Before a commit becomes visible, and again after it: what was seen is seen no more.
  void LetGo();

 private:
  std::mutex mutex_;
  uint64_t commits_ = 0;                // guarded by mutex_
  std::shared_ptr<const Sight> sight_;  // guarded by mutex_
};

}  // namespace guantong

#endif  // GUANTONG_NODE_SIGHTS_H_
