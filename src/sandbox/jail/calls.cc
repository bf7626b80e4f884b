// What a function may ask of the kernel. A call is here because ordinary programs in AWS's runtimes make it; one that only
// an administrator, a debugger or a container engine needs is refused; one that nobody has thought about is unknown.
// calls_x86_64.snapshot says the same once more, by number: sandbox_test compares, so that a change here is seen as one.
#include <asm/unistd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sandbox/jail/filter.h"

#define CALL(name) {#name, __NR_##name}

namespace lambent::sandbox::jail {
namespace {

// Packed by subject: the list is read as a page.
// clang-format off
constexpr Call kAllowed[] = {
    // Files and directories: landlock, the read-only mounts and file modes decide which.
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev),
    CALL(preadv2), CALL(pwritev2), CALL(close), CALL(close_range), CALL(openat), CALL(openat2), CALL(lseek),
    CALL(fstat), CALL(newfstatat), CALL(statx), CALL(statfs), CALL(fstatfs), CALL(getdents64), CALL(getcwd),
    CALL(chdir), CALL(fchdir), CALL(faccessat), CALL(faccessat2), CALL(readlinkat), CALL(mkdirat), CALL(unlinkat),
    CALL(renameat2), CALL(linkat), CALL(symlinkat), CALL(mknodat), CALL(fchmod), CALL(fchmodat), CALL(fchown),
    CALL(fchownat), CALL(umask), CALL(truncate), CALL(ftruncate), CALL(fallocate), CALL(fsync), CALL(fdatasync),
    CALL(sync), CALL(syncfs), CALL(sync_file_range), CALL(utimensat), CALL(flock), CALL(fadvise64), CALL(readahead),
    CALL(copy_file_range), CALL(sendfile), CALL(splice), CALL(tee), CALL(setxattr), CALL(lsetxattr),
    CALL(fsetxattr), CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr), CALL(listxattr), CALL(llistxattr),
    CALL(flistxattr), CALL(removexattr), CALL(lremovexattr), CALL(fremovexattr), CALL(inotify_init1),
    CALL(inotify_add_watch), CALL(inotify_rm_watch),

    // Descriptors and waiting for them.
    CALL(dup), CALL(dup3), CALL(fcntl), CALL(pipe2), CALL(eventfd2), CALL(signalfd4), CALL(timerfd_create),
    CALL(timerfd_settime), CALL(timerfd_gettime), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait),
    CALL(epoll_pwait2), CALL(pselect6), CALL(ppoll), CALL(memfd_create),

    // Memory.
    CALL(brk), CALL(mmap), CALL(munmap), CALL(mremap), CALL(mprotect), CALL(madvise), CALL(mincore), CALL(msync),
    CALL(mlock), CALL(mlock2), CALL(munlock), CALL(mlockall), CALL(munlockall), CALL(membarrier), CALL(pkey_alloc),
    CALL(pkey_free), CALL(pkey_mprotect), CALL(get_mempolicy), CALL(remap_file_pages),

    // Processes and threads, their ids, signals and limits. Other users' processes are in other namespaces.
    CALL(execve), CALL(execveat), CALL(exit), CALL(exit_group), CALL(wait4), CALL(waitid), CALL(getpid), CALL(getppid),
    CALL(gettid), CALL(getpgid), CALL(setpgid), CALL(getsid), CALL(setsid), CALL(getuid), CALL(geteuid), CALL(getgid),
    CALL(getegid), CALL(getresuid), CALL(getresgid), CALL(getgroups), CALL(setuid), CALL(setgid), CALL(setreuid),
    CALL(setregid), CALL(setresuid), CALL(setresgid), CALL(setfsuid), CALL(setfsgid), CALL(setgroups), CALL(capget),
    CALL(capset), CALL(kill), CALL(tkill), CALL(tgkill), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigpending),
    CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo), CALL(rt_sigreturn), CALL(rt_sigsuspend), CALL(rt_sigtimedwait),
    CALL(sigaltstack), CALL(restart_syscall), CALL(pidfd_open), CALL(pidfd_send_signal), CALL(prctl),
    CALL(set_tid_address), CALL(set_robust_list), CALL(get_robust_list), CALL(rseq), CALL(futex), CALL(futex_waitv),
    CALL(getrlimit), CALL(setrlimit), CALL(prlimit64), CALL(getrusage), CALL(times), CALL(getpriority),
    CALL(setpriority), CALL(ioprio_get), CALL(ioprio_set), CALL(sched_yield), CALL(sched_getaffinity),
    CALL(sched_setaffinity), CALL(sched_getparam), CALL(sched_setparam), CALL(sched_getscheduler),
    CALL(sched_setscheduler), CALL(sched_getattr), CALL(sched_setattr), CALL(sched_get_priority_max),
    CALL(sched_get_priority_min), CALL(sched_rr_get_interval), CALL(getcpu), CALL(seccomp),
    CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self),

    // Time.
    CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
    CALL(getitimer), CALL(setitimer), CALL(timer_create), CALL(timer_settime), CALL(timer_gettime),
    CALL(timer_getoverrun), CALL(timer_delete),

    // Sockets: their families are limited below, and the network namespace has nothing but a loopback of its own.
    CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(connect), CALL(getsockname), CALL(getpeername),
    CALL(getsockopt), CALL(setsockopt), CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom), CALL(recvmsg),
    CALL(recvmmsg), CALL(shutdown),

    // System V and POSIX IPC, in a namespace of the environment's own.
    CALL(shmget), CALL(shmat), CALL(shmdt), CALL(shmctl), CALL(semget), CALL(semop), CALL(semtimedop), CALL(semctl),
    CALL(msgget), CALL(msgsnd), CALL(msgrcv), CALL(msgctl), CALL(mq_open), CALL(mq_unlink), CALL(mq_timedsend),
    CALL(mq_timedreceive), CALL(mq_notify), CALL(mq_getsetattr),

    // What the machine is.
    CALL(uname), CALL(sysinfo), CALL(getrandom),

#if defined(__x86_64__)
    // The older forms that only x86_64 still has.
    CALL(open), CALL(creat), CALL(stat), CALL(lstat), CALL(access), CALL(readlink), CALL(mkdir), CALL(rmdir),
    CALL(unlink), CALL(rename), CALL(renameat), CALL(link), CALL(symlink), CALL(mknod), CALL(chmod), CALL(chown),
    CALL(lchown), CALL(utime), CALL(utimes), CALL(futimesat), CALL(getdents), CALL(dup2), CALL(pipe), CALL(eventfd),
    CALL(signalfd), CALL(inotify_init), CALL(epoll_create), CALL(epoll_wait), CALL(select), CALL(poll), CALL(fork),
    CALL(vfork), CALL(getpgrp), CALL(pause), CALL(alarm), CALL(time), CALL(arch_prctl),
#elif defined(__aarch64__)
    CALL(renameat),
#endif
};

constexpr Call kRefused[] = {
    // Mounts and roots.
    CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount), CALL(open_tree), CALL(fsopen),
    CALL(fsconfig), CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(quotactl), CALL(quotactl_fd), CALL(swapon),
    CALL(swapoff),
    // Namespaces (unshare and clone are limited below).
    CALL(setns),
    // Into other processes.
    CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(process_madvise), CALL(process_mrelease),
    CALL(kcmp), CALL(pidfd_getfd),
    // Files without a path, past every path rule.
    CALL(open_by_handle_at), CALL(name_to_handle_at), CALL(fanotify_init), CALL(fanotify_mark),
    // What the kernel counts once for the whole machine (fs.aio-max-nr): one function could take it from all.
    CALL(io_setup), CALL(io_submit), CALL(io_getevents), CALL(io_pgetevents), CALL(io_cancel), CALL(io_destroy),
    // Large parts of the kernel that a function has no use for.
    CALL(bpf), CALL(perf_event_open), CALL(userfaultfd), CALL(io_uring_setup), CALL(io_uring_enter),
    CALL(io_uring_register), CALL(add_key), CALL(request_key), CALL(keyctl), CALL(vmsplice),
    // The machine: modules, time, power, accounting, names, placement.
    CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(reboot), CALL(acct),
    CALL(syslog), CALL(sethostname), CALL(setdomainname), CALL(settimeofday), CALL(clock_settime), CALL(adjtimex),
    CALL(clock_adjtime), CALL(vhangup), CALL(mbind), CALL(set_mempolicy), CALL(migrate_pages), CALL(move_pages),
    CALL(set_mempolicy_home_node),
#if defined(__x86_64__)
    CALL(kexec_file_load), CALL(iopl), CALL(ioperm), CALL(modify_ldt),
#elif defined(__aarch64__)
    CALL(kexec_file_load),
#endif
};

// clang-format on

constexpr std::uint32_t kWhole = 0xffffffff;
constexpr std::uint32_t kNewTime = 0x80;  // CLONE_NEWTIME, which clone reads as part of the exit signal
constexpr std::uint32_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
constexpr std::uint32_t kNone[] = {0};
constexpr Condition kCloneFlags[] = {{0, kNamespaces, kNone}};
constexpr Condition kUnshareFlags[] = {{0, kNamespaces | kNewTime, kNone}};

// No netlink, packet, vsock, kernel crypto or Bluetooth; no raw sockets; no protocol that would load a module.
constexpr std::uint32_t kFamilies[] = {AF_UNIX, AF_INET, AF_INET6};
constexpr std::uint32_t kTypes[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
constexpr std::uint32_t kProtocols[] = {0, 6 /* TCP */, 17 /* UDP */};
constexpr Condition kSocket[] = {{0, kWhole, kFamilies}, {1, 0xf, kTypes}, {2, kWhole, kProtocols}};
constexpr std::uint32_t kUnixOnly[] = {AF_UNIX};
constexpr Condition kSocketpair[] = {{0, kWhole, kUnixOnly}};

// Asking (0xffffffff) and the ordinary Linux personality; none that loosens the address space.
constexpr std::uint32_t kPersonalities[] = {0, 0xffffffff};
constexpr Condition kPersonality[] = {{0, kWhole, kPersonalities}};

// Typing into somebody's terminal, and a console's paste.
constexpr std::uint32_t kTerminalInput[] = {TIOCSTI, 0x541c /* TIOCLINUX */};
constexpr Condition kIoctl[] = {{1, kWhole, kTerminalInput, true}};

constexpr LimitedCall kLimited[] = {
    {CALL(clone), kCloneFlags},      {CALL(unshare), kUnshareFlags},    {CALL(socket), kSocket},
    {CALL(socketpair), kSocketpair}, {CALL(personality), kPersonality}, {CALL(ioctl), kIoctl},
};

}  // namespace

std::span<const Call> allowed_calls() { return kAllowed; }
std::span<const Call> refused_calls() { return kRefused; }
std::span<const LimitedCall> limited_calls() { return kLimited; }

}  // namespace lambent::sandbox::jail
