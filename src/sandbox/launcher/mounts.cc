#include "sandbox/launcher/mounts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <fstream>

#include "sandbox/jail/raw.h"
#include "sandbox/launcher/files.h"
#include "sandbox/launcher/router.h"
#include "sandbox/launcher/user_space.h"

namespace lambent::sandbox::launcher {
namespace {

namespace fs = std::filesystem;
using jail::raw;

constexpr long kTreeClone = 1;                                                // OPEN_TREE_CLONE
constexpr long kRecursive = 0x8000;                                           // AT_RECURSIVE
constexpr long kMoveEmptyPath = 4;                                            // MOVE_MOUNT_F_EMPTY_PATH
constexpr std::uint64_t kIdMapped = 0x100000;                                 // MOUNT_ATTR_IDMAP
constexpr std::uint64_t kReadOnly = 1, kNoSuid = 2, kNoDev = 4, kNoExec = 8;  // MOUNT_ATTR_*

struct MountAttributes {
  std::uint64_t set, clear, propagation, user_namespace;
};

long kernel(long result, const std::string& what) {
  if (result < 0) throw std::system_error(static_cast<int>(-result), std::system_category(), what);
  return result;
}

void set_attributes(int directory, const char* path, std::uint64_t attributes, long flags) {
  const MountAttributes change{attributes, 0, 0, 0};
  kernel(raw(jail::kMountSetattr, directory, path, flags, &change, static_cast<long>(sizeof change)),
         std::string("restricting the mount of ") + path);
}

void mount_at(const char* source, const std::string& target, const char* type, unsigned long flags,
              const char* options) {
  kernel(raw(SYS_mount, source, target.c_str(), type, static_cast<long>(flags), options), "mounting " + target);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms(0644));
}

/// A merged /usr has links where older systems have directories.
void add_system_directories() {
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const fs::path host = fs::path("/") / name;
    const fs::path inside = fs::path("root") / name;
    const fs::file_status status = fs::symlink_status(host);
    if (fs::is_symlink(status)) {
      fs::copy_symlink(host, inside);
    } else if (fs::is_directory(status)) {
      fs::create_directory(inside);
      mount_at(host.c_str(), inside.string(), nullptr, MS_BIND | MS_REC, nullptr);
      set_attributes(AT_FDCWD, inside.c_str(), kReadOnly | kNoSuid | kNoDev, kRecursive);
    }
  }
  fs::create_directory("root/usr");
  mount_at("/usr", "root/usr", nullptr, MS_BIND | MS_REC, nullptr);
  set_attributes(AT_FDCWD, "root/usr", kReadOnly | kNoSuid | kNoDev, kRecursive);
}

base::Fd open_directory(const char* path) {
  return base::Fd(base::check(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), path));
}

/// Programs' names that lead by /etc/alternatives. Most links there are manual pages', and the server's start waits for each.
void add_alternatives() {
  fs::create_directory("root/etc/alternatives");
  const base::Fd host(::open("/etc/alternatives", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!host) return;
  const base::Fd inside = open_directory("root/etc/alternatives");
  for (const std::string& name : list_directory(host.get()))
    if (!name.ends_with(".gz")) copy_tree(host.get(), name, inside.get());
}

/// What interpreters and TLS look for, and nothing that tells of the host.
void add_etc() {
  fs::create_directories("root/etc/ssl");
  const base::Fd host = open_directory("/etc"), inside = open_directory("root/etc");
  for (const char* name :
       {"ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl/certs", "ssl/openssl.cnf", "ca-certificates", "mime.types",
        "protocols", "services", "os-release", "debian_version", "java-17-openjdk", "java-21-openjdk"})
    copy_tree(host.get(), name, inside.get());
  add_alternatives();
  // Where Amazon Linux has its certificates.
  fs::create_directories("root/etc/pki/tls/certs");
  fs::create_symlink("/etc/ssl/certs/ca-certificates.crt", "root/etc/pki/tls/certs/ca-bundle.crt");
  fs::create_symlink("/usr/share/zoneinfo/UTC", "root/etc/localtime");
  write_text("root/etc/hostname", std::string(Mounts::kHostname) + "\n");
  write_text("root/etc/hosts",
             "127.0.0.1 localhost sandbox sandbox.localdomain " + std::string(Mounts::kHostname) + "\n::1 localhost\n");
  write_text("root/etc/nsswitch.conf",
             "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
             "networks: files\nservices: files\nprotocols: files\n");
  // Where functions have no network it is out of reach, which is known at once.
  write_text("root/etc/resolv.conf", "nameserver " + format_address(kRouterAddress) + "\n");
  // Mount points of the files that each environment has of its own.
  for (const char* name : {"passwd", "group"}) write_text(std::string("root/etc/") + name, "");
}

void add_devices() {
  fs::create_directory("root/dev");
  mount_at("dev", "root/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k,nr_inodes=32");
  const struct {
    const char* name;
    unsigned minor;
  } devices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
  for (const auto& device : devices) {
    const std::string path = std::string("root/dev/") + device.name;
    kernel(raw(SYS_mknodat, AT_FDCWD, path.c_str(), S_IFCHR | 0666, static_cast<long>(makedev(1, device.minor))),
           "making " + path);
    fs::permissions(path, fs::perms(0666));
  }
  fs::create_symlink("/proc/self/fd", "root/dev/fd");
  fs::create_symlink("/proc/self/fd/0", "root/dev/stdin");
  fs::create_symlink("/proc/self/fd/1", "root/dev/stdout");
  fs::create_symlink("/proc/self/fd/2", "root/dev/stderr");
  fs::create_directory("root/dev/shm");
  set_attributes(AT_FDCWD, "root/dev", kReadOnly, 0);
}

/// What waits for its function sees var/task and opt as they are here. Their lib is for the dynamic linker, which never looks
/// again into a directory of LD_LIBRARY_PATH that was not there at first.
void add_lambda_directories() {
  for (const char* name : {"var/task/lib", "var/runtime", "var/lang/bin", "var/empty", "opt/lib", "tmp", "proc", "sys",
                           "run", "home", "root", "mnt"})
    fs::create_directories(fs::path("root") / name);
  for (const char* name : {"python3", "node"})
    if (fs::exists(fs::path("/usr/bin") / name))
      fs::create_symlink(fs::path("/usr/bin") / name, fs::path("root/var/lang/bin") / name);
  // NODE_PATH means nothing to Node.js's import, which looks upwards from the code: there it finds layers' packages, and then the
  // runtime's.
  fs::create_symlink("/opt/nodejs/node_modules", "root/var/node_modules");
  fs::create_symlink("/var/runtime/node_modules", "root/node_modules");
}

/// The stage becomes this process's root, and the host's mounts go. A namespace with few mounts is copied quickly for each
/// environment, and the launcher sees no more of the host than it hands out. mkfs.ext4 is found in the template's /usr.
void leave_host() {
  mount_at("/dev", "dev", nullptr, MS_BIND, nullptr);
  mount_at("/proc", "proc", nullptr, MS_BIND, nullptr);
  for (const char* name : {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"})
    if (fs::exists(fs::symlink_status(fs::path("root") / name))) fs::create_symlink(fs::path("root") / name, name);
  kernel(raw(SYS_pivot_root, ".", "."), "making the stage the root");
  kernel(raw(SYS_umount2, ".", MNT_DETACH), "leaving the host's mounts");
  fs::current_path("/");
}

bool is_directory(int directory, const std::string& name) {
  struct stat about{};
  return ::fstatat(directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode);
}

void attach(const base::Fd& tree, const std::string& target) {
  kernel(raw(jail::kMoveMount, tree.get(), "", AT_FDCWD, target.c_str(), kMoveEmptyPath), "attaching " + target);
}

base::Fd clone_path(int directory, const char* path, long flags) {
  return base::Fd(static_cast<int>(
      kernel(raw(jail::kOpenTree, directory, path, kTreeClone | O_CLOEXEC | flags), std::string("cloning ") + path)));
}

}  // namespace

Mounts::Mounts(const fs::path& stage, const fs::path& code, const fs::path& runtimes, const fs::path& roots,
               const std::vector<SharedDirectory>& file_systems) {
  base::check(::unshare(CLONE_NEWNS), "making a mount namespace");
  mount_at(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  mount_at("lambent", stage.string(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=64m");
  fs::current_path(stage);
  for (const char* name :
       {"root", "users", "code", "runtimes", "roots", "templates", "zygotes", "files", "dev", "proc", kStage})
    fs::create_directory(name);
  mount_at("root", "root", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m");
  // Not beside the others: what is in it may be executed.
  mount_at("zygotes", "zygotes", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m");
  add_system_directories();
  add_etc();
  add_devices();
  add_lambda_directories();
  set_attributes(AT_FDCWD, "root", kReadOnly, 0);
  mount_at(code.c_str(), "code", nullptr, MS_BIND, nullptr);
  mount_at(runtimes.c_str(), "runtimes", nullptr, MS_BIND, nullptr);
  if (!roots.empty()) mount_at(roots.c_str(), "roots", nullptr, MS_BIND, nullptr);
  for (const SharedDirectory& shared : file_systems) {
    const std::string target = "files/" + std::to_string(file_systems_.size());
    fs::create_directory(target);
    mount_at(shared.directory.c_str(), target, nullptr, MS_BIND, nullptr);
    if (!file_systems_.emplace(shared.arn, target).second)
      throw std::runtime_error("two directories for the file system " + shared.arn);
  }
  leave_host();
  code_ = open_directory("code");
  runtimes_ = open_directory("runtimes");
  roots_ = open_directory("roots");
  zygotes_ = open_directory("zygotes");
}

base::Fd Mounts::clone_root(const std::string& root) {
  if (root == "host") return clone_path(AT_FDCWD, "root", kRecursive);
  const std::string target = "templates/" + root;
  if (!templates_.contains(root)) {
    try {
      make_template(root, target);
    } catch (const std::exception&) {
      raw(SYS_umount2, target.c_str(), MNT_DETACH);
      throw;
    }
    templates_.insert(root);
  }
  return clone_path(AT_FDCWD, target.c_str(), kRecursive);
}

void Mounts::make_template(const std::string& root, const std::string& target) const {
  fs::create_directory(target);
  if (is_directory(roots_.get(), root + "/lang")) {
    attach(clone_path(AT_FDCWD, "root", kRecursive), target);
    attach(clone_directory(roots_.get(), root + "/lang"), target + "/var/lang");
    return;
  }
  // Not every image has it. The roots are root's own.
  ::mkdirat(roots_.get(), (root + "/root/mnt").c_str(), 0755);
  attach(clone_directory(roots_.get(), root + "/root"), target);
  attach(clone_path(AT_FDCWD, "root/dev", kRecursive), target + "/dev");
  // The same in every sandbox, whatever its root was made from.
  for (const std::string name : {"hosts", "hostname", "nsswitch.conf", "resolv.conf"})
    attach(clone_path(AT_FDCWD, ("root/etc/" + name).c_str(), 0), target + "/etc/" + name);
  for (const std::string name : {"/var/task", "/opt"})
    attach(clone_path(AT_FDCWD, ("root" + name).c_str(), 0), target + name);
}

base::Fd Mounts::clone_empty() const {
  base::Fd tree = clone_path(AT_FDCWD, "root/var/empty", 0);
  set_attributes(tree.get(), "", kReadOnly | kNoSuid | kNoDev, AT_EMPTY_PATH);
  return tree;
}

base::Fd Mounts::make_mount_points() const {
  if (file_systems_.empty()) return {};
  constexpr long kSetString = 1, kCreate = 6;  // FSCONFIG_*
  const base::Fd context(static_cast<int>(kernel(raw(jail::kFsopen, "tmpfs", 1L), "opening a tmpfs")));
  for (const auto& [name, value] : {std::pair("mode", "0755"), std::pair("size", "4k"), std::pair("nr_inodes", "8")})
    kernel(raw(jail::kFsconfig, context.get(), kSetString, name, value, 0L), "describing a tmpfs");
  kernel(raw(jail::kFsconfig, context.get(), kCreate, nullptr, nullptr, 0L), "making a tmpfs");
  return base::Fd(static_cast<int>(
      kernel(raw(jail::kFsmount, context.get(), 1L, static_cast<long>(kNoSuid | kNoDev | kNoExec)), "mounting /mnt")));
}

base::Fd Mounts::clone_file_system(const std::string& arn, std::uint32_t uid) const {
  const auto found = file_systems_.find(arn);
  if (found == file_systems_.end())
    throw std::system_error(ENOENT, std::system_category(), "finding the file system " + arn);
  base::Fd tree = clone_path(AT_FDCWD, found->second.c_str(), 0);
  set_attributes(tree.get(), "", kNoSuid | kNoDev, AT_EMPTY_PATH);
  struct stat about{};
  base::check(::fstat(tree.get(), &about), found->second.c_str());
  try {
    const base::Fd users = make_user_space({about.st_uid, uid}, {about.st_gid, uid});
    const MountAttributes change{kIdMapped, 0, 0, static_cast<std::uint64_t>(users.get())};
    raw(jail::kMountSetattr, tree.get(), "", static_cast<long>(AT_EMPTY_PATH), &change,
        static_cast<long>(sizeof change));
  } catch (const std::system_error&) {
    // No user namespaces here, or none left.
  }
  return tree;
}

base::Fd Mounts::clone_code(const std::string& hash) const { return clone_directory(code_.get(), hash); }

base::Fd Mounts::clone_runtime(const std::string& name) const { return clone_directory(runtimes_.get(), name); }

base::Fd Mounts::open_beneath(int directory, const std::string& name) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return base::Fd(static_cast<int>(
      kernel(raw(SYS_openat2, directory, name.c_str(), &how, static_cast<long>(sizeof how)), "opening " + name)));
}

base::Fd Mounts::clone_directory(int directory, const std::string& name) {
  const base::Fd opened = open_beneath(directory, name);
  base::Fd tree = clone_path(opened.get(), "", AT_EMPTY_PATH);
  set_attributes(tree.get(), "", kReadOnly | kNoSuid | kNoDev, AT_EMPTY_PATH);
  return tree;
}

base::Fd Mounts::clone_layers(const std::vector<std::string>& hashes) const {
  // An overlay of one is none.
  if (hashes.size() == 1) return clone_code(hashes.front());
  std::vector<base::Fd> opened;
  std::string lower;
  for (auto hash = hashes.rbegin(); hash != hashes.rend(); ++hash) {
    opened.push_back(open_beneath(code_.get(), *hash));
    lower += (lower.empty() ? "" : ":") + ("/proc/self/fd/" + std::to_string(opened.back().get()));
  }
  constexpr long kSetString = 1, kCreate = 6;  // FSCONFIG_*
  const base::Fd context(static_cast<int>(kernel(raw(jail::kFsopen, "overlay", 1L), "opening overlay")));
  kernel(raw(jail::kFsconfig, context.get(), kSetString, "lowerdir", lower.c_str(), 0L), "naming the layers");
  kernel(raw(jail::kFsconfig, context.get(), kCreate, nullptr, nullptr, 0L), "merging the layers");
  return base::Fd(static_cast<int>(kernel(
      raw(jail::kFsmount, context.get(), 1L, static_cast<long>(kReadOnly | kNoSuid | kNoDev)), "mounting the layers")));
}

void Mounts::add_zygote_file(const std::string& name, std::string_view content) const {
  const fs::path path = fs::path("zygotes") / name;
  fs::create_directories(path.parent_path());
  fs::permissions(path.parent_path(), fs::perms(0755));
  write_text(path.string(), std::string(content));
}

base::Fd Mounts::clone_zygote_runtime(const std::string& name) const { return clone_directory(zygotes_.get(), name); }

void Mounts::require_trusted(const std::string& root) const {
  if (root == "host") return;
  struct stat about{};
  for (const char* part : {"", "/lang", "/root"}) {
    const std::string path = root + part;
    if (::fstatat(roots_.get(), path.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (about.st_uid != 0 || (about.st_mode & 022) != 0)
      throw std::system_error(EPERM, std::system_category(), "trusting " + path + ", which is not root's alone");
  }
}

Mounts::Users Mounts::make_users(std::uint32_t slot, std::uint32_t uid) const {
  const std::string id = std::to_string(uid);
  const std::string name = "sbx_user" + std::to_string(1051 + slot);
  const std::string passwd = "users/" + std::to_string(slot) + ".passwd";
  const std::string group = "users/" + std::to_string(slot) + ".group";
  write_text(passwd, "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n" + name +
                         ":x:" + id + ":" + id + "::/home/" + name + ":/sbin/nologin\n");
  write_text(group, "root:x:0:\nnogroup:x:65534:\n" + name + ":x:" + id + ":\n");
  Users users{clone_path(AT_FDCWD, passwd.c_str(), 0), clone_path(AT_FDCWD, group.c_str(), 0)};
  for (const base::Fd* tree : {&users.passwd, &users.group})
    set_attributes(tree->get(), "", kReadOnly | kNoSuid | kNoDev | kNoExec, AT_EMPTY_PATH);
  return users;
}

void Mounts::remove_users(std::uint32_t slot) const {
  std::error_code gone;
  fs::remove("users/" + std::to_string(slot) + ".passwd", gone);
  fs::remove("users/" + std::to_string(slot) + ".group", gone);
}

}  // namespace lambent::sandbox::launcher
