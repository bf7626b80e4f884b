// Executes what promises rights, and tells of each program with which rights it ended: "path: same", "path: refused ERRNO", or
// the line of its status that differs.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

#define CAPABILITY "security.capability"

// The errno of an exec that was refused, or 0 for a program that has run to its end and is not yet forgotten.
static int run_to_its_end(const char* path, pid_t* child) {
  int result[2], error = 0;
  if (pipe2(result, O_CLOEXEC) != 0) return errno;
  *child = fork();
  if (*child < 0) return errno;
  if (*child == 0) {
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    alarm(2);
    // Without more rights than ours the loader shows what it loaded and ends: what a program does by itself, hiding for one,
    // comes in between no more. With more it would not listen.
    execle(path, path, (char*)NULL, (char*[]){"LD_TRACE_LOADED_OBJECTS=1", NULL});
    error = errno;
    if (write(result[1], &error, sizeof error) < 0) _exit(126);
    _exit(127);
  }
  close(result[1]);
  const ssize_t got = read(result[0], &error, sizeof error);
  close(result[0]);
  siginfo_t ended;
  waitid(P_PID, (id_t)*child, &ended, WEXITED | WNOWAIT);
  return got == (ssize_t)sizeof error ? error : 0;
}

// A process that has ended still has its user, groups and capabilities.
static void tell_rights(const char* name, pid_t child) {
  char path[64], line[512], own_users[128], own_groups[128];
  snprintf(path, sizeof path, "/proc/%d/status", child);
  snprintf(own_users, sizeof own_users, "Uid:\t%u\t%u\t%u\t%u\n", getuid(), getuid(), getuid(), getuid());
  snprintf(own_groups, sizeof own_groups, "Gid:\t%u\t%u\t%u\t%u\n", getgid(), getgid(), getgid(), getgid());
  FILE* status = fopen(path, "r");
  if (status == NULL) {
    printf("%s: hidden %d\n", name, errno);
    return;
  }
  int seen = 0;
  while (fgets(line, sizeof line, status) != NULL) {
    const int rights = !strncmp(line, "Cap", 3);
    const int differs = (!strncmp(line, "Uid:", 4) && strcmp(line, own_users)) ||
                        (!strncmp(line, "Gid:", 4) && strcmp(line, own_groups)) ||
                        (rights && strcmp(line + 6, ":\t0000000000000000\n"));
    if (differs) printf("%s: %s", name, line);
    if (differs) break;
    seen += rights || !strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4);
  }
  fclose(status);
  if (seen == 7) printf("%s: same\n", name);
}

static void execute(const char* name, const char* path) {
  pid_t child = -1;
  fflush(stdout);
  const int error = run_to_its_end(path, &child);
  if (error != 0)
    printf("%s: refused %d\n", name, error);
  else
    tell_rights(name, child);
  if (child > 0) waitpid(child, NULL, 0);
}

static int visit(const char* path, const struct stat* status, int kind, struct FTW* where) {
  char capability[64];
  if (kind == FTW_F && S_ISREG(status->st_mode) &&
      (status->st_mode & (S_ISUID | S_ISGID) || getxattr(path, CAPABILITY, capability, sizeof capability) > 0))
    execute(path, path);
  // Deeper there are libraries, and many.
  return kind == FTW_D && where->level > 1 ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}

void rights_of_the_system(void) {
  static const char* kPlaces[] = {"/bin",      "/sbin",    "/lib",         "/usr/bin",
                                  "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local/bin"};
  struct stat status;
  for (size_t i = 0; i < sizeof kPlaces / sizeof kPlaces[0]; ++i)
    if (lstat(kPlaces[i], &status) == 0 && !S_ISLNK(status.st_mode))
      nftw(kPlaces[i], visit, 32, FTW_PHYS | FTW_ACTIONRETVAL);
}

static int visit_all(const char* path, const struct stat* status, int kind) {
  (void)status;
  if (kind == FTW_F) execute(path, path);
  return 0;
}

void rights_beneath(const char* directory) { ftw(directory, visit_all, 32); }

static void copy_itself(const char* path) {
  const int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
  struct stat status;
  fstat(from, &status);
  if (sendfile(to, from, NULL, (size_t)status.st_size) != status.st_size) exit(2);
  close(from);
  close(to);
}

static void tell(const char* name, int result) {
  printf("%s: %s%d\n", name, result == 0 ? "went through " : "", errno);
}

void rights_self_made(void) {
  static const char kPath[] = "/tmp/self-made";
  const struct vfs_cap_data all = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                   .data = {{.permitted = UINT32_MAX}, {.permitted = 0x1ff}}};
  copy_itself(kPath);
  const int file = open(kPath, O_RDONLY);
  tell("setxattr", setxattr(kPath, CAPABILITY, &all, sizeof all, 0));
  tell("lsetxattr", lsetxattr(kPath, CAPABILITY, &all, sizeof all, 0));
  tell("fsetxattr", fsetxattr(file, CAPABILITY, &all, sizeof all, 0));
  tell("chown", chown(kPath, 0, 0));
  close(file);
  execute("with capabilities", kPath);
  if (chmod(kPath, 06755) != 0) tell("chmod", -1);
  execute("with set ids", kPath);
  unlink(kPath);
}
