#include "store/segments/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace lambent::store::segments {

namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw std::system_error(errno, std::system_category(), file.string());
}

}  // namespace

base::Fd Disk::open(const std::filesystem::path& file, int flags) {
  base::Fd fd(::open(file.c_str(), flags | O_CLOEXEC, 0600));
  if (!fd) fail(file);
  return fd;
}

void Disk::write(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    bytes.remove_prefix(static_cast<std::size_t>(base::check(wrote, "write to a segment")));
    offset += static_cast<std::uint64_t>(wrote);
  }
}

void Disk::allocate(int fd, std::uint64_t offset, std::uint64_t length) {
  const int error = ::posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(length));
  if (error != 0) throw std::system_error(error, std::system_category(), "room for a segment");
}

void Disk::copy(char* to, std::string_view bytes) { std::memcpy(to, bytes.data(), bytes.size()); }

void Disk::truncate(int fd, std::uint64_t size) {
  base::check(::ftruncate(fd, static_cast<off_t>(size)), "cut a segment");
}

void Disk::sync(int fd) { base::check(::fdatasync(fd), "fdatasync of a segment"); }

void Disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail(from);
}

void Disk::remove(const std::filesystem::path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail(file);
}

void Disk::make_directory(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail(directory);
}

void Disk::sync_directory(const std::filesystem::path& directory) {
  const base::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) fail(directory);
}

}  // namespace lambent::store::segments
