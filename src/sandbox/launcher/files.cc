#include "sandbox/launcher/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

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

}  // namespace lambent::sandbox::launcher
