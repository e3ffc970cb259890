// guantong: the command line, a thin client of the node's rpcs.
#include "node/cli/program.h"
#include "node/identity/credentials.h"

int main(int argc, char** argv) {
  guantong::RequireTls13();
  return guantong::RunProgram(argc, argv);
}
