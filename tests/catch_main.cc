// Compiled once and linked into every test program: the framework's own main takes half a minute.
#define CATCH_CONFIG_MAIN
#include "tests/catch.h"
