#include "catalog/zstd_contexts.h"

#include <memory>

namespace guantong {

ZSTD_CCtx* ThreadPacker() {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> packer(ZSTD_createCCtx(),
                                                                                 &ZSTD_freeCCtx);
  return packer.get();
}

ZSTD_DCtx* ThreadUnpacker() {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> unpacker(
      ZSTD_createDCtx(), &ZSTD_freeDCtx);
  return unpacker.get();
}

}  // namespace guantong
