// The first process of the virtual machine: loads the modules that the initrd brings, makes the host's root file system (9p,
// read-only) the root, and hands over to the script of tests/vm/guest. Static, for there is nothing else in the initrd.
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(const char* failed) {
  if (failed != NULL) printf("vm: %s: %s\n", failed, strerror(errno));
  fflush(stdout);
  sync();
  reboot(RB_POWER_OFF);
  for (;;) pause();
}

static void load_modules(void) {
  FILE* list = fopen("/modules/list", "r");
  char line[256];
  if (list == NULL) end("/modules/list");
  while (fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    const int file = open(line, O_RDONLY | O_CLOEXEC);
    if (file < 0 || (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST)) printf("vm: %s: %s\n", line, strerror(errno));
    close(file);
  }
  fclose(list);
}

int main(int argc, char** argv) {
  // The kernel hands over what it does not know of its command line: the script's path.
  if (argc != 2) end("a script");
  if (mount("dev", "/dev", "devtmpfs", 0, "") != 0) end("/dev");
  const int console = open("/dev/console", O_RDWR);
  for (int fd = 0; fd < 3; ++fd) dup2(console, fd);
  load_modules();
  const char* const options = "trans=virtio,version=9p2000.L,msize=512000,cache=loose";
  if (mount("host", "/host", "9p", MS_RDONLY, options) != 0) end("the host's files");
  if (mount("/dev", "/host/dev", NULL, MS_MOVE, NULL) != 0) end("moving /dev");
  if (chdir("/host") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 || chdir("/") != 0) end("the root");
  if (fork() == 0) {
    char* const script[] = {"/bin/bash", argv[1], NULL};
    char* const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LANG=C.UTF-8", NULL};
    setsid();
    execve(script[0], script, environment);
    end("bash");
  }
  // The script is a child of this process, which reaps whatever it leaves behind.
  while (wait(NULL) > 0 || errno == EINTR) continue;
  end(NULL);
}
