#include "node/startup_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace guantong {
namespace {

// An object whose code the linker has changed: its pages are no longer those of the file.
bool HasTextRelocations(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    if (object.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const auto* entry =
        reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + object.dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
  }
  return false;
}

// Segments that were never writable hold what the file holds. What the linker writes and then
// protects (RELRO) lies in a writable one.
int DropPagesOf(dl_phdr_info* object, size_t, void*) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (HasTextRelocations(*object)) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    // Whole pages only: one at an edge may be a writable neighbour's.
    const uintptr_t from = object->dlpi_addr + segment.p_vaddr;
    const uintptr_t begin = (from + page - 1) & ~(page - 1);
    const uintptr_t end = (from + segment.p_memsz) & ~(page - 1);
    if (begin >= end) continue;
    // Refused for what is not a file (the kernel's own object): then it stays.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void DropStartupPages() { dl_iterate_phdr(&DropPagesOf, nullptr); }

}  // namespace guantong
