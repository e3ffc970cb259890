// Preloaded into a real daemon: its wall clock is that of the machine and as many seconds more as
// stand in the file GUANTONG_TEST_CLOCK names (eight bytes, read each time), so that a test can set
// it while the process runs. The steady clock goes on as it does when a real clock is set.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

int64_t Shift() {
  static const volatile int64_t* const seconds = []() -> const volatile int64_t* {
    const char* path = std::getenv("GUANTONG_TEST_CLOCK");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) abort();
    void* page = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) abort();
    close(file);
    return static_cast<const volatile int64_t*>(page);
  }
  ();
  return *seconds;
}

using ClockFunction = int(clockid_t, timespec*);

int RealClock(clockid_t clock, timespec* time) {
  static auto* const real = reinterpret_cast<ClockFunction*>(dlsym(RTLD_NEXT, "clock_gettime"));
  return real(clock, time);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = RealClock(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    time->tv_sec += Shift();
  }
  return result;
}

extern "C" int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  timespec now = {};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

extern "C" time_t time(time_t* out) noexcept {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
