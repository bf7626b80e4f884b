#include "sandbox/jail/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>

#include <climits>

#include "sandbox/jail/raw.h"

namespace lambent::sandbox::jail {

long write_self(const int* files) {
  for (int i = 0; i < kMaxGroupFiles; ++i) {
    if (files[i] < 0) continue;
    if (const long result = raw(SYS_write, files[i], "0", 1L); result < 0) return result;
  }
  return 0;
}

long enter_groups(const Program& program) { return write_self(program.groups); }

long enter_environment(const Program& program) {
  // The pid namespace was entered by being forked.
  return raw(SYS_setns, program.init_pidfd, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP);
}

long take_streams(const Program& program) {
  const long null = raw(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0) return null;
  // Out of the way of the numbers that are taken.
  const long channel = program.channel < 0 ? -1 : raw(SYS_fcntl, program.channel, F_DUPFD_CLOEXEC, kFirstFreeFd);
  const long err = raw(SYS_fcntl, program.err, F_DUPFD_CLOEXEC, kFirstFreeFd);
  if (err < 0) return err;
  const struct {
    long from;
    int to;
  } moves[] = {{null, 0}, {program.out, 1}, {err, 2}, {channel, kAssignmentFd}};
  for (const auto& move : moves) {
    if (move.from < 0) continue;
    if (move.from == move.to) {
      if (const long result = raw(SYS_fcntl, move.from, F_SETFD, 0L); result < 0) return result;
    } else if (const long result = raw(SYS_dup3, move.from, move.to, 0); result < 0) {
      return result;
    }
  }
  return 0;
}

long close_everything_else(const Program& program) {
  const long first = program.channel < 0 ? kAssignmentFd : kAssignmentFd + 1;
  return raw(kCloseRange, first, UINT_MAX, 0);
}

long give_up(const Program& program) { return program.rights == nullptr ? 0 : -give_up_rights(*program.rights).error; }

long enter_directory(const Program& program) { return raw(SYS_chdir, program.directory); }

long start_session(const Program&) {
  raw(SYS_umask, 022);
  const long result = raw(SYS_setsid);
  return result < 0 ? result : 0;
}

long reset_signals(const Program& program) {
  struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } action = {};
  for (int signal = 1; signal <= 64; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) raw(SYS_rt_sigaction, signal, &action, nullptr, 8);
  return unblock_signals(program);
}

long unblock_signals(const Program&) {
  const unsigned long none = 0;
  return raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8);
}

long execute(const Program& program) { return raw(SYS_execve, program.argv[0], program.argv, program.environment); }

}  // namespace lambent::sandbox::jail
