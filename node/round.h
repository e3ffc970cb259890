// What a thread puts off to the end of what it does now. Where many things are done at a time, work
// that can be shared waits until all of them are done: answers that go to one asker share a
// message, questions that came in one message share a call.
//
//   Round round;                       // e.g. around a loop over what one frame has brought
//   ... Round::PutOff(this, [...] {})  // by whoever it meets, as often as it likes
//
// Rounds within a round belong to the outer one. THREADS  A round is its thread's own.
#ifndef GUANTONG_NODE_ROUND_H_
#define GUANTONG_NODE_ROUND_H_

#include <functional>
#include <utility>
#include <vector>

namespace guantong {

class Round {
 public:
  Round();
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  ~Round();  // of the outermost: carries out what was put off, also what that puts off

  // True: `work` runs once at the end of this thread's round, however often the same `who` asks
  // for it. False: no round is under way, nothing is put off.
  static bool PutOff(const void* who, std::function<void()> work);

 private:
  const bool outermost_;
  std::vector<std::pair<const void*, std::function<void()>>> put_off_;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_ROUND_H_
