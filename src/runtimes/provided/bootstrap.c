// What runs first in an OS-only runtime: becomes the package's own bootstrap file, the code's before a layer's, as AWS does.
//
// Freestanding and static (no libc, a few KB), because a dynamic one or a shell would cost every cold start a millisecond.
// Nothing but execve, write and exit. Status kMissingEntrypoint (142) is said to the engine alone: catalog.h.

#if defined(__x86_64__)
enum { kWrite = 1, kExecve = 59, kExit = 60 };
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { kWrite = 64, kExecve = 221, kExit = 93 };
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl begin\n");
static long system_call(long number, long a, long b, long c) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#else
#error "the provided runtimes' bootstrap knows x86_64 and aarch64"
#endif

enum { kNoSuchFile = -2, kMissingEntrypoint = 142 };

static void become(const char* path, char** environment) {
  const char* arguments[] = {path, 0};
  const long result = system_call(kExecve, (long)path, (long)arguments, (long)environment);
  // A file that is there and cannot be executed is the answer; a layer's does not take its place.
  if (result != kNoSuchFile) system_call(kExit, kMissingEntrypoint, 0, 0);
}

__attribute__((used, noreturn)) void begin(long* stack) {
  char** environment = (char**)(stack + stack[0] + 2);
  become("/var/task/bootstrap", environment);
  become("/opt/bootstrap", environment);
  static const char kMessage[] = "neither /var/task/bootstrap nor /opt/bootstrap exists\n";
  system_call(kWrite, 2, (long)kMessage, sizeof kMessage - 1);
  for (;;) system_call(kExit, kMissingEntrypoint, 0, 0);
}
