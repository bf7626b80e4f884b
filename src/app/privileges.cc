#include "app/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "base/fd.h"

namespace lambent::app {

namespace fs = std::filesystem;
using base::check;

namespace {

/// Walks only where the owner still has to change: a directory that is the user's already holds nothing of root's but what
/// root's own tools put there.
void give(const fs::path& path, uid_t uid, gid_t gid, const std::vector<fs::path>& except) {
  if (std::ranges::find(except, path) != except.end()) return;
  check(::lchown(path.c_str(), uid, gid), path.c_str());
  if (!fs::is_directory(fs::symlink_status(path))) return;
  for (const auto& entry : fs::directory_iterator(path)) give(entry.path(), uid, gid, except);
}

bool belongs_to(const fs::path& path, uid_t uid) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && status.st_uid == uid;
}

}  // namespace

void become_user(const std::string& user, const fs::path& data, const std::vector<fs::path>& keep_roots) {
  if (geteuid() != 0) return;
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr)
    throw std::runtime_error("there is no user '" + user + "' to become: make it with `useradd --system " + user +
                             "` or name another with --user");
  const uid_t uid = entry->pw_uid;
  const gid_t gid = entry->pw_gid;
  const bool whole_tree = !belongs_to(data, uid);
  for (const auto& child : fs::directory_iterator(data)) {
    if (std::ranges::find(keep_roots, child.path()) != keep_roots.end()) continue;
    if (whole_tree)
      give(child.path(), uid, gid, keep_roots);
    else if (!belongs_to(child.path(), uid))
      give(child.path(), uid, gid, keep_roots);
  }
  check(::lchown(data.c_str(), uid, gid), data.c_str());
  check(setgroups(0, nullptr), "setgroups");
  check(setresgid(gid, gid, gid), "setresgid");
  check(setresuid(uid, uid, uid), "setresuid");
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  if (setuid(0) == 0) throw std::runtime_error("root could be had back after giving it up");
}

}  // namespace lambent::app
