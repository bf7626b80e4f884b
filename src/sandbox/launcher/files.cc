#include "sandbox/launcher/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace lambent::sandbox::launcher {

namespace {

void copy_link(int from_directory, const std::string& name, int to_directory) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlinkat(from_directory, name.c_str(), target.data(), target.size() - 1);
  if (length <= 0) return;
  target[static_cast<std::size_t>(length)] = '\0';
  [[maybe_unused]] const int left_out = ::symlinkat(target.data(), to_directory, name.c_str());
}

void copy_file(int from_directory, const std::string& name, mode_t mode, int to_directory) {
  const base::Fd from(::openat(from_directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!from) return;
  const base::Fd to(::openat(to_directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!to) return;
  while (::sendfile(to.get(), from.get(), nullptr, 1 << 20) > 0) continue;
}

void copy_directory(int from_directory, const std::string& name, mode_t mode, int to_directory) {
  const base::Fd from(::openat(from_directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!from || ::mkdirat(to_directory, name.c_str(), mode) != 0) return;
  const base::Fd to(::openat(to_directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!to) return;
  for (const std::string& entry : list_directory(from.get())) copy_tree(from.get(), entry, to.get());
}

}  // namespace

std::optional<std::string> read_file(int directory, const std::string& path) {
  const base::Fd fd(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string text(65536, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + length, text.size() - length);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  return text;
}

std::int64_t number_in(const base::Fd& file) {
  char text[32] = {};
  return ::pread(file.get(), text, sizeof text - 1, 0) > 0 ? std::strtoll(text, nullptr, 10) : 0;
}

bool try_write(int directory, const std::string& path, const std::string& text) {
  const base::Fd fd(::openat(directory, path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

void write_file(int directory, const std::string& path, const std::string& text) {
  if (!try_write(directory, path, text))
    throw std::system_error(errno, std::system_category(), "writing " + text + " to " + path);
}

std::vector<std::string> list_directory(int directory) {
  std::vector<std::string> names;
  // A descriptor of its own: the caller's keeps its position.
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const dir = fd < 0 ? nullptr : ::fdopendir(fd);
  if (dir == nullptr) return names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && names.size() < 65536) names.emplace_back(name);
  }
  ::closedir(dir);
  return names;
}

void copy_tree(int from_directory, const std::string& name, int to_directory) {
  struct stat about{};
  if (::fstatat(from_directory, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return;
  const mode_t mode = about.st_mode & 0777;
  if (S_ISLNK(about.st_mode)) return copy_link(from_directory, name, to_directory);
  if (S_ISREG(about.st_mode)) return copy_file(from_directory, name, mode, to_directory);
  if (S_ISDIR(about.st_mode)) copy_directory(from_directory, name, mode, to_directory);
}

}  // namespace lambent::sandbox::launcher
