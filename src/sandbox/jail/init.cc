#include "sandbox/jail/init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <climits>

#include "sandbox/jail/messages.h"
#include "sandbox/jail/raw.h"
#include "sandbox/jail/receive.h"
#include "sandbox/jail/root.h"

namespace lambent::sandbox::jail {
namespace {

constexpr unsigned long kChildEnds = 1UL << (SIGCHLD - 1);

/// What an order's strings are, as exec takes them.
struct Words {
  const char* argv[kMaxArguments + 1];
  const char* environment[kMaxVariables + 1];
  const char* extensions[kMaxExtensionPaths + 1];
  const char* extension_environment[kMaxVariables + 1];
  /// Of arguments and variables.
  std::size_t runtime_bytes;
};

struct Init {
  const Plan* plan;
  bool gave_up = false;
  bool channel_open = false;
  bool has_extensions_output = false;
  /// 0: none runs. A fork of a zygote is not init's child: its end is told by the zygote.
  int runtime = 0;
  int fork_pidfd = -1;
  int extensions[kMaxExtensionPaths] = {};
};

// Static: an init is a process of its own, and what it does not touch costs nothing.
Init self;
Words words;
alignas(Order) char order_buffer[sizeof(Order) + kMaxStringBytes];
/// Written by a program that shares init's memory until it execs.
Failure program_failure;

void notify(NoticeKind kind, std::int32_t first = 0, std::int32_t second = 0) {
  const Notice notice{kind, first, second, 0};
  send(kOrdersFd, &notice, sizeof notice);
}

[[noreturn]] void end() {
  // The end of pid 1 is the end of everything else in its namespace.
  for (;;) raw(SYS_exit_group, 0);
}

[[noreturn]] void fail(Failure failure) {
  notify(NoticeKind::failed, static_cast<std::int32_t>(failure.step), failure.error);
  end();
}

[[noreturn]] void fail(std::uint32_t step, long result) { fail({step, static_cast<std::int32_t>(-result)}); }

[[noreturn]] void run_program(const Program& program) {
  program_failure = become_program(program);
  // As a shell would: not found, or not executable.
  for (;;) raw(SYS_exit_group, program_failure.error == ENOENT ? 127 : 126);
}

/// As vfork: the child runs on this stack, above which nothing may be kept in this function that it could overwrite; so
/// it does nothing but call.
__attribute__((noinline)) long spawn(clone_args& arguments, bool plain, const Program& program) {
  const long pid = plain ? raw(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0L, 0L, 0L, 0L)
                         : raw(kClone3, &arguments, static_cast<long>(sizeof arguments));
  if (pid == 0) run_program(program);
  return pid;
}

/// The program's process id. It runs when this returns, or has ended with 126 or 127 when it `may_be_missing`.
int start(const char* const* argv, const char* const* environment, int out, int err, int channel,
          bool may_be_missing = false) {
  const Plan& plan = *self.plan;
  Program program;
  program.out = out;
  program.err = err;
  program.channel = channel;
  program.directory = "/var/task";
  program.argv = argv;
  program.environment = environment;
  program.rights = self.gave_up ? nullptr : &plan.rights;
  if (plan.freezer_file >= 0) program.groups[0] = plan.freezer_file;
  // Seccomp lets init have no clone3 any more; the group's file was opened by somebody who may write to it.
  if (self.gave_up && plan.inner_group_file >= 0) program.groups[1] = plan.inner_group_file;
  clone_args arguments{};
  arguments.flags = CLONE_VM | CLONE_VFORK;
  arguments.exit_signal = SIGCHLD;
  if (plan.inner_group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(plan.inner_group);
  }
  program_failure = {};
  const long pid = spawn(arguments, self.gave_up, program);
  if (pid < 0) fail(kStartStep, pid);
  const bool tolerated = may_be_missing && failed_in_exec(program_failure);
  if (program_failure.error != 0 && !tolerated) fail(program_failure);
  return static_cast<int>(pid);
}

const char* take_strings(const char* at, const char* end, std::uint32_t count, const char** into) {
  for (std::uint32_t i = 0; i < count; ++i) {
    into[i] = at;
    while (at < end && *at != '\0') ++at;
    if (at == end) fail(kOrderStep, -EINVAL);
    ++at;
  }
  into[count] = nullptr;
  return at;
}

void take_words(const Order& order, long length) {
  const bool fits = order.argument_count <= kMaxArguments && order.variable_count <= kMaxVariables &&
                    order.extension_count <= kMaxExtensionPaths && order.extension_variable_count <= kMaxVariables &&
                    order.strings_bytes == static_cast<unsigned long>(length) - sizeof order;
  if (!fits) fail(kOrderStep, -EINVAL);
  const char* const begin = order_buffer + sizeof order;
  const char* const last = begin + order.strings_bytes;
  const char* at = take_strings(begin, last, order.argument_count, words.argv);
  at = take_strings(at, last, order.variable_count, words.environment);
  words.runtime_bytes = static_cast<std::size_t>(at - begin);
  at = take_strings(at, last, order.extension_count, words.extensions);
  take_strings(at, last, order.extension_variable_count, words.extension_environment);
}

void keep(int from, int to) {
  if (const long result = raw(SYS_dup3, from, to, O_CLOEXEC); result < 0) fail(kOrderStep, result);
  raw(SYS_close, from);
}

void start_extensions(const Order& order) {
  const char* argv[2] = {nullptr, nullptr};
  for (std::uint32_t i = 0; i < order.extension_count; ++i) {
    argv[0] = words.extensions[i];
    self.extensions[i] = start(argv, words.extension_environment, kExtensionsFd, kExtensionsFd, -1, true);
  }
}

void start_runtime() { self.runtime = start(words.argv, words.environment, kStdoutFd, kStderrFd, -1); }

void wait_order(const Order& order, const Message& message) {
  const bool starts = order.argument_count > 0;
  if (message.fd_count != (starts ? 2 : 1) || self.channel_open) fail(kOrderStep, -EINVAL);
  keep(message.fds[0], kChannelFd);
  self.channel_open = true;
  if (!starts) return;
  self.runtime = start(words.argv, words.environment, kStdoutFd, kStderrFd, message.fds[1]);
  raw(SYS_close, message.fds[1]);
}

/// What waits has said so, or has gone.
void hear_message() {
  char byte;
  const Message message = receive(kChannelFd, &byte, 1);
  if (message.length != 1) {
    raw(SYS_close, kChannelFd);
    self.channel_open = false;
    return;
  }
  if (self.runtime == 0 && message.sender_pid > 1) {
    self.runtime = message.sender_pid;
    self.fork_pidfd = static_cast<int>(raw(SYS_pidfd_open, message.sender_pid, 0));
  }
  notify(NoticeKind::waiting);
}

void hear_channel() {
  const timespec at_once{0, 0};
  for (;;) {
    pollfd source{kChannelFd, POLLIN, 0};
    if (!self.channel_open || raw(SYS_ppoll, &source, 1, &at_once, nullptr, 8) <= 0) return;
    hear_message();
  }
}

void hand_over(const Order& order) {
  const Assignment head{static_cast<std::uint32_t>(2 * sizeof(std::uint32_t) + words.runtime_bytes),
                        order.argument_count, order.variable_count};
  iovec parts[2] = {{const_cast<Assignment*>(&head), sizeof head}, {order_buffer + sizeof(Order), words.runtime_bytes}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const long sent = raw(SYS_sendmsg, kChannelFd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<long>(sizeof head + words.runtime_bytes)) fail(kHandOverStep, sent < 0 ? sent : -EMSGSIZE);
  raw(SYS_close, kChannelFd);
  self.channel_open = false;
}

void give_up() {
  if (const Failure failure = give_up_own_rights(self.plan->rights); failure.error != 0) fail(failure);
  self.gave_up = true;
}

/// /mnt is a file system of the environment's own, which nobody inside may write to.
void mount_file_system(const char* path, int tree) {
  if (const long result = raw(SYS_mkdirat, AT_FDCWD, path, 0755L); result < 0) fail(kMountStep, result);
  if (const long result = attach({tree, path}); result < 0) fail(kMountStep, result);
  raw(SYS_close, tree);
}

void assign(const Order& order, const Message& message) {
  int next = 0;
  const auto take = [&] { return next < message.fd_count ? message.fds[next++] : -1; };
  const struct {
    std::uint32_t flag;
    const char* at;
  } places[] = {{kHasCode, "/var/task"}, {kHasLayers, "/opt"}};
  for (const auto& place : places) {
    if ((order.has & place.flag) == 0) continue;
    const int tree = take();
    if (const long result = attach({tree, place.at}); result < 0) fail(kAttachStep, result);
    raw(SYS_close, tree);
  }
  if ((order.has & kHasFileSystem) != 0) mount_file_system(order.mount_path, take());
  if ((order.has & kHasExtensionsOutput) != 0) keep(take(), kExtensionsFd);
  start_extensions(order);
  self.channel_open ? hand_over(order) : start_runtime();
  notify(NoticeKind::started);
  give_up();
}

/// Until nothing inside is left but init.
void kill_all() {
  raw(SYS_kill, -1, SIGKILL);
  while (raw(SYS_wait4, -1, nullptr, __WALL, nullptr) != -ECHILD) continue;
  if (self.fork_pidfd >= 0) {
    pollfd gone{self.fork_pidfd, POLLIN, 0};
    const timespec bound{5, 0};
    raw(SYS_ppoll, &gone, 1, &bound, nullptr, 8);
    raw(SYS_close, self.fork_pidfd);
    self.fork_pidfd = -1;
  }
  self.runtime = 0;
  for (int& extension : self.extensions) extension = 0;
}

void restart(const Order& order) {
  if (!self.gave_up) fail(kOrderStep, -EINVAL);
  kill_all();
  start_extensions(order);
  start_runtime();
  notify(NoticeKind::started);
}

void obey() {
  const Message message = receive(kOrdersFd, order_buffer, sizeof order_buffer);
  // The launcher is gone.
  if (message.length == 0) end();
  const auto& order = *reinterpret_cast<const Order*>(order_buffer);
  if (message.length < static_cast<long>(sizeof order)) fail(kOrderStep, message.length < 0 ? message.length : -EINVAL);
  take_words(order, message.length);
  switch (order.kind) {
    case OrderKind::wait:
      return wait_order(order, message);
    case OrderKind::assign:
      return assign(order, message);
    case OrderKind::restart:
      return restart(order);
    case OrderKind::terminate:
      // A program is the first of its session, so its group bears its number.
      if (self.runtime > 1) raw(SYS_kill, -self.runtime, SIGTERM);
      return;
    case OrderKind::kill:
      raw(SYS_kill, -1, SIGKILL);
      return;
  }
  fail(kOrderStep, -EINVAL);
}

void reap() {
  char ignored[128];
  raw(SYS_read, kSignalsFd, ignored, static_cast<long>(sizeof ignored));
  for (;;) {
    int status = 0;
    const long pid = raw(SYS_wait4, -1, &status, __WALL | WNOHANG, nullptr);
    if (pid <= 0) return;
    if (pid == self.runtime) {
      // What it said before it ended comes first.
      hear_channel();
      self.runtime = 0;
      notify(NoticeKind::ended, kRuntime, status);
    }
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(kMaxExtensionPaths); ++i) {
      if (pid != self.extensions[i]) continue;
      self.extensions[i] = 0;
      notify(NoticeKind::ended, i, status);
    }
  }
}

/// The descriptors that init works with, at their numbers; no others.
void take_descriptors(const Plan& plan) {
  const struct {
    int from, to;
  } moves[] = {{plan.orders, kOrdersFd}, {plan.stdout_pipe, kStdoutFd}, {plan.stderr_pipe, kStderrFd}};
  for (const auto& move : moves) raw(SYS_dup3, move.from, move.to, O_CLOEXEC);
  raw(SYS_rt_sigprocmask, SIG_BLOCK, &kChildEnds, nullptr, 8);
  const long signals = raw(SYS_signalfd4, -1, &kChildEnds, 8L, O_CLOEXEC);
  if (signals >= 0) keep(static_cast<int>(signals), kSignalsFd);
}

/// Init's copy of the plan, whose descriptors have moved below kFirstFreeFd.
void settle_descriptors(Plan& plan) {
  int next = kGroupFilesFd;
  int* const files[] = {&plan.inner_group_file, &plan.freezer_file};
  for (int* file : files) {
    if (*file < 0) continue;
    raw(SYS_dup3, *file, next, O_CLOEXEC);
    *file = next++;
  }
  if (plan.inner_group >= 0) {
    raw(SYS_dup3, plan.inner_group, kInnerGroupFd, O_CLOEXEC);
    plan.inner_group = kInnerGroupFd;
  }
  raw(kCloseRange, kFirstFreeFd, UINT_MAX, 0);
}

}  // namespace

void run_init(const Plan& given) {
  Plan plan = given;
  self.plan = &plan;
  take_descriptors(plan);
  if (const Failure failure = enter_namespaces(plan); failure.error != 0) fail(failure);
  settle_descriptors(plan);
  if (plan.announce) notify(NoticeKind::ready);
  for (;;) {
    pollfd sources[3] = {{kOrdersFd, POLLIN, 0}, {kSignalsFd, POLLIN, 0}, {kChannelFd, POLLIN, 0}};
    const long ready = raw(SYS_ppoll, sources, self.channel_open ? 3 : 2, nullptr, nullptr, 8);
    if (ready < 0) continue;
    if (sources[1].revents != 0) reap();
    hear_channel();
    if (sources[0].revents != 0) obey();
  }
}

void run_zygote(const Plan& plan, const char* const* argv, const char* const* environment) {
  raw(SYS_dup3, plan.orders, kOrdersFd, 0);
  const Failure failure = enter_zygote_root(plan);
  if (failure.error == 0) {
    raw(kCloseRange, kOrdersFd + 1, UINT_MAX, 0);
    raw(SYS_execve, argv[0], argv, environment);
  }
  const Notice notice{NoticeKind::failed, static_cast<std::int32_t>(failure.step), failure.error, 0};
  send(kOrdersFd, &notice, sizeof notice);
  for (;;) raw(SYS_exit_group, 111);
}

}  // namespace lambent::sandbox::jail
