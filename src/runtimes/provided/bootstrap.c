// What runs first in an OS-only runtime: becomes the package's own bootstrap file, the code's before a layer's, as AWS does.
// With an argument ("handler", for go1.x) it becomes the program of the code that _HANDLER names.
//
// Freestanding and static (no libc, a few KB), because a dynamic one or a shell would cost every cold start a millisecond.
// Nothing but execve, a look at a file's head, write and exit. The statuses kMissingEntrypoint (142) and kForeignEntrypoint
// (143) are said to the engine alone: catalog.h.

#if defined(__x86_64__)
enum { kRead = 0, kWrite = 1, kExecve = 59, kExit = 60, kOpenat = 257, kMachine = 62 };
static const char kMachineName[] = "x86_64";
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { kRead = 63, kWrite = 64, kExecve = 221, kExit = 93, kOpenat = 56, kMachine = 183 };
static const char kMachineName[] = "aarch64";
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

enum { kNoSuchFile = -2, kNoExec = -8, kCurrentDirectory = -100, kMissingEntrypoint = 142, kForeignEntrypoint = 143 };
enum { kPrefix = 10, kLongestHandler = 128, kHeadBytes = 20, kIntel64 = 62, kArm64 = 183 };

static void say(const char* text) {
  long length = 0;
  while (text[length] != 0) ++length;
  system_call(kWrite, 2, (long)text, length);
}

// The kernel does not execute it: for what reason, as far as its first bytes tell.
static void refuse_foreign(const char* path) {
  unsigned char head[kHeadBytes] = {0};
  const long file = system_call(kOpenat, kCurrentDirectory, (long)path, 0);
  const long got = file >= 0 ? system_call(kRead, file, (long)head, kHeadBytes) : 0;
  const int machine = head[18] | head[19] << 8;
  say(path);
  if (got == kHeadBytes && head[0] == 0x7f && head[1] == 'E' && head[2] == 'L' && head[3] == 'F' && machine != kMachine) {
    say(" is native code for ");
    say(machine == kArm64 ? "aarch64" : machine == kIntel64 ? "x86_64" : "another architecture");
    say(", and this machine is ");
    say(kMachineName);
    say("\n");
  } else {
    say(" is neither a program of this machine nor a script that names its interpreter (#!)\n");
  }
  for (;;) system_call(kExit, kForeignEntrypoint, 0, 0);
}

static void become(const char* path, char** environment) {
  const char* arguments[] = {path, 0};
  const long result = system_call(kExecve, (long)path, (long)arguments, (long)environment);
  if (result == kNoExec) refuse_foreign(path);
  // A file that is there and cannot be executed is the answer; a layer's does not take its place.
  if (result != kNoSuchFile) system_call(kExit, kMissingEntrypoint, 0, 0);
}

// "/var/task/" and what _HANDLER says.
static void become_handler(char** environment) {
  static const char kName[] = "_HANDLER=";
  static char path[kPrefix + kLongestHandler + 1] = "/var/task/";
  for (char** variable = environment; *variable != 0; ++variable) {
    const char* pair = *variable;
    int i = 0;
    while (kName[i] != 0 && pair[i] == kName[i]) ++i;
    if (kName[i] != 0) continue;
    int length = 0;
    for (; pair[i] != 0 && length < kLongestHandler; ++i) path[kPrefix + length++] = pair[i];
    path[kPrefix + length] = 0;
  }
  become(path, environment);
  say(path);
  say(" does not exist\n");
  for (;;) system_call(kExit, kMissingEntrypoint, 0, 0);
}

__attribute__((used, noreturn)) void begin(long* stack) {
  char** environment = (char**)(stack + stack[0] + 2);
  if (stack[0] > 1) become_handler(environment);
  become("/var/task/bootstrap", environment);
  become("/opt/bootstrap", environment);
  say("neither /var/task/bootstrap nor /opt/bootstrap exists\n");
  for (;;) system_call(kExit, kMissingEntrypoint, 0, 0);
}
