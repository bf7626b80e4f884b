// The one thing that a Java that waited for its function cannot do by itself: change its directory. Without libc and without
// the JDK's headers: JNI's function table has the same order in every version.

enum { kGetByteArrayRegion = 200, kLongestPath = 256 };

#if defined(__x86_64__)
static long chdir_to(const char* path) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(80L), "D"(path) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static long chdir_to(const char* path) {
  register long x8 __asm__("x8") = 49;
  register long x0 __asm__("x0") = (long)path;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8) : "memory");
  return x0;
}
#else
#error "the Java bootstrap knows x86_64 and aarch64"
#endif

typedef void (*GetByteArrayRegion)(void* environment, void* array, int start, int length, signed char* into);
typedef int (*GetArrayLength)(void* environment, void* array);
enum { kGetArrayLength = 171 };

__attribute__((visibility("default"))) int Java_lambent_Spare_enter(void* environment, void* type, void* directory) {
  char path[kLongestPath + 1] = {0};
  void** table = *(void***)environment;
  const int length = ((GetArrayLength)table[kGetArrayLength])(environment, directory);
  (void)type;
  if (length > kLongestPath) return -1;
  ((GetByteArrayRegion)table[kGetByteArrayRegion])(environment, directory, 0, length, (signed char*)path);
  return chdir_to(path) == 0 ? 0 : -1;
}
