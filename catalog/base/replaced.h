// Functions of shared libraries that this program defines anew.
//
// What a library exports and calls through the linkage table is looked for in the program first, so
// a definition of the same name there takes its place, for the library's own calls too. It is done
// where a library has no setting for what it should do, and each place says what changes where the
// replacement is not reached: speed or memory, nothing else. Each has a test that it is, and what
// is not is said at the start: in the node's log, or in the store's for RocksDB.
#ifndef GUANTONG_CATALOG_BASE_REPLACED_H_
#define GUANTONG_CATALOG_BASE_REPLACED_H_

namespace guantong {

// Whether calls of `symbol` (a name as the linker has it) through the linkage table reach a
// definition in this program and a library still has one. Any thread.
bool IsReplaced(const char* symbol);

// The library's own, null where there is none any more. Any thread.
void* Replaced(const char* symbol);

}  // namespace guantong

#endif  // GUANTONG_CATALOG_BASE_REPLACED_H_
