// libFuzzer's door; GUANTONG_FUZZ_TARGET is the name of a target.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  guantong::fuzz::GUANTONG_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
