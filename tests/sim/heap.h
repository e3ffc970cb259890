// Who holds how much of the heap. Everything allocated while an account is open is booked there
// until it is freed, by whomever: so what an engine keeps, and what it has handed out and nobody
// has dealt with yet, is counted to the byte.
#ifndef GUANTONG_TESTS_SIM_HEAP_H_
#define GUANTONG_TESTS_SIM_HEAP_H_

#include <cstdint>

namespace guantong::sim {

struct HeapAccount {
  int64_t bytes = 0;
};

// Never ends: what it holds may outlive whoever opened it.
HeapAccount* NewHeapAccount();

class OnAccount {
 public:
  explicit OnAccount(HeapAccount* account);
  ~OnAccount();
  OnAccount(const OnAccount&) = delete;
  OnAccount& operator=(const OnAccount&) = delete;

 private:
  HeapAccount* before_;
};

}  // namespace guantong::sim

#endif  // GUANTONG_TESTS_SIM_HEAP_H_
