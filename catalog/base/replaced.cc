#include "catalog/base/replaced.h"

#include <dlfcn.h>

namespace guantong {

bool IsReplaced(const char* symbol) {
  // The linker of the process finds the program's first; the library's own comes after it.
  const void* const first = dlsym(RTLD_DEFAULT, symbol);
  const void* const own = Replaced(symbol);
  return first != nullptr && own != nullptr && first != own;
}

void* Replaced(const char* symbol) { return dlsym(RTLD_NEXT, symbol); }

}  // namespace guantong
