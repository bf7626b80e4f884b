// Records what a process writes into the files of one directory and what it syncs: loaded before libc (LD_PRELOAD), so that a test
// can tell what a power cut at any instant would have left (power_cut.py).
//
// LAMBENT_RECORD_IN names the directory, LAMBENT_RECORD_TO the recording. A record is written after its call has succeeded: a
// fixed head, then the bytes of a write. Calls go straight to the kernel. Files below the directory's own level are not recorded.
// While the file that LAMBENT_RECORD_FAIL names is there, syncs in the directory fail with EIO.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kFiles = 4096, kName = 64, kRecordingFd = 900 };
enum { kCreated = 1, kWritten, kCut, kSynced, kDirectorySynced, kRemoved };

struct head {
  uint64_t begin_ns;
  uint64_t end_ns;
  uint32_t kind;
  uint32_t size;
  int64_t offset;
  char name[kName];
};

static int recording = -1;
static const char* directory;
static const char* failing;
static size_t directory_size;
// By descriptor; empty for files of no interest. The directory itself is ".".
static char names[kFiles][kName];

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

__attribute__((constructor)) static void start(void) {
  directory = getenv("LAMBENT_RECORD_IN");
  const char* to = getenv("LAMBENT_RECORD_TO");
  if (!directory || !to) return;
  directory_size = strlen(directory);
  failing = getenv("LAMBENT_RECORD_FAIL");
  const int file = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  recording = fcntl(file, F_DUPFD_CLOEXEC, kRecordingFd);
  syscall(SYS_close, file);
  if (recording < 0) abort();
}

static const char* name_in_directory(const char* path) {
  if (recording < 0 || strncmp(path, directory, directory_size) != 0) return NULL;
  if (path[directory_size] == '\0') return ".";
  if (path[directory_size] != '/') return NULL;
  const char* name = path + directory_size + 1;
  if (*name == '\0') return ".";
  return strchr(name, '/') || strlen(name) >= kName ? NULL : name;
}

static const char* name_of(int file) { return file >= 0 && file < kFiles && names[file][0] ? names[file] : NULL; }

static void note(uint32_t kind, const char* name, uint64_t begin, int64_t offset, const void* bytes, size_t size) {
  const int kept = errno;
  struct head head = {.begin_ns = begin, .end_ns = now(), .kind = kind, .size = (uint32_t)size, .offset = offset};
  strcpy(head.name, name);
  const struct iovec parts[2] = {{&head, sizeof head}, {(void*)bytes, size}};
  if (syscall(SYS_writev, recording, parts, 2) != (ssize_t)(sizeof head + size)) abort();
  errno = kept;
}

static int opened(int at, const char* path, int flags, mode_t mode) {
  const char* name = name_in_directory(path);
  const int exists = name ? syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0 : 1;
  const uint64_t begin = now();
  const int file = (int)syscall(SYS_openat, at, path, flags, mode);
  if (file < 0 || file >= kFiles) return file;
  names[file][0] = '\0';
  if (!name) return file;
  strcpy(names[file], name);
  if (!exists) note(kCreated, name, begin, 0, NULL, 0);
  if (flags & O_TRUNC) note(kCut, name, begin, 0, NULL, 0);
  return file;
}

static mode_t mode_of(int flags, va_list rest) {
  return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(rest, int) : 0;
}

#define OPEN(NAME)                              \
  int NAME(const char* path, int flags, ...) {  \
    va_list rest;                               \
    va_start(rest, flags);                      \
    const mode_t mode = mode_of(flags, rest);   \
    va_end(rest);                               \
    return opened(AT_FDCWD, path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(NAME)                                   \
  int NAME(int at, const char* path, int flags, ...) { \
    va_list rest;                                      \
    va_start(rest, flags);                             \
    const mode_t mode = mode_of(flags, rest);          \
    va_end(rest);                                      \
    return opened(at, path, flags, mode);              \
  }
OPENAT(openat)
OPENAT(openat64)

// What a fortified program calls where it passes no mode (glibc; with clang from Debian 13 on).
int __open_2(const char* path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __openat_2(int at, const char* path, int flags) { return opened(at, path, flags, 0); }
int __openat64_2(int at, const char* path, int flags) { return opened(at, path, flags, 0); }

int close(int file) {
  if (file >= 0 && file < kFiles) names[file][0] = '\0';
  return (int)syscall(SYS_close, file);
}

#define PWRITE(NAME)                                                                \
  ssize_t NAME(int file, const void* bytes, size_t size, off_t offset) {            \
    const uint64_t begin = now();                                                   \
    const ssize_t done = syscall(SYS_pwrite64, file, bytes, size, offset);          \
    const char* name = name_of(file);                                               \
    if (name && done > 0) note(kWritten, name, begin, offset, bytes, (size_t)done); \
    return done;                                                                    \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int file, const void* bytes, size_t size) {
  const char* name = name_of(file);
  const uint64_t begin = now();
  const ssize_t done = syscall(SYS_write, file, bytes, size);
  if (name && done > 0) note(kWritten, name, begin, syscall(SYS_lseek, file, 0, SEEK_CUR) - done, bytes, (size_t)done);
  return done;
}

#define CUT(NAME)                                                  \
  int NAME(int file, off_t size) {                                 \
    const uint64_t begin = now();                                  \
    const int done = (int)syscall(SYS_ftruncate, file, size);      \
    const char* name = name_of(file);                              \
    if (name && done == 0) note(kCut, name, begin, size, NULL, 0); \
    return done;                                                   \
  }
CUT(ftruncate)
CUT(ftruncate64)

static int synced(long call, int file) {
  const char* name = name_of(file);
  if (name && failing && syscall(SYS_faccessat, AT_FDCWD, failing, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  const uint64_t begin = now();
  const int done = (int)syscall(call, file);
  if (name && done == 0) note(strcmp(name, ".") == 0 ? kDirectorySynced : kSynced, name, begin, 0, NULL, 0);
  return done;
}
int fsync(int file) { return synced(SYS_fsync, file); }
int fdatasync(int file) { return synced(SYS_fdatasync, file); }

int unlink(const char* path) {
  const uint64_t begin = now();
  const int done = (int)syscall(SYS_unlink, path);
  const char* name = name_in_directory(path);
  if (name && done == 0) note(kRemoved, name, begin, 0, NULL, 0);
  return done;
}
