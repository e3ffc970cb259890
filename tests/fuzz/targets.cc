#include "tests/fuzz/targets.h"

namespace guantong::fuzz {

const std::vector<Target>& Targets() {
  static const auto* targets = new std::vector<Target>{{"frames", Frames},
                                                       {"row_files", RowFiles},
                                                       {"forms", Forms},
                                                       {"words", Words},
                                                       {"sheets", Sheets}};
  return *targets;
}

}  // namespace guantong::fuzz
