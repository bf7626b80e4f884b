#include "sandbox/launcher/forwarding.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/launcher/files.h"
#include "sandbox/launcher/rules.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr const char* kShared = "lambent-forwarding";
/// Where only root may make files.
constexpr const char* kLock = "/run/lambent.lock";
constexpr int kLockWaitMs = 5000;
constexpr int kLockStepMs = 2;

base::Fd open_lock() {
  return base::Fd(base::check(::open(kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), kLock));
}

/// Held while something is changed that launchers share.
class Lock {
 public:
  explicit Lock(const base::Fd& file) : file_(file.get()) {
    for (int waited = 0; ::flock(file_, LOCK_EX | LOCK_NB) != 0; waited += kLockStepMs) {
      if (waited >= kLockWaitMs) throw std::system_error(errno, std::system_category(), kLock);
      ::poll(nullptr, 0, kLockStepMs);
    }
  }
  ~Lock() { ::flock(file_, LOCK_UN); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

std::string path_of(const std::string& link) { return "conf/" + link + "/forwarding"; }

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Forwarding::Forwarding(std::string owned)
    : owned_(std::move(owned)),
      settings_(
          base::check(::open("/proc/sys/net/ipv4", O_PATH | O_DIRECTORY | O_CLOEXEC), "opening /proc/sys/net/ipv4")),
      lock_(open_lock()) {}

Forwarding::~Forwarding() {
  if (opened_.empty()) return;
  try {
    const Lock lock(lock_);
    Netlink rules(NETLINK_NETFILTER);
    if (!others_live(rules, owned_)) turn_back(rules);
  } catch (const std::system_error&) {
    // The next launcher finds it.
  }
}

bool Forwarding::forwards(const std::string& link) const {
  const auto text = read_file(settings_.get(), path_of(link));
  return text && text->starts_with('1');
}

void Forwarding::open_own(const std::string& link) const { write_file(settings_.get(), path_of(link), "1"); }

void Forwarding::open(const std::string& link) {
  if (opened_.contains(link)) return;
  const Lock lock(lock_);
  Netlink rules(NETLINK_NETFILTER);
  const bool noted = has(list_chains(rules, kShared), link);
  if (!noted && !forwards(link)) {
    RuleBatch batch;
    batch.add_table(kShared, false);
    batch.add_chain(kShared, link, {"filter", NF_INET_FORWARD, 0});
    batch.add_rule(kShared, link, Rule().not_from(link).accept());
    batch.add_rule(kShared, link, Rule().known().accept());
    // Somebody else's translation, who needs forwarding as well.
    batch.add_rule(kShared, link, Rule().redirected().accept());
    batch.add_rule(kShared, link, Rule().drop());
    batch.commit(rules);
    opened_.insert(link);
    write_file(settings_.get(), path_of(link), "1");
  }
  opened_.insert(link);
}

void Forwarding::turn_back(Netlink& rules) const {
  if (!has(list_tables(rules), kShared)) return;
  const auto all = read_file(settings_.get(), "ip_forward");
  // When the host forwards everything by now, somebody wants it so.
  if (all && all->starts_with('0'))
    for (const std::string& link : list_chains(rules, kShared)) try_write(settings_.get(), path_of(link), "0");
  RuleBatch batch;
  batch.remove_table(kShared);
  batch.commit(rules);
}

bool Forwarding::others_live(Netlink& rules, const std::string& owned) {
  const std::vector<std::string> tables = list_tables(rules);
  return std::any_of(tables.begin(), tables.end(), [&](const std::string& table) {
    return table.starts_with(kOwnedPrefix) && table != owned && table != kShared;
  });
}

void Forwarding::turn_back_abandoned() {
  try {
    Netlink rules(NETLINK_NETFILTER);
    if (!has(list_tables(rules), kShared)) return;
    const Forwarding forwarding({});
    const Lock lock(forwarding.lock_);
    if (!others_live(rules, {})) forwarding.turn_back(rules);
  } catch (const std::system_error&) {
  }
}

}  // namespace lambent::sandbox::launcher
