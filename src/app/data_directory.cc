#include "app/data_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ids.h"

namespace lambent::app {

namespace fs = std::filesystem;
using base::check;
using base::Fd;

namespace {

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw std::system_error(errno, std::system_category(), "cannot make " + path.string());
}

}  // namespace

DataDirectory::DataDirectory(fs::path root) : root_(std::move(root)) {
  std::error_code ignored;
  if (root_.has_parent_path()) fs::create_directories(root_.parent_path(), ignored);
  for (const fs::path& path : {root_, code(), runtimes(), scratch(), root_ / "keys"}) make_directory(path);
}

std::optional<std::string> read_small_file(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  check(fd.get(), file.c_str());
  std::string text(1 << 20, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = check(::read(fd.get(), text.data() + size, text.size() - size), file.c_str());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

void DataDirectory::write_secret(const fs::path& file, const std::string& text) const {
  const fs::path beside = file.string() + ".new";
  {
    // Made by this process and by nobody else, who would hold it open or lead it elsewhere.
    fs::remove(beside);
    const Fd fd(
        check(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), beside.c_str()));
    std::size_t written = 0;
    while (written < text.size())
      written += static_cast<std::size_t>(
          check(::write(fd.get(), text.data() + written, text.size() - written), beside.c_str()));
    check(::fsync(fd.get()), beside.c_str());
  }
  fs::rename(beside, file);
  const Fd directory(check(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), file.c_str()));
  check(::fsync(directory.get()), file.c_str());
}

std::string DataDirectory::key(const std::string& name, const store::Vault& vault) const {
  const fs::path file = root_ / "keys" / name;
  const std::string owner = "key " + name;
  const std::string text = read_small_file(file).value_or("");
  // Earlier versions left them as they are; anything else was not written whole.
  const bool in_the_clear = text.size() == 32 && !store::Vault::is_sealed(text);
  std::string key = in_the_clear                    ? text
                    : store::Vault::is_sealed(text) ? vault.open(owner, text)
                                                    : base::random_bytes(32);
  if (!vault.is_current(text)) write_secret(file, vault.seal(owner, key));
  return key;
}

}  // namespace lambent::app
