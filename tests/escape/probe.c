// What a hostile function would try with system calls of its own. Built static by tests/escape, shipped in the function's
// zip, run inside the sandbox by the handlers. Prints one "name: outcome" a line; an outcome is "ok",
// an errno's number, or "signal N".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define LAST_CALL 470

typedef long (*attempt)(void);

// Each attempt has a process of its own: some end it.
static int in_child(attempt what, char* outcome, size_t size) {
  int result[2];
  if (pipe(result) != 0) return -1;
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    snprintf(outcome, size, "no fork %d", errno);
    return -1;
  }
  if (child == 0) {
    alarm(2);
    errno = 0;
    const long answer = what();
    const int error = answer == -1 ? errno : 0;
    if (write(result[1], &error, sizeof error) < 0) _exit(1);
    _exit(0);
  }
  close(result[1]);
  int error = -1, status = 0;
  const int got = (int)read(result[0], &error, sizeof error);
  close(result[0]);
  waitpid(child, &status, 0);
  if (got == (int)sizeof error && error == 0)
    snprintf(outcome, size, "ok");
  else if (got == (int)sizeof error)
    snprintf(outcome, size, "%d", error);
  else if (WIFSIGNALED(status))
    snprintf(outcome, size, "signal %d", WTERMSIG(status));
  else
    snprintf(outcome, size, "exit %d", WEXITSTATUS(status));
  return 0;
}

static long call_number;
// Bad pointers and descriptors: an allowed call fails for its arguments, a refused one by the filter.
static long one_call(void) {
  switch (call_number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_pause:
    case SYS_rt_sigreturn:
    case SYS_fork:
    case SYS_vfork:
    case SYS_kill:
    case SYS_tkill:
    case SYS_alarm:
      return 0;
    case SYS_arch_prctl:
      return syscall(call_number, 0, 0);
    default:
      return syscall(call_number, -1L, -1L, -1L, -1L, -1L, -1L);
  }
}

static void sweep(void) {
  char outcome[64];
  for (call_number = 0; call_number <= LAST_CALL; ++call_number) {
    in_child(one_call, outcome, sizeof outcome);
    printf("%ld: %s\n", call_number, outcome);
  }
}

static long try_mount(void) { return mount("none", "/tmp", "tmpfs", 0, NULL); }
static long try_remount(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long try_umount(void) { return umount2("/proc", MNT_DETACH); }
static long try_pivot_root(void) { return syscall(SYS_pivot_root, "/tmp", "/tmp"); }
static long try_chroot(void) { return chroot("/tmp"); }
static long try_open_tree(void) { return syscall(428, AT_FDCWD, "/", 1); }
static long try_fsopen(void) { return syscall(430, "tmpfs", 0); }
static long try_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long try_unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long try_unshare_net(void) { return unshare(CLONE_NEWNET); }
static long try_unshare_pid(void) { return unshare(CLONE_NEWPID); }
static long try_clone_user(void) {
  const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  return child;
}
static long try_clone3(void) {
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  const long child = syscall(435, &arguments, sizeof arguments);
  if (child == 0) _exit(0);
  return child;
}
static long try_setns(void) { return setns(open("/proc/1/ns/mnt", O_RDONLY), 0); }
static long try_setns_self(void) { return setns(open("/proc/self/ns/mnt", O_RDONLY), 0); }
static long try_ptrace_parent(void) { return ptrace(PTRACE_ATTACH, getppid(), 0, 0); }
static long try_ptrace_init(void) { return ptrace(PTRACE_ATTACH, 1, 0, 0); }
static long try_vm_read(void) { return syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0); }
static long try_vm_write(void) { return syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0); }
static long try_pidfd_getfd(void) { return syscall(438, (int)syscall(434, getppid(), 0), 0, 0); }
static long try_kcmp(void) { return syscall(SYS_kcmp, getpid(), 1, 0, 0, 0); }
static long try_bpf(void) {
  union bpf_attr attribute;
  memset(&attribute, 0, sizeof attribute);
  attribute.map_type = BPF_MAP_TYPE_ARRAY;
  attribute.key_size = attribute.value_size = 4;
  attribute.max_entries = 1;
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attribute, sizeof attribute);
}
static long try_perf(void) {
  char attribute[128] = {1};
  return syscall(SYS_perf_event_open, attribute, 0, -1, -1, 0);
}
static long try_keyctl(void) { return syscall(SYS_keyctl, 0, -4, 0, 0, 0); }
static long try_add_key(void) { return syscall(SYS_add_key, "user", "x", "y", 1, -4); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }
static long try_io_uring(void) {
  char parameters[120] = {0};
  return syscall(425, 4, parameters);
}
static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, 0, 0); }
static long try_init_module(void) { return syscall(SYS_init_module, "", 0, ""); }
static long try_finit_module(void) { return syscall(SYS_finit_module, 0, "", 0); }
static long try_delete_module(void) { return syscall(SYS_delete_module, "loop", 0); }
static long try_reboot(void) { return syscall(SYS_reboot, 0xfee1dead, 672274793, 0x89ABCDEF, 0); }
static long try_swapon(void) { return syscall(SYS_swapon, "/tmp/x", 0); }
static long try_acct(void) { return syscall(SYS_acct, "/tmp/x"); }
static long try_syslog(void) { return syscall(SYS_syslog, 3, "", 0); }
static long try_hostname(void) { return sethostname("x", 1); }
static long try_iopl(void) { return syscall(SYS_iopl, 3); }
static long try_modify_ldt(void) { return syscall(SYS_modify_ldt, 0, 0, 0); }
static long try_personality(void) { return syscall(SYS_personality, 0x0040000); }
static long try_packet(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long try_raw(void) { return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long try_raw6(void) { return socket(AF_INET6, SOCK_RAW, IPPROTO_TCP); }
static long try_vsock(void) { return socket(40, SOCK_STREAM, 0); }
static long try_netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long try_alg(void) { return socket(38, SOCK_SEQPACKET, 0); }
static long try_sctp(void) { return socket(AF_INET, SOCK_STREAM, 132); }
static long try_setuid(void) { return setuid(0); }
static long try_setgid(void) { return setgid(0); }
static long try_setgroups(void) {
  const gid_t root = 0;
  return syscall(SYS_setgroups, 1, &root);
}
static long try_device(void) { return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)); }
static long try_memory_device(void) { return mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)); }
static long try_handle(void) {
  struct {
    unsigned bytes;
    int type;
    unsigned char handle[8];
  } handle = {8, 1, {2, 0, 0, 0}};
  const int root = open("/", O_RDONLY);
  return syscall(SYS_open_by_handle_at, root, &handle, O_RDONLY);
}
static long try_name_to_handle(void) { return syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0); }
static long try_tiocsti(void) { return ioctl(0, TIOCSTI, "x"); }
static long try_chown_root(void) {
  const int file = open("/tmp/owned", O_CREAT | O_WRONLY, 0755);
  close(file);
  return chown("/tmp/owned", 0, 0);
}
static long try_kill_init(void) { return kill(1, SIGKILL); }
static long try_nice(void) { return setpriority(0, 0, -20); }
// The calls of other architectures that the same kernel would take.
static long try_x32(void) { return syscall(0x40000000L | SYS_getpid); }
static long try_int80(void) {
  long answer = 20;
  __asm__ volatile("int $0x80" : "+a"(answer) : "b"(0L) : "memory", "r8", "r9", "r10", "r11");
  if (answer < 0) {
    errno = (int)-answer;
    return -1;
  }
  return answer;
}

static const struct {
  const char* name;
  attempt what;
} kAttempts[] = {
    {"mount", try_mount}, {"remount", try_remount}, {"umount", try_umount}, {"pivot_root", try_pivot_root},
    {"chroot", try_chroot}, {"open_tree", try_open_tree}, {"fsopen", try_fsopen}, {"unshare user", try_unshare_user},
    {"unshare mount", try_unshare_mount}, {"unshare net", try_unshare_net}, {"unshare pid", try_unshare_pid},
    {"clone user", try_clone_user}, {"clone3", try_clone3}, {"setns init", try_setns}, {"setns self", try_setns_self},
    {"ptrace parent", try_ptrace_parent}, {"ptrace init", try_ptrace_init}, {"process_vm_readv", try_vm_read},
    {"process_vm_writev", try_vm_write}, {"pidfd_getfd", try_pidfd_getfd}, {"kcmp", try_kcmp}, {"bpf", try_bpf},
    {"perf_event_open", try_perf}, {"keyctl", try_keyctl}, {"add_key", try_add_key}, {"userfaultfd", try_userfaultfd},
    {"io_uring_setup", try_io_uring}, {"kexec_load", try_kexec}, {"init_module", try_init_module},
    {"finit_module", try_finit_module}, {"delete_module", try_delete_module}, {"reboot", try_reboot}, {"swapon", try_swapon},
    {"acct", try_acct}, {"syslog", try_syslog}, {"sethostname", try_hostname}, {"iopl", try_iopl},
    {"modify_ldt", try_modify_ldt}, {"personality", try_personality}, {"packet socket", try_packet}, {"raw socket", try_raw},
    {"raw6 socket", try_raw6}, {"vsock socket", try_vsock}, {"netlink socket", try_netlink}, {"alg socket", try_alg},
    {"sctp socket", try_sctp}, {"setuid", try_setuid}, {"setgid", try_setgid}, {"setgroups", try_setgroups},
    {"block device", try_device}, {"memory device", try_memory_device}, {"open_by_handle_at", try_handle},
    {"name_to_handle_at", try_name_to_handle}, {"tiocsti", try_tiocsti}, {"chown root", try_chown_root},
    {"negative nice", try_nice}, {"kill init", try_kill_init}, {"x32", try_x32}, {"int80", try_int80},
};

static void attempts(void) {
  char outcome[64];
  for (size_t i = 0; i < sizeof kAttempts / sizeof kAttempts[0]; ++i) {
    in_child(kAttempts[i].what, outcome, sizeof outcome);
    printf("%s: %s\n", kAttempts[i].name, outcome);
  }
}

// Forks children that stay until fork fails, holds them, then says how many there were.
static void fork_bomb(int hold_s) {
  int count = 0;
  for (;;) {
    const pid_t child = fork();
    if (child == 0) {
      // Whoever reads the probe's output waits for its last holder.
      for (int fd = 0; fd < 3; ++fd) close(fd);
      for (;;) pause();
    }
    if (child < 0) break;
    ++count;
  }
  const int error = errno;
  sleep((unsigned)hold_s);
  printf("forks: %d\nerrno: %d\n", count, error);
}

static void endless_fork_bomb(void) {
  for (;;) fork();
}

static void* hoard(void* unused) {
  (void)unused;
  for (;;) {
    char* block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
      sleep(1);
      continue;
    }
    memset(block, 1, 1 << 20);
  }
  return NULL;
}

static void memory_by_threads(void) {
  for (int i = 0; i < 32; ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, hoard, NULL);
  }
  hoard(NULL);
}

static void* spin(void* unused) {
  (void)unused;
  for (;;) __asm__ volatile("");
  return NULL;
}

// A child that goes on when its parent has ended, and burns a processor.
static void leave_spinning(void) {
  if (fork() != 0) return;
  for (int fd = 0; fd < 3; ++fd) close(fd);
  spin(NULL);
}

static void fill(int file) {
  static char block[1 << 20];
  memset(block, 1, sizeof block);
  long written = 0;
  for (int i = 0; i < 4096; ++i) {
    const ssize_t wrote = write(file, block, sizeof block);
    if (wrote <= 0) break;
    written += wrote;
  }
  printf("written: %ld\nerrno: %d\n", written, errno);
}

static void spin_threads(int seconds) {
  for (int i = 0; i < 64; ++i) {
    pthread_t thread;
    pthread_create(&thread, NULL, spin, NULL);
  }
  sleep((unsigned)seconds);
}

static void descriptors(void) {
  for (int fd = 0; fd < 4096; ++fd) {
    char path[64], target[512] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fcntl(fd, F_GETFD) < 0) continue;
    if (readlink(path, target, sizeof target - 1) < 0) strcpy(target, "?");
    printf("%d: %s\n", fd, target);
  }
}

int main(int argc, char** argv) {
  // Only inside a sandbox, whose users start there: on a machine these attempts might succeed.
  if (getuid() < 2000000000u || geteuid() < 2000000000u) {
    fprintf(stderr, "probe: this is for the inside of a sandbox\n");
    return 1;
  }
  const char* mode = argc > 1 ? argv[1] : "";
  const char* operand = argc > 2 ? argv[2] : "";
  if (!strcmp(mode, "attempts")) attempts();
  if (!strcmp(mode, "sweep")) sweep();
  if (!strcmp(mode, "descriptors")) descriptors();
  if (!strcmp(mode, "forks")) fork_bomb(atoi(operand));
  if (!strcmp(mode, "endless-forks")) endless_fork_bomb();
  if (!strcmp(mode, "threads-memory")) memory_by_threads();
  if (!strcmp(mode, "spin")) spin_threads(atoi(operand));
  if (!strcmp(mode, "leave-spinning")) leave_spinning();
  if (!strcmp(mode, "keep")) keep(operand);
  if (!strcmp(mode, "kept")) tell_kept();
  if (!strcmp(mode, "rights")) rights_of_the_system();
  if (!strcmp(mode, "rights-beneath")) rights_beneath(operand);
  if (!strcmp(mode, "rights-self-made")) rights_self_made();
  if (!strcmp(mode, "fill")) fill(open(operand, O_CREAT | O_WRONLY, 0600));
  if (!strcmp(mode, "fill-memfd")) fill(memfd_create("hoard", 0));
  return 0;
}
