#include "node/cli/progress_bar.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "node/cli/table.h"

namespace guantong {
namespace {

constexpr int kCells = 40;

}  // namespace

ProgressBar::ProgressBar() : shown_(IsTerminal(stderr)) {}

void ProgressBar::Show(uint64_t done, uint64_t of) {
  if (!shown_ || of == 0) return;
  const int permille = static_cast<int>(std::min<uint64_t>(1000, done * 1000 / of));
  if (permille == permille_) return;
  permille_ = permille;
  const int filled = permille * kCells / 1000;
  std::fprintf(stderr, "\r[%s%s] %3d%%", std::string(filled, '#').c_str(),
               std::string(kCells - filled, '.').c_str(), permille / 10);
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (permille_ < 0) return;
  permille_ = -1;
  std::fprintf(stderr, "\r%*s\r", kCells + 7, "");
}

}  // namespace guantong
