#include "sandbox/launcher/zygotes.h"

#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/jail/init.h"
#include "sandbox/jail/raw.h"
#include "sandbox/launcher/channel.h"

namespace lambent::sandbox::launcher {
namespace {

int reap(int pidfd) {
  siginfo_t ended{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &ended, WEXITED) != 0) return SIGKILL;
  return ended.si_code == CLD_EXITED ? ended.si_status << 8 : ended.si_status;
}

std::string in_words(int wait_status) {
  return WIFEXITED(wait_status) ? "status " + std::to_string(WEXITSTATUS(wait_status))
                                : "signal " + std::to_string(WTERMSIG(wait_status));
}

/// As exec takes them; good while `texts` is.
std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> found;
  for (const std::string& text : texts) found.push_back(text.c_str());
  found.push_back(nullptr);
  return found;
}

}  // namespace

Zygotes::~Zygotes() {
  for (auto& [id, zygote] : zygotes_) ::syscall(SYS_pidfd_send_signal, zygote.pidfd.get(), SIGKILL, nullptr, 0);
  for (auto& [id, zygote] : zygotes_) reap(zygote.pidfd.get());
}

Zygote* Zygotes::find(ZygoteId id) {
  const auto found = zygotes_.find(id);
  return found == zygotes_.end() ? nullptr : &found->second;
}

std::pair<const ZygoteId, Zygote>& Zygotes::find_or_start(const Environment& environment, bool& started) {
  for (auto& entry : zygotes_) {
    const Zygote& zygote = entry.second;
    if (!zygote.retired && zygote.root == environment.shape.root &&
        zygote.runtime_dir == environment.shape.runtime_dir && zygote.argv == environment.argv &&
        zygote.variables == environment.variables)
      return entry;
  }
  if (zygotes_.size() >= kMaxZygotes) throw LaunchFailure{"starting a zygote: there are too many", 0};
  Zygote zygote;
  zygote.root = environment.shape.root;
  zygote.runtime_dir = environment.shape.runtime_dir;
  zygote.argv = environment.argv;
  zygote.variables = environment.variables;
  try {
    start(zygote);
  } catch (const std::system_error& error) {
    throw LaunchFailure{std::string("starting a zygote: ") + error.what(), error.code().value()};
  }
  started = true;
  return *zygotes_.emplace(next_++, std::move(zygote)).first;
}

void Zygotes::start(Zygote& zygote) {
  Mounts& mounts = environments_.mounts();
  const base::Fd root = mounts.clone_root(zygote.root);
  const base::Fd runtime = mounts.clone_zygote_runtime(zygote.runtime_dir);
  int ends[2];
  base::check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
  zygote.socket = base::Fd(ends[0]);
  const base::Fd theirs(ends[1]);
  const std::vector<const char*> argv = pointers(zygote.argv), variables = pointers(zygote.variables);

  jail::Plan plan;
  plan.orders = theirs.get();
  plan.root_tree = root.get();
  plan.stage = Mounts::kStage;
  plan.attachments[plan.attachment_count++] = {runtime.get(), "var/runtime"};
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const long pid = jail::raw(jail::kClone3, &arguments, static_cast<long>(sizeof arguments));
  if (pid == 0) jail::run_zygote(plan, argv.data(), variables.data());
  if (pid < 0) throw std::system_error(static_cast<int>(-pid), std::system_category(), "cloning");
  zygote.pidfd = base::Fd(pidfd);
}

std::optional<ZygoteId> Zygotes::want(const Environment& environment) {
  bool started = false;
  auto& [id, zygote] = find_or_start(environment, started);
  zygote.waiting.push_back(environment.slot);
  zygote.used_at = std::chrono::steady_clock::now();
  pump(zygote);
  return started ? std::optional(id) : std::nullopt;
}

/// One request at a time: what a zygote is asked for then is never more than its socket holds.
void Zygotes::pump(Zygote& zygote) {
  while (!zygote.forking && !zygote.retired && !zygote.waiting.empty()) {
    Environment* const environment = environments_.find(zygote.waiting.front());
    const bool wanted = environment != nullptr && environment->phase == Phase::preparing && environment->fork.channel;
    if (!wanted) {
      zygote.waiting.pop_front();
      continue;
    }
    std::vector<int> descriptors;
    const jail::ForkRequest request = environments_.fork_request(*environment, descriptors);
    // When it cannot be sent the zygote is ending, and its end says so to everybody who waits.
    send_message(zygote.socket.get(), bytes_of(request), descriptors, MSG_DONTWAIT);
    zygote.forking = true;
  }
}

void Zygotes::retire(Zygote& zygote) {
  // It hears the end, and goes on until its last child has ended.
  ::shutdown(zygote.socket.get(), SHUT_WR);
  zygote.retired = true;
}

std::vector<Zygotes::Event> Zygotes::hear(ZygoteId id) {
  std::vector<Event> events;
  Zygote* const zygote = find(id);
  if (zygote == nullptr) return events;
  jail::Notice notice{};
  while (
      receive_message(zygote->socket.get(), {reinterpret_cast<char*>(&notice), sizeof notice}, MSG_DONTWAIT).length ==
      sizeof notice) {
    if (notice.kind == jail::NoticeKind::reaped) {
      const auto child = zygote->children.find(notice.first);
      if (child == zygote->children.end()) continue;
      events.push_back({child->second, std::nullopt, notice.second, false});
      zygote->children.erase(child);
    } else if (notice.kind == jail::NoticeKind::forked && zygote->forking) {
      const Slot slot = zygote->waiting.front();
      zygote->waiting.pop_front();
      zygote->forking = false;
      if (notice.first > 0) {
        zygote->children.emplace(notice.first, slot);
        // Its own copies are in the fork.
        if (Environment* const environment = environments_.find(slot)) environment->fork = {};
      } else {
        events.push_back({slot, LaunchFailure{"forking from a zygote", notice.second}, 0, false});
      }
      if (++zygote->forks >= max_forks_) retire(*zygote);
    } else if (notice.kind == jail::NoticeKind::failed && (zygote->forks > 0 || zygote->forking)) {
      events.push_back({notice.tag,
                        LaunchFailure{jail::step_name(static_cast<std::uint32_t>(notice.first)), notice.second}, 0,
                        false});
    } else if (notice.kind == jail::NoticeKind::failed) {
      zygote->failure = {jail::step_name(static_cast<std::uint32_t>(notice.first)), notice.second};
    }
  }
  pump(*zygote);
  // Whoever still waits for one that takes no more requests waits for its successor.
  if (zygote->retired && !zygote->forking)
    for (const Slot slot : std::exchange(zygote->waiting, {})) events.push_back({slot, std::nullopt, 0, true});
  return events;
}

std::vector<Zygotes::Event> Zygotes::end(ZygoteId id) {
  std::vector<Event> events = hear(id);
  Zygote* const zygote = find(id);
  if (zygote == nullptr) return events;
  const int status = reap(zygote->pidfd.get());
  const LaunchFailure failure = zygote->failure.value_or(LaunchFailure{"the zygote ended with " + in_words(status)});
  for (const Slot slot : zygote->waiting) events.push_back({slot, failure, 0, false});
  // They are this process's children now.
  for (const auto& [pid, slot] : zygote->children)
    if (Environment* const environment = environments_.find(slot))
      environment->fork_pidfd = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  zygotes_.erase(id);
  return events;
}

void Zygotes::retire_idle() {
  const auto now = std::chrono::steady_clock::now();
  for (auto& [id, zygote] : zygotes_)
    if (!zygote.retired && zygote.waiting.empty() && now - zygote.used_at > kIdle) retire(zygote);
}

}  // namespace lambent::sandbox::launcher
