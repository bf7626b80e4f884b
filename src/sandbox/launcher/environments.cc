#include "sandbox/launcher/environments.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/jail/filter.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/privileges.h"
#include "sandbox/jail/raw.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr std::size_t kReadyEnvironments = 2;
/// AWS: 1,769 MB are one virtual processor.
constexpr std::int64_t kMibOfOneCpu = 1769;
constexpr std::int64_t kMaxShmMib = 64;
constexpr std::uint32_t kErrnoAction = SECCOMP_RET_ERRNO;

struct Pipe {
  base::Fd read;
  base::Fd write;
};

Pipe make_pipe() {
  int ends[2];
  base::check(::pipe2(ends, O_CLOEXEC), "pipe");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

/// The reader's end does not block; the function's does, as a terminal would.
Pipe make_output(std::uint32_t uid) {
  Pipe output = make_pipe();
  base::check(::fcntl(output.read.get(), F_SETFL, O_NONBLOCK), "fcntl");
  // Or opening /dev/stdout again by its name is refused.
  base::check(::fchown(output.write.get(), uid, uid), "fchown");
  return output;
}

}  // namespace

Environments::Environments(const Directories& directories, std::uint32_t first_uid)
    : images_(directories.scratch),
      mounts_(directories.scratch, directories.code, directories.runtimes, directories.roots),
      first_uid_(first_uid),
      filter_(jail::make_filter()),
      landlock_abi_(jail::landlock_abi()) {
  if (jail::raw(SYS_seccomp, static_cast<long>(SECCOMP_GET_ACTION_AVAIL), 0L, &kErrnoAction) != 0)
    throw std::runtime_error("the kernel has no seccomp filters");
  if (const long result = jail::empty_bounding_set(); result < 0)
    throw std::system_error(static_cast<int>(-result), std::system_category(), "emptying the capability bounding set");
}

Environments::~Environments() {
  for (const auto& [slot, environment] : environments_) kill(environment);
  while (!environments_.empty()) {
    const Slot slot = environments_.begin()->first;
    pollfd ended{environments_.begin()->second.pidfd.get(), POLLIN, 0};
    ::poll(&ended, 1, 5000);
    end(slot);
  }
  for (const Ready& ready : ready_) remove_group(ready.cgroup);
  for (int attempt = 0; attempt < 500 && sweep(); ++attempt) ::poll(nullptr, 0, 2);
}

std::string Environments::description() const {
  std::string text = cgroups_.description();
  text += landlock_abi_ == 0 ? "; no landlock in this kernel" : "; landlock " + std::to_string(landlock_abi_);
  text += "; seccomp; /tmp on ";
  text += images_.why_not().empty() ? "ext4 images" : "tmpfs, which counts as memory (" + images_.why_not() + ")";
  return text;
}

Slot Environments::take_slot() {
  if (next_slot_ < wire::kUids) return next_slot_++;
  if (free_slots_.empty()) throw LaunchFailure{"finding a user id: all are taken", EAGAIN};
  const Slot slot = free_slots_.front();
  free_slots_.pop_front();
  return slot;
}

Environments::Ready Environments::make_ready(std::int32_t scratch_mib) {
  Ready ready{networks_.make(), "e" + std::to_string(next_group_++), images_.make(scratch_mib), scratch_mib};
  cgroups_.create(ready.cgroup);
  return ready;
}

Environments::Ready Environments::take_ready(std::int32_t scratch_mib) {
  usual_scratch_mib_ = scratch_mib;
  if (ready_.empty()) return make_ready(scratch_mib);
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  if (ready.scratch_mib != scratch_mib) ready.scratch = images_.make(scratch_mib);
  return ready;
}

bool Environments::prepare() {
  if (ready_.size() >= kReadyEnvironments) return false;
  try {
    ready_.push_back(make_ready(usual_scratch_mib_));
  } catch (const std::exception&) {
    // The launch that needs it will fail with the reason.
    return false;
  }
  return true;
}

Environment& Environments::launch(const wire::LaunchRequest& request) {
  Environment environment;
  environment.id = request.id;
  environment.memory_mib = request.memory_mib;
  environment.slot = take_slot();
  try {
    Ready ready = take_ready(request.ephemeral_mib);
    environment.cgroup = ready.cgroup;
    clone_into(environment, request, ready);
    environment.runtime_api = std::move(ready.network.runtime_api);
    environment.api = std::move(ready.network.api);
  } catch (const std::system_error& error) {
    free_slots_.push_back(environment.slot);
    mounts_.remove_users(environment.slot);
    if (!environment.cgroup.empty()) remove_group(environment.cgroup);
    throw LaunchFailure{error.what(), error.code().value()};
  }
  return environments_.emplace(environment.slot, std::move(environment)).first->second;
}

void Environments::clone_into(Environment& environment, const wire::LaunchRequest& request, const Ready& ready) {
  const std::uint32_t uid = first_uid_ + environment.slot;
  const base::Fd root = mounts_.clone_root(request.root);
  const base::Fd code = mounts_.clone_code(request.code_hash);
  const base::Fd runtime = mounts_.clone_runtime(request.runtime_dir);
  const Mounts::Users users = mounts_.make_users(environment.slot, uid);
  cgroups_.limit(environment.cgroup, {std::int64_t{request.memory_mib} << 20, request.max_processes});
  const Cgroups::Entrance entrance = cgroups_.entrance(environment.cgroup);
  environment.peak_reader = cgroups_.peak_reader(environment.cgroup);

  Pipe failure = make_pipe(), ending = make_pipe(), out = make_output(uid), err = make_output(uid);
  base::check(::fcntl(failure.read.get(), F_SETFL, O_NONBLOCK), "fcntl");
  base::check(::fcntl(ending.read.get(), F_SETFL, O_NONBLOCK), "fcntl");
  const std::vector<jail::Limit> limits = jail::resource_limits(static_cast<std::uint32_t>(request.max_processes));
  const std::string shm =
      "mode=1777,nr_inodes=4096,size=" + std::to_string(std::min(kMaxShmMib, request.memory_mib / 2L)) + "m";

  jail::Plan plan;
  plan.failure_pipe = failure.write.get();
  plan.ending_pipe = ending.write.get();
  plan.stdout_pipe = out.write.get();
  plan.stderr_pipe = err.write.get();
  plan.network = ready.network.space.get();
  for (std::size_t i = 0; i < entrance.tasks.size(); ++i) plan.cgroup_tasks[i] = entrance.tasks[i].get();
  plan.root_tree = root.get();
  plan.stage = Mounts::kStage;
  const jail::Attachment attachments[] = {{code.get(), "var/task"},
                                          {runtime.get(), "var/runtime"},
                                          {users.passwd.get(), "etc/passwd"},
                                          {users.group.get(), "etc/group"},
                                          {ready.scratch.get(), "tmp"}};
  for (const jail::Attachment& attachment : attachments) plan.attachments[plan.attachment_count++] = attachment;
  plan.shm_options = shm.c_str();
  plan.hostname = Mounts::kHostname;
  plan.hostname_length = std::char_traits<char>::length(Mounts::kHostname);
  plan.directory = "/var/task";
  plan.argv = request.argv.data();
  plan.environment = request.environment.data();
  plan.uid = uid;
  plan.limits = limits.data();
  plan.limit_count = limits.size();
  plan.landlock_abi = landlock_abi_;
  plan.seccomp = {static_cast<unsigned short>(filter_.size()), const_cast<sock_filter*>(filter_.data())};
  plan.times_ns = times_ns_;
  start_child(environment, plan, entrance.unified.get());
  environment.failure_pipe = std::move(failure.read);
  environment.ending_pipe = std::move(ending.read);
  environment.stdout_pipe = std::move(out.read);
  environment.stderr_pipe = std::move(err.read);
}

void Environments::start_child(Environment& environment, const jail::Plan& plan, int unified) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (unified >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(unified);
  }
  const long pid = jail::raw(jail::kClone3, &arguments, static_cast<long>(sizeof arguments));
  if (pid == 0) jail::enter(plan);
  if (pid < 0) throw std::system_error(static_cast<int>(-pid), std::system_category(), "cloning the environment");
  environment.pid = static_cast<int>(pid);
  environment.pidfd = base::Fd(pidfd);
}

Environments::Start Environments::started(Environment& environment) {
  for (;;) {
    jail::Failure failure{};
    const ssize_t got = ::read(environment.failure_pipe.get(), &failure, sizeof failure);
    if (got < 0 && errno == EAGAIN) return Start::pending;
    if (got == sizeof failure && failure.step == jail::kStarted) {
      environment.exec_next = true;
      continue;
    }
    environment.failure_pipe.reset();
    if (got == sizeof failure) throw LaunchFailure{jail::step_name(failure.step), failure.error};
    if (!environment.exec_next) throw LaunchFailure{"it was killed before its program started", 0};
    return Start::running;
  }
}

void Environments::kill(const Environment& environment) const {
  // Either is enough: init's end takes its pid namespace along. The group's kill is at once even when init is stopped.
  cgroups_.kill(environment.cgroup);
  ::syscall(SYS_pidfd_send_signal, environment.pidfd.get(), SIGKILL, nullptr, 0);
}

void Environments::limit_cpu(const Environment& environment) {
  cgroups_.limit_cpu(environment.cgroup, environment.memory_mib * 1000 / kMibOfOneCpu);
}

wire::Ended Environments::end(Slot slot) {
  const auto found = environments_.find(slot);
  Environment& environment = found->second;
  siginfo_t reaped{};
  ::waitid(P_PIDFD, static_cast<id_t>(environment.pidfd.get()), &reaped, WEXITED);
  jail::Ending ending{SIGKILL};
  // Nothing there: init itself was killed.
  if (::read(environment.ending_pipe.get(), &ending, sizeof ending) != sizeof ending) ending.wait_status = SIGKILL;
  wire::Ended ended{};
  ended.header = {wire::Kind::ended, 0, environment.id};
  ended.wait_status = ending.wait_status;
  ended.out_of_memory = cgroups_.out_of_memory_kills(environment.cgroup) > 0 ? 1 : 0;
  ended.peak_bytes = cgroups_.peak_bytes(environment.cgroup);
  remove_group(environment.cgroup);
  mounts_.remove_users(slot);
  free_slots_.push_back(slot);
  environments_.erase(found);
  return ended;
}

Environment* Environments::find(Slot slot) {
  const auto found = environments_.find(slot);
  return found == environments_.end() ? nullptr : &found->second;
}

Environment* Environments::find_id(std::uint64_t id) {
  for (auto& [slot, environment] : environments_)
    if (environment.id == id) return &environment;
  return nullptr;
}

void Environments::remove_group(const std::string& name) {
  if (!cgroups_.remove(name)) busy_groups_.push_back(name);
}

bool Environments::sweep() {
  std::erase_if(busy_groups_, [this](const std::string& name) { return cgroups_.remove(name); });
  return !busy_groups_.empty();
}

}  // namespace lambent::sandbox::launcher
