#include "sandbox/launcher/environments.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sandbox/jail/filter.h"
#include "sandbox/jail/init.h"
#include "sandbox/jail/raw.h"
#include "sandbox/launcher/channel.h"
#include "sandbox/launcher/files.h"
#include "sandbox/launcher/limits.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr std::size_t kStockedEnvironments = 2;
/// As many shapes as a usual mix of functions has.
constexpr std::size_t kUnclaimedEnvironments = 4;
constexpr std::int32_t kUsualScratchMib = 512;
constexpr int kEndMs = 5000;
/// AWS: 1,769 MB are one virtual processor.
constexpr std::int64_t kMibOfOneCpu = 1769;
/// A process that waits for its function may use so much; what it keeps counts as the function's afterwards.
constexpr std::int64_t kWaitingMib = 512;
/// Counts as memory too, so it need not follow the function's.
constexpr const char* kShmOptions = "mode=1777,nr_inodes=4096,size=64m";
constexpr std::uint32_t kErrnoAction = SECCOMP_RET_ERRNO;

struct Ends {
  base::Fd read;
  base::Fd write;
};

Ends make_pipe() {
  int ends[2];
  base::check(::pipe2(ends, O_CLOEXEC), "pipe");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

/// The reader's end does not block; the function's does, as a terminal would.
Ends make_output(std::uint32_t uid) {
  Ends output = make_pipe();
  base::check(::fcntl(output.read.get(), F_SETFL, O_NONBLOCK), "fcntl");
  // Or opening /dev/stdout again by its name is refused.
  base::check(::fchown(output.write.get(), uid, uid), "fchown");
  return output;
}

struct Pair {
  base::Fd ours;
  base::Fd theirs;
};

Pair make_pair(int type) {
  int ends[2];
  base::check(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), "socketpair");
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

Shape shape_of(const wire::Checked& request) {
  return {request.root, request.runtime_dir, request.ephemeral_mib, request.max_processes};
}

/// Words of system errors as a launch's failure.
template <class Work>
auto in_words(const Work& work) {
  try {
    return work();
  } catch (const std::system_error& error) {
    throw LaunchFailure{error.what(), error.code().value()};
  }
}

}  // namespace

Environments::Environments(const Directories& directories, std::uint32_t first_uid, const NetworkOptions& network)
    : images_(directories.scratch),
      networks_(network),
      mounts_(directories.scratch, directories.code, directories.runtimes, directories.roots, directories.file_systems),
      users_(first_uid),
      filter_(jail::make_filter()),
      landlock_abi_(landlock_abi()) {
  if (jail::raw(SYS_seccomp, static_cast<long>(SECCOMP_GET_ACTION_AVAIL), 0L, &kErrnoAction) != 0)
    throw std::runtime_error("the kernel has no seccomp filters");
  if (filter_.size() > jail::kMaxFilter) throw std::runtime_error("the list of system calls is too long");
  images_.probe();
  empty_bounding_set();
}

Environments::~Environments() {
  for (auto& [slot, environment] : environments_) {
    destroy(environment);
    // Within a small function's share of a processor a thousand processes would take seconds to end.
    try {
      cgroups_.unlimit_cpu(environment.cgroup);
    } catch (const std::system_error&) {
      // Then they take it.
    }
  }
  while (!environments_.empty()) {
    const Slot slot = environments_.begin()->first;
    pollfd ended{environments_.begin()->second.pidfd.get(), POLLIN, 0};
    // Init ends after everything in its namespace has been reaped, forks of zygotes that are gone among it.
    for (int waited_ms = 0; waited_ms < kEndMs && ::poll(&ended, 1, 1) == 0; ++waited_ms)
      while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
    end(slot);
  }
  for (Environment& environment : unclaimed_) discard(environment);
  for (const Stock& stock : stock_) remove_group(stock.cgroup);
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

Environments::Stock Environments::make_stock(std::int32_t scratch_mib) {
  Stock stock{networks_.make(), "e" + std::to_string(next_group_++), images_.make(scratch_mib), scratch_mib};
  cgroups_.create(stock.cgroup);
  return stock;
}

Environments::Stock Environments::take_stock(std::int32_t scratch_mib) {
  if (stock_.empty()) return make_stock(scratch_mib);
  if (stock_.front().scratch_mib != scratch_mib) {
    stock_.front().scratch = images_.make(scratch_mib);
    stock_.front().scratch_mib = scratch_mib;
  }
  Stock stock = std::move(stock_.front());
  stock_.pop_front();
  return stock;
}

bool Environments::making() const {
  return std::ranges::any_of(environments_, [](const auto& entry) {
    const Phase phase = entry.second.phase;
    return phase == Phase::launching || phase == Phase::preparing || phase == Phase::assigning ||
           phase == Phase::restarting;
  });
}

bool Environments::restock() {
  try {
    if (stock_.size() >= kStockedEnvironments) return make_unclaimed();
    stock_.push_back(make_stock(usual_ ? usual_->ephemeral_mib : kUsualScratchMib));
  } catch (const std::exception&) {
    // The launch that needs it will fail with the reason.
    return false;
  } catch (const LaunchFailure&) {
    return false;
  }
  return true;
}

bool Environments::make_unclaimed() {
  const auto has_usual = [this](const Environment& each) { return each.shape == *usual_; };
  if (!usual_ || std::ranges::any_of(unclaimed_, has_usual)) return false;
  Environment environment;
  environment.shape = *usual_;
  environment.slot = take_slot();
  try {
    build(environment);
  } catch (...) {
    discard(environment);
    throw;
  }
  unclaimed_.push_back(std::move(environment));
  if (unclaimed_.size() > kUnclaimedEnvironments) {
    discard(unclaimed_.front());
    unclaimed_.pop_front();
  }
  return true;
}

std::optional<Environment> Environments::take_unclaimed(const Shape& shape) {
  const auto found = std::ranges::find_if(unclaimed_, [&](const Environment& each) { return each.shape == shape; });
  if (found == unclaimed_.end()) return std::nullopt;
  Environment environment = std::move(*found);
  unclaimed_.erase(found);
  siginfo_t ended{};
  ::waitid(P_PIDFD, static_cast<id_t>(environment.pidfd.get()), &ended, WEXITED | WNOHANG | WNOWAIT);
  if (ended.si_pid == 0) return environment;
  // Killed by somebody while nobody watched it.
  discard(environment);
  return std::nullopt;
}

Environment& Environments::make(const wire::Checked& request) {
  if (request.zygote) {
    if (const char* wrong = wire::refuse_zygote(request)) throw LaunchFailure{wrong};
    mounts_.require_trusted(request.root);
  }
  const Shape shape = shape_of(request);
  std::optional<Environment> unclaimed = take_unclaimed(shape);
  const bool made = unclaimed.has_value();
  Environment environment = made ? std::move(*unclaimed) : Environment{};
  environment.id = request.id;
  environment.phase = request.kind == wire::Kind::launch ? Phase::launching : Phase::preparing;
  environment.shape = shape;
  environment.argv.assign(request.argv.begin(), request.argv.end());
  environment.variables.assign(request.variables.begin(), request.variables.end());
  environment.memory_mib = request.memory_mib;
  environment.zygote = request.zygote;
  environment.waits = environment.phase == Phase::preparing && request.argument_count > 0;
  if (!made) environment.slot = take_slot();
  try {
    made ? limit(environment) : build(environment);
    if (!environment.zygote) environment.fork = {};
    if (environment.waits) order_wait(environment, request);
    if (environment.phase == Phase::launching) assign(environment, request);
  } catch (...) {
    discard(environment);
    throw;
  }
  usual_ = shape;
  slots_.emplace(environment.id, environment.slot);
  return environments_.emplace(environment.slot, std::move(environment)).first->second;
}

/// The sandbox itself, before anything of the request is in it.
void Environments::build(Environment& environment) {
  Stock stock = take_stock(environment.shape.ephemeral_mib);
  environment.cgroup = stock.cgroup;
  environment.address = stock.network.address;
  limit(environment);
  clone_init(environment, stock);
  environment.runtime_api = std::move(stock.network.runtime_api);
  environment.api = std::move(stock.network.api);
}

void Environments::limit(const Environment& environment) {
  const bool launching = environment.phase == Phase::launching;
  cgroups_.limit(environment.cgroup,
                 {(launching ? environment.memory_mib : kWaitingMib) << 20, environment.shape.max_processes});
  // Nobody waits for what waits for its function by itself: an invocation that runs meanwhile shall not notice it.
  if (environment.waits && !environment.zygote) cgroups_.set_idle(environment.cgroup, true);
}

/// One that was never seen by anybody.
void Environments::discard(Environment& environment) {
  if (environment.pidfd) {
    destroy(environment);
    siginfo_t reaped{};
    ::waitid(P_PIDFD, static_cast<id_t>(environment.pidfd.get()), &reaped, WEXITED);
  }
  free_slots_.push_back(environment.slot);
  mounts_.remove_users(environment.slot);
  networks_.leave_zone(environment.address);
  if (!environment.cgroup.empty()) remove_group(environment.cgroup);
}

void Environments::clone_init(Environment& environment, const Stock& stock) {
  const std::uint32_t uid = uid_of(environment);
  const base::Fd root = mounts_.clone_root(environment.shape.root);
  const base::Fd runtime = mounts_.clone_runtime(environment.shape.runtime_dir);
  const Mounts::Users users = mounts_.make_users(environment.slot, uid);
  const base::Fd mount_points = mounts_.make_mount_points();
  Cgroups::Entrance entrance = cgroups_.entrance(environment.cgroup);
  environment.peak_reader = cgroups_.peak_reader(environment.cgroup);
  environment.freezer = cgroups_.freezer(environment.cgroup);
  environment.process_counter = cgroups_.process_counter(environment.cgroup);

  Pair orders = make_pair(SOCK_SEQPACKET);
  Ends out = make_output(uid), err = make_output(uid);
  const std::vector<jail::Limit> limits = resource_limits(static_cast<std::uint32_t>(environment.shape.max_processes));

  jail::Plan plan;
  plan.orders = orders.theirs.get();
  plan.stdout_pipe = out.write.get();
  plan.stderr_pipe = err.write.get();
  plan.network = stock.network.space.get();
  for (std::size_t i = 0; i < entrance.tasks.size(); ++i) plan.own_groups[i] = entrance.tasks[i].get();
  plan.inner_group = entrance.inner.get();
  plan.inner_group_file = entrance.inner_file.get();
  plan.freezer_file = entrance.freezer_file.get();
  plan.root_tree = root.get();
  plan.stage = Mounts::kStage;
  const jail::Attachment attachments[] = {{runtime.get(), "var/runtime"},
                                          {users.passwd.get(), "etc/passwd"},
                                          {users.group.get(), "etc/group"},
                                          {stock.scratch.get(), "tmp"},
                                          {mount_points.get(), "mnt"}};
  for (const jail::Attachment& attachment : attachments)
    if (attachment.tree >= 0) plan.attachments[plan.attachment_count++] = attachment;
  plan.shm_options = kShmOptions;
  plan.announce = environment.phase != Phase::launching;
  plan.hostname = Mounts::kHostname;
  plan.hostname_length = std::char_traits<char>::length(Mounts::kHostname);
  plan.rights = {uid,
                 limits.data(),
                 limits.size(),
                 landlock_abi_,
                 {static_cast<unsigned short>(filter_.size()), const_cast<sock_filter*>(filter_.data())}};
  start_init(environment, plan, entrance.outer.get());
  environment.orders = std::move(orders.ours);
  environment.stdout_pipe = std::move(out.read);
  environment.stderr_pipe = std::move(err.read);
  environment.fork = {std::move(out.write), std::move(err.write), {}, std::move(entrance.tasks), {}};
  for (base::Fd* file : {&entrance.freezer_file, &entrance.inner_file})
    if (*file) environment.fork.groups.push_back(std::move(*file));
  environment.fork.unified = std::move(entrance.inner);
}

void Environments::start_init(Environment& environment, const jail::Plan& plan, int outer_group) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (outer_group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(outer_group);
  }
  const long pid = jail::raw(jail::kClone3, &arguments, static_cast<long>(sizeof arguments));
  if (pid == 0) jail::run_init(plan);
  if (pid < 0) throw std::system_error(static_cast<int>(-pid), std::system_category(), "cloning the environment");
  environment.pid = static_cast<int>(pid);
  environment.pidfd = base::Fd(pidfd);
}

void Environments::order(const Environment& environment, jail::OrderKind kind, const wire::Checked* request,
                         std::uint32_t has, std::span<const int> descriptors) const {
  jail::Order order{};
  order.kind = kind;
  order.has = has;
  std::string message(sizeof order, '\0');
  if (request != nullptr) {
    order.argument_count = request->argument_count;
    order.variable_count = request->variable_count;
    order.extension_count = request->extension_count;
    order.extension_variable_count = request->extension_variable_count;
    order.strings_bytes = static_cast<std::uint32_t>(request->strings.size());
    wire::put_text(order.mount_path, request->file_system.path);
    message += request->strings;
  }
  std::memcpy(message.data(), &order, sizeof order);
  // Init reads; one that does not is ended.
  if (const int error = send_message(environment.orders.get(), message, descriptors, MSG_DONTWAIT); error != 0)
    throw LaunchFailure{"giving an order", error};
}

void Environments::order_wait(Environment& environment, const wire::Checked& request) {
  Pair channel = make_pair(SOCK_STREAM);
  const int on = 1;
  base::check(::setsockopt(channel.ours.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on), "setsockopt");
  if (environment.zygote) {
    order(environment, jail::OrderKind::wait, nullptr, 0, std::array{channel.ours.get()});
    environment.fork.channel = std::move(channel.theirs);
  } else {
    order(environment, jail::OrderKind::wait, &request, 0, std::array{channel.ours.get(), channel.theirs.get()});
  }
}

void Environments::assign(Environment& environment, const wire::Checked& request) {
  if (environment.phase != Phase::launching && environment.phase != Phase::idle)
    throw LaunchFailure{"assign: it is not prepared, or has its function already", 0};
  if (shape_of(request) != environment.shape)
    throw LaunchFailure{"assign: it was prepared for another kind of function", 0};
  in_words([&] {
    // Before anything of the function runs.
    if (!request.subnets.empty()) networks_.enter_zone(environment.address, {request.subnets, request.security_groups});
    std::vector<base::Fd> trees;
    std::uint32_t has = jail::kHasCode | jail::kHasLayers;
    trees.push_back(mounts_.clone_code(request.code_hash));
    // Also without layers: what waited has seen an /opt with a lib in it, for the dynamic linker.
    trees.push_back(request.layers.empty() ? mounts_.clone_empty() : mounts_.clone_layers(request.layers));
    if (!request.file_system.arn.empty()) {
      trees.push_back(mounts_.clone_file_system(request.file_system.arn, uid_of(environment)));
      has |= jail::kHasFileSystem;
    }
    if (request.extension_count > 0) {
      Ends output = make_output(uid_of(environment));
      environment.extensions_output = std::move(output.read);
      trees.push_back(std::move(output.write));
      has |= jail::kHasExtensionsOutput;
    }
    if (environment.phase == Phase::idle) {
      cgroups_.limit(environment.cgroup, {std::int64_t{request.memory_mib} << 20, request.max_processes});
      if (environment.waits && !environment.zygote) cgroups_.set_idle(environment.cgroup, false);
    }
    std::vector<int> descriptors;
    for (const base::Fd& tree : trees) descriptors.push_back(tree.get());
    order(environment, jail::OrderKind::assign, &request, has, descriptors);
  });
  environment.memory_mib = request.memory_mib;
  if (environment.phase == Phase::idle) environment.phase = Phase::assigning;
}

void Environments::restart(Environment& environment, const wire::Checked& request) {
  if (environment.phase != Phase::running) throw LaunchFailure{"restart: it does not run", 0};
  in_words([&] {
    cgroups_.thaw(environment.cgroup);
    cgroups_.unlimit_cpu(environment.cgroup);
    environment.earlier_kills = cgroups_.out_of_memory_kills(environment.cgroup);
    order(environment, jail::OrderKind::restart, &request, 0, {});
  });
  environment.phase = Phase::restarting;
  // What init starts now is its own. A busy zygote may tell of its fork's end after that.
  environment.zygote = false;
}

void Environments::terminate(const Environment& environment) const {
  order(environment, jail::OrderKind::terminate, nullptr, 0, {});
}

void Environments::kill(Environment& environment) const {
  // While programs are being started, one may not have reached its group yet; and without any there is nothing to kill.
  const bool settled = environment.phase == Phase::running || (environment.phase == Phase::idle && environment.waits);
  if (!settled) return destroy(environment);
  if (cgroups_.kill(environment.cgroup)) return;
  try {
    order(environment, jail::OrderKind::kill, nullptr, 0, {});
    // What the freezer of version 1 holds dies when it is let go.
    cgroups_.thaw(environment.cgroup);
  } catch (const std::exception&) {
    destroy(environment);
  } catch (const LaunchFailure&) {
    destroy(environment);
  }
}

void Environments::destroy(Environment& environment) const {
  environment.phase = Phase::doomed;
  // Init's end takes its pid namespace along. The group's kill is at once even when init is stopped.
  cgroups_.kill(environment.cgroup);
  ::syscall(SYS_pidfd_send_signal, environment.pidfd.get(), SIGKILL, nullptr, 0);
  if (!cgroups_.freezer_of_version_1()) return;
  try {
    cgroups_.thaw(environment.cgroup);
  } catch (const std::exception&) {
    // Nothing was frozen in a group that is gone.
  }
}

void Environments::limit_cpu(const Environment& environment) {
  cgroups_.limit_cpu(environment.cgroup, environment.memory_mib * 1000 / kMibOfOneCpu);
}

void Environments::confine_crowds() {
  for (auto& [slot, environment] : environments_) {
    if (!environment.process_counter || number_in(environment.process_counter) <= environment.shape.max_processes / 2)
      continue;
    environment.process_counter.reset();
    const std::int64_t share = (environment.memory_mib + kMibOfOneCpu - 1) / kMibOfOneCpu;
    cgroups_.confine(environment.cgroup, static_cast<int>(std::max<std::int64_t>(share, 1)));
  }
}

base::Fd Environments::make_socket(const Environment& environment) { return networks_.make_socket(environment.pidfd); }

wire::Ended Environments::ended(const Environment& environment, std::int32_t which, std::int32_t wait_status) const {
  wire::Ended ended{};
  ended.header = {wire::Kind::ended, 0, environment.id};
  ended.which = which;
  ended.wait_status = wait_status;
  ended.out_of_memory = cgroups_.out_of_memory_kills(environment.cgroup) > environment.earlier_kills ? 1 : 0;
  ended.peak_bytes = cgroups_.peak_bytes(environment.cgroup);
  return ended;
}

wire::Gone Environments::end(Slot slot) {
  const auto found = environments_.find(slot);
  Environment& environment = found->second;
  siginfo_t reaped{};
  // Never waited for: an init that has not ended yet may itself wait for a process that only we can reap.
  ::waitid(P_PIDFD, static_cast<id_t>(environment.pidfd.get()), &reaped, WEXITED | WNOHANG);
  const wire::Ended last = ended(environment, wire::kRuntime, SIGKILL);
  wire::Gone gone{};
  gone.header = {wire::Kind::gone, 0, environment.id};
  gone.out_of_memory = last.out_of_memory;
  gone.peak_bytes = last.peak_bytes;
  remove_group(environment.cgroup);
  mounts_.remove_users(slot);
  networks_.leave_zone(environment.address);
  free_slots_.push_back(slot);
  slots_.erase(environment.id);
  environments_.erase(found);
  return gone;
}

jail::ForkRequest Environments::fork_request(const Environment& environment, std::vector<int>& descriptors) const {
  jail::ForkRequest request{};
  request.tag = environment.slot;
  request.uid = uid_of(environment);
  request.landlock_abi = landlock_abi_;
  const std::vector<jail::Limit> limits = resource_limits(static_cast<std::uint32_t>(environment.shape.max_processes));
  request.limit_count = static_cast<std::uint32_t>(std::min(limits.size(), jail::kMaxLimits));
  std::copy_n(limits.begin(), request.limit_count, request.limits);
  request.filter_count = static_cast<std::uint32_t>(filter_.size());
  std::copy(filter_.begin(), filter_.end(), request.filter);
  const Environment::ForkParts& parts = environment.fork;
  request.group_count = static_cast<std::uint32_t>(parts.groups.size());
  descriptors = {environment.pidfd.get(), parts.out.get(), parts.err.get(), parts.channel.get()};
  for (const base::Fd& group : parts.groups) descriptors.push_back(group.get());
  request.unified = parts.unified ? 1 : 0;
  if (parts.unified) descriptors.push_back(parts.unified.get());
  return request;
}

Environment* Environments::find(Slot slot) {
  const auto found = environments_.find(slot);
  return found == environments_.end() ? nullptr : &found->second;
}

Environment* Environments::find_id(std::uint64_t id) {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : find(found->second);
}

void Environments::remove_group(const std::string& name) {
  if (!cgroups_.remove(name)) busy_groups_.push_back(name);
}

bool Environments::sweep() {
  std::erase_if(busy_groups_, [this](const std::string& name) { return cgroups_.remove(name); });
  const bool moving = cgroups_.move_confined();
  return moving || !busy_groups_.empty();
}

}  // namespace lambent::sandbox::launcher
