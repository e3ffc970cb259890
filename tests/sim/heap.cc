#include "tests/sim/heap.h"

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <new>

namespace guantong::sim {

namespace {

// In front of every block. The account is looked up when it is freed, perhaps by somebody else.
struct alignas(std::max_align_t) Label {
  HeapAccount* account;
  size_t bytes;
};

thread_local HeapAccount* open_account = nullptr;

}  // namespace

HeapAccount* NewHeapAccount() {
  static auto* accounts = new std::deque<HeapAccount>;
  return &accounts->emplace_back();
}

OnAccount::OnAccount(HeapAccount* account) : before_(open_account) { open_account = account; }
OnAccount::~OnAccount() { open_account = before_; }

void* AllocateLabelled(size_t bytes) {
  auto* label = static_cast<Label*>(std::malloc(sizeof(Label) + bytes));
  if (label == nullptr) throw std::bad_alloc();
  *label = {.account = open_account, .bytes = bytes};
  if (open_account != nullptr) open_account->bytes += static_cast<int64_t>(bytes);
  return label + 1;
}

void FreeLabelled(void* block) {
  if (block == nullptr) return;
  Label* label = static_cast<Label*>(block) - 1;
  if (label->account != nullptr) label->account->bytes -= static_cast<int64_t>(label->bytes);
  std::free(label);
}

}  // namespace guantong::sim

void* operator new(size_t bytes) { return guantong::sim::AllocateLabelled(bytes); }
// The sanitizers bring a form of their own that does not come by the one above.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return guantong::sim::AllocateLabelled(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
  guantong::sim::FreeLabelled(block);
}
void operator delete(void* block) noexcept { guantong::sim::FreeLabelled(block); }
void operator delete(void* block, size_t) noexcept { guantong::sim::FreeLabelled(block); }
