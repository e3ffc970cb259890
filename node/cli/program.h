// The command line as a whole: arguments to a command, its outcome to an exit status.
#ifndef GUANTONG_NODE_CLI_PROGRAM_H_
#define GUANTONG_NODE_CLI_PROGRAM_H_

namespace guantong {

// Returns the exit status (failure.h).
int RunProgram(int argc, char** argv);

}  // namespace guantong

#endif  // GUANTONG_NODE_CLI_PROGRAM_H_
