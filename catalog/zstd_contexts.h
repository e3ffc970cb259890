// Contexts of zstd: large, slow to make, and used by one thread at a time. One of each kind a
// thread.
#ifndef GUANTONG_CATALOG_ZSTD_CONTEXTS_H_
#define GUANTONG_CATALOG_ZSTD_CONTEXTS_H_

#include <zstd.h>

namespace guantong {

// Whoever uses it names all parameters with each call (ZSTD_compressCCtx): what stands in it is of
// another's work.
ZSTD_CCtx* ThreadPacker();
ZSTD_DCtx* ThreadUnpacker();

}  // namespace guantong

#endif  // GUANTONG_CATALOG_ZSTD_CONTEXTS_H_
