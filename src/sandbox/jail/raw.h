// System calls without libc: no errno, no locks, no allocation. What runs between clone and exec uses nothing else, because
// it may share its memory with the process that waits for it.
//
// Each returns the kernel's own answer: the result, or a negative errno.
#pragma once

#include <sys/syscall.h>

#include <cstdint>

namespace lambent::sandbox::jail {

// Always inlined: a process that shares its stack with the one that cloned it must not return from a function that both are in.
#if defined(__x86_64__)
[[gnu::always_inline]] inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
[[gnu::always_inline]] inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "the jail knows x86_64 and aarch64"
#endif

[[gnu::always_inline]] inline long word(long value) { return value; }
[[gnu::always_inline]] inline long word(const volatile void* value) { return reinterpret_cast<long>(value); }

template <class... Args>
[[gnu::always_inline]] inline long raw(long number, Args... args) {
  static_assert(sizeof...(Args) <= 6);
  const long words[6] = {word(args)...};
  return raw_call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

// Numbers that are the same on every architecture, for headers older than the call.
constexpr long kMoveMount = 429;
constexpr long kOpenTree = 428;
constexpr long kFsopen = 430;
constexpr long kFsconfig = 431;
constexpr long kFsmount = 432;
constexpr long kClone3 = 435;
constexpr long kCloseRange = 436;
constexpr long kMountSetattr = 442;
constexpr long kLandlockCreateRuleset = 444;
constexpr long kLandlockAddRule = 445;
constexpr long kLandlockRestrictSelf = 446;

}  // namespace lambent::sandbox::jail
