// Compiled once and linked into every test program: the framework's own main takes half a minute.
#define CATCH_CONFIG_MAIN
#include "tests/catch.h"

// Debian's libxlsxwriter 1.1.4 keeps no hold of one copy of a drop-down's formula: some 20 bytes
// for each drop-down of a template, in a command that ends. Nothing of ours allocates there.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:lxw_strdup\n"; }
