// How far a long command is, on a terminal; nothing anywhere else.
#ifndef GUANTONG_NODE_CLI_PROGRESS_BAR_H_
#define GUANTONG_NODE_CLI_PROGRESS_BAR_H_

#include <cstdint>

namespace guantong {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { Clear(); }

  void Show(uint64_t done, uint64_t of);
  void Clear();

 private:
  const bool shown_;
  int permille_ = -1;
};

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_PROGRESS_BAR_H_
