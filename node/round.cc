#include "node/round.h"

#include <algorithm>

namespace guantong {
namespace {

thread_local Round* current = nullptr;

}  // namespace

Round::Round() : outermost_(current == nullptr) {
  if (outermost_) current = this;
}

Round::~Round() {
  if (!outermost_) return;
  while (!put_off_.empty()) {
    const auto works = std::exchange(put_off_, {});
    for (const auto& [who, work] : works) work();
  }
  current = nullptr;
}

bool Round::PutOff(const void* who, std::function<void()> work) {
  if (current == nullptr) return false;
  auto& works = current->put_off_;
  const bool known =
      std::any_of(works.begin(), works.end(), [who](const auto& put) { return put.first == who; });
  if (!known) works.emplace_back(who, std::move(work));
  return true;
}

}  // namespace guantong
