#include "sandbox/launcher/scratch_images.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "base/ids.h"
#include "sandbox/jail/raw.h"

namespace lambent::sandbox::launcher {
namespace {

using jail::raw;

constexpr std::uint32_t kBlockBytes = 4096;
/// AWS's default, so that its image is formatted by the time somebody wants it.
constexpr std::int32_t kProbeMib = 512;
constexpr std::size_t kMaxTemplates = 64;

constexpr long kSetFlag = 0, kSetString = 1, kCreate = 6;  // FSCONFIG_*
constexpr long kNoSuid = 2, kNoDev = 4, kNoAtime = 0x10;   // MOUNT_ATTR_*

base::Fd mount_detached(const char* type, std::initializer_list<std::pair<const char*, const char*>> options) {
  const auto step = [type](long result, const char* what) {
    if (result < 0)
      throw std::system_error(static_cast<int>(-result), std::system_category(), std::string(what) + " " + type);
    return static_cast<int>(result);
  };
  const base::Fd context(step(raw(jail::kFsopen, type, 1L), "opening"));
  for (const auto& [key, value] : options)
    step(raw(jail::kFsconfig, context.get(), value == nullptr ? kSetFlag : kSetString, key, value, 0L), key);
  step(raw(jail::kFsconfig, context.get(), kCreate, nullptr, nullptr, 0L), "making");
  return base::Fd(step(raw(jail::kFsmount, context.get(), 1L, kNoSuid | kNoDev | kNoAtime), "mounting"));
}

struct LoopDevice {
  base::Fd fd;
  std::string path;
};

LoopDevice attach_loop(int image) {
  const base::Fd control(base::check(::open("/dev/loop-control", O_RDWR | O_CLOEXEC), "opening /dev/loop-control"));
  // Others on this machine may take the device between the two calls.
  for (int attempt = 0; attempt < 32; ++attempt) {
    const int number = base::check(::ioctl(control.get(), LOOP_CTL_GET_FREE), "finding a loop device");
    LoopDevice device{{}, "/dev/loop" + std::to_string(number)};
    device.fd = base::Fd(base::check(::open(device.path.c_str(), O_RDWR | O_CLOEXEC), device.path.c_str()));
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(image);
    config.block_size = kBlockBytes;
    // Direct: a written page is cached once, for the function, and not again for the image.
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY) throw std::system_error(errno, std::system_category(), "configuring " + device.path);
  }
  throw std::system_error(EBUSY, std::system_category(), "taking a loop device");
}

base::Fd mount_image(int image) {
  const LoopDevice device = attach_loop(image);
  // Nobody needs what is in it after a crash, so no barriers; and no thread that zeroes inode tables.
  return mount_detached("ext4", {{"source", device.path.c_str()},
                                 {"nobarrier", nullptr},
                                 {"noinit_itable", nullptr},
                                 {"noauto_da_alloc", nullptr},
                                 {"errors", "continue"}});
}

/// In a child, which goes on by itself.
pid_t start_mkfs(int image) {
  const std::string path = "/proc/self/fd/" + std::to_string(image);
  // One inode in 16 KiB, so that small files run out no sooner than bytes do.
  const char* const argv[] = {
      "mkfs.ext4",
      "-q",
      "-F",
      "-b",
      "4096",
      "-m",
      "0",
      "-i",
      "16384",
      "-O",
      "none,extent,filetype,flex_bg,large_file,huge_file,dir_index,extra_isize,dir_nlink,uninit_bg,sparse_super",
      "-E",
      "lazy_itable_init=1,nodiscard,packed_meta_blocks=1",
      path.c_str(),
      nullptr};
  const char* const environment[] = {nullptr};
  const pid_t pid = base::check(::vfork(), "vfork");
  if (pid == 0) {
    const long flags = raw(SYS_fcntl, image, F_SETFD, 0);
    for (const char* program : {"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"})
      if (flags >= 0) raw(SYS_execve, program, argv, environment);
    raw(SYS_exit_group, 127);
  }
  // vfork shares nothing but memory: the flag was the child's own.
  return pid;
}

}  // namespace

ScratchImages::Formatting::Formatting(std::int32_t size_mib)
    // What is asked for is what can be filled: inode tables (1.6 %) and what ext4 keeps back (2 %) come on top.
    : size_bytes_((static_cast<std::int64_t>(size_mib) + size_mib / 20 + 2) << 20),
      // In memory: what mkfs syncs costs nothing there, and only a few pages are ever written.
      image_(base::check(::memfd_create("template", MFD_CLOEXEC), "memfd_create")) {
  base::check(::ftruncate(image_.get(), size_bytes_), "sizing a /tmp image");
  pid_ = start_mkfs(image_.get());
}

ScratchImages::Formatting::~Formatting() { reap(); }

int ScratchImages::Formatting::reap() {
  int status = 0;
  if (pid_ > 0)
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return status;
}

const base::Fd& ScratchImages::Formatting::finish() {
  if (reap() != 0) throw std::runtime_error("mkfs.ext4 (e2fsprogs) is missing or failed");
  return image_;
}

ScratchImages::ScratchImages(const std::filesystem::path& directory)
    : directory_(
          base::check(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening the scratch directory")) {
  try {
    first_.emplace(kProbeMib);
  } catch (const std::exception& error) {
    why_not_ = error.what();
  }
}

void ScratchImages::probe() {
  if (!first_) return;
  try {
    templates_.emplace(kProbeMib, template_of(*first_));
    make_image(kProbeMib);
  } catch (const std::exception& error) {
    why_not_ = error.what();
  }
  first_.reset();
}

base::Fd ScratchImages::nameless_file(std::int64_t size_bytes) const {
  const std::string name = ".tmp-" + base::random_hex(8);
  base::Fd file(
      base::check(::openat(directory_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600),
                  "making a /tmp image"));
  base::check(::unlinkat(directory_.get(), name.c_str(), 0), "unlinking a /tmp image");
  base::check(::ftruncate(file.get(), size_bytes), "sizing a /tmp image");
  return file;
}

ScratchImages::Template ScratchImages::template_of(Formatting& formatting) {
  Template made;
  made.size_bytes = formatting.size_bytes();
  const base::Fd& image = formatting.finish();
  {
    const base::Fd mount = mount_image(image.get());
    const base::Fd root(
        base::check(::openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "opening a /tmp image"));
    base::check(::unlinkat(root.get(), "lost+found", AT_REMOVEDIR), "removing lost+found");
    base::check(::fchmod(root.get(), 01777), "opening /tmp to everybody");
    base::check(::syncfs(root.get()), "syncing a /tmp image");
  }
  for (off_t from = 0; (from = ::lseek(image.get(), from, SEEK_DATA)) >= 0;) {
    const off_t end = ::lseek(image.get(), from, SEEK_HOLE);
    for (std::string block(kBlockBytes, '\0'); from < end; from += kBlockBytes) {
      base::check(::pread(image.get(), block.data(), block.size(), from), "reading a /tmp image");
      if (block.find_first_not_of('\0') == std::string::npos) continue;
      auto& pieces = made.pieces;
      const bool next = !pieces.empty() && pieces.back().offset + std::ssize(pieces.back().bytes) == from;
      next ? void(pieces.back().bytes += block) : pieces.push_back({from, block});
    }
  }
  return made;
}

const ScratchImages::Template& ScratchImages::formatted(std::int32_t size_mib) {
  if (const auto found = templates_.find(size_mib); found != templates_.end()) return found->second;
  if (templates_.size() >= kMaxTemplates) templates_.erase(templates_.begin());
  Formatting formatting(size_mib);
  return templates_.emplace(size_mib, template_of(formatting)).first->second;
}

base::Fd ScratchImages::make_image(std::int32_t size_mib) {
  const Template& source = formatted(size_mib);
  const base::Fd image = nameless_file(source.size_bytes);
  for (const Piece& piece : source.pieces)
    if (::pwrite(image.get(), piece.bytes.data(), piece.bytes.size(), piece.offset) != std::ssize(piece.bytes))
      throw std::system_error(errno, std::system_category(), "writing a /tmp image");
  return mount_image(image.get());
}

base::Fd ScratchImages::make(std::int32_t size_mib) {
  if (why_not_.empty()) return make_image(size_mib);
  const std::string size = std::to_string(size_mib) + "m";
  // A page's worth of inode per 16 KiB, as the images have.
  const std::string inodes = std::to_string(size_mib * 64);
  return mount_detached("tmpfs", {{"size", size.c_str()}, {"nr_inodes", inodes.c_str()}, {"mode", "1777"}});
}

}  // namespace lambent::sandbox::launcher
