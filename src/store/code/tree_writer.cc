#include "store/code/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <utility>

namespace lambent::store {
namespace {

using base::check;

constexpr std::array<timespec, 2> kTimes{timespec{kTreeTime, 0}, timespec{kTreeTime, 0}};

base::Fd open_directory(int from, const std::string& name) {
  return base::Fd(check(openat(from, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), "open directory"));
}

}  // namespace

TreeWriter::TreeWriter(base::Fd root) : root_(std::move(root)) {}

std::pair<int, std::string> TreeWriter::parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {root_.get(), std::string(path)};
  const auto parent_path = path.substr(0, slash);
  if (!parent_ || parent_path != parent_path_) {
    base::Fd at;
    for (std::string_view rest = parent_path;;) {
      const auto end = rest.find('/');
      at = open_directory(at ? at.get() : root_.get(), std::string(rest.substr(0, end)));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    parent_ = std::move(at);
    parent_path_ = parent_path;
  }
  return {parent_.get(), std::string(path.substr(slash + 1))};
}

void TreeWriter::directory(std::string_view path) {
  const auto [parent, name] = parent_of(path);
  check(mkdirat(parent, name.c_str(), 0755), "make directory");
  // The process's umask may have taken something away.
  check(fchmodat(parent, name.c_str(), 0755, 0), "set directory mode");
  directories_.emplace_back(path);
}

void TreeWriter::begin_file(std::string_view path) {
  const auto [parent, name] = parent_of(path);
  file_.reset(
      check(openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), "create file"));
}

void TreeWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    bytes.remove_prefix(static_cast<std::size_t>(check(written, "write file")));
  }
}

void TreeWriter::end_file(bool executable) {
  check(fchmod(file_.get(), executable ? 0755 : 0644), "set file mode");
  check(futimens(file_.get(), kTimes.data()), "set file times");
  check(::close(file_.release()), "close file");
}

void TreeWriter::symlink(std::string_view path, std::string_view target) {
  const auto [parent, name] = parent_of(path);
  check(symlinkat(std::string(target).c_str(), parent, name.c_str()), "make symlink");
  check(utimensat(parent, name.c_str(), kTimes.data(), AT_SYMLINK_NOFOLLOW), "set symlink times");
}

void TreeWriter::finish() {
  for (const auto& path : directories_) {
    const auto [parent, name] = parent_of(path);
    check(utimensat(parent, name.c_str(), kTimes.data(), AT_SYMLINK_NOFOLLOW), "set directory times");
  }
  check(fchmod(root_.get(), 0755), "set directory mode");
  check(futimens(root_.get(), kTimes.data()), "set directory times");
}

}  // namespace lambent::store
