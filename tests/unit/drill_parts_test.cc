// What a drill stands on: where its copies listen, and the programs it starts.
#include <thread>

#include "node/cli/drill/child_process.h"
#include "node/cli/drill/loopback_port.h"
#include "tests/catch.h"

namespace guantong {
namespace {

TEST_CASE("drill parts: ports lie below those of outgoing connections") {
  for (int i = 0; i < 200; ++i) {
    const auto port = FreeLoopbackPort();
    REQUIRE(port.ok());
    CHECK(*port >= 1024);
    CHECK(*port < FirstEphemeralPort());
  }
}

TEST_CASE("drill parts: a program that ended is seen, and its status is still told") {
  ChildProcess idle;
  CHECK(idle.Ended());
  ChildProcess child;
  REQUIRE(child.Start({"/bin/sh", "-c", "exit 7"}, {}, "/dev/null", "/dev/null").ok());
  while (!child.Ended()) std::this_thread::yield();
  CHECK(child.Wait() == 7);
  ChildProcess waiting;
  REQUIRE(waiting.Start({"/bin/sh", "-c", "kill -STOP $$"}, {}, "/dev/null", "/dev/null").ok());
  CHECK_FALSE(waiting.Ended());
  waiting.Kill();
  CHECK(waiting.Ended());
}

}  // namespace
}  // namespace guantong
