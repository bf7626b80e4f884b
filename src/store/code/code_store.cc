#include "store/code/code_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/ids.h"
#include "base/log.h"
#include "store/code/archive.h"
#include "store/code/tree_writer.h"

namespace lambent::store {
namespace {

namespace fs = std::filesystem;
using base::check;

constexpr std::string_view kTrees = "trees";
constexpr std::string_view kZipSuffix = ".zip";
constexpr std::size_t kHashLength = 64;

/// Names in zips/ and trees/ are hashes; anything else never becomes part of a path.
bool is_hash(std::string_view name) {
  return name.size() == kHashLength && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void make_directory(const fs::path& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) check(-1, path.c_str());
  check(chmod(path.c_str(), mode), path.c_str());
}

base::Fd open_directory(const fs::path& path) {
  return base::Fd(check(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path.c_str()));
}

/// Makes what was renamed into the directory last.
void sync_directory(const fs::path& path) { check(fsync(open_directory(path).get()), "fsync"); }

/// Something half made in incoming/, removed unless it was moved to its place.
class Incoming {
 public:
  explicit Incoming(fs::path path) : path_(std::move(path)) {}
  Incoming(const Incoming&) = delete;
  ~Incoming() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

  /// Whoever was first with the same content has put the same bytes there.
  void publish(const fs::path& place) {
    if (rename(path_.c_str(), place.c_str()) == 0) return;
    if (errno != EEXIST && errno != ENOTEMPTY) check(-1, "rename");
  }

 private:
  fs::path path_;
};

void write_file(const fs::path& path, std::string_view bytes) {
  base::Fd file(check(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), "create archive"));
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    bytes.remove_prefix(static_cast<std::size_t>(check(written, "write archive")));
  }
}

/// Makes `path` and unpacks into it.
void write_tree(const fs::path& path, std::string_view zip) {
  check(mkdir(path.c_str(), 0700), "make tree");
  TreeWriter writer(open_directory(path));
  unpack(zip, writer);
  writer.finish();
}

class Nowhere final : public TreeSink {
 public:
  void directory(std::string_view) override {}
  void begin_file(std::string_view) override {}
  void write(std::string_view) override {}
  void end_file(bool) override {}
  void symlink(std::string_view, std::string_view) override {}
};

StoredCode describe(std::string_view zip) {
  if (zip.size() > static_cast<std::size_t>(kMaxUnzippedBytes))
    throw BadArchive("Zipped size must be smaller than " + std::to_string(kMaxUnzippedBytes) + " bytes",
                     BadArchive::Why::too_large);
  const auto digest = base::sha256(zip);
  StoredCode code{base::hex(digest), base::base64(digest), static_cast<std::int64_t>(zip.size()), 0, nullptr};
  for (const auto& entry : read_contents(zip).files_and_links)
    code.unzipped_size += static_cast<std::int64_t>(entry.size);
  return code;
}

}  // namespace

struct CodeStore::Pins {
  explicit Pins(fs::path in) : directory(std::move(in)) {}

  /// Removes the archive unless somebody pinned it. Out of its place in one step and under the lock: who pins it next finds
  /// either all of it or nothing.
  bool remove(const std::string& hash, bool while_reclaiming) {
    if (!is_hash(hash)) return false;
    const Incoming tree(directory / "incoming" / (hash + "." + base::random_hex(8)));
    const std::lock_guard lock(mutex);
    if (counts.contains(hash) || (while_reclaiming && !reclaim)) return false;
    if (rename((directory / kTrees / hash).c_str(), tree.path().c_str()) != 0 && errno != ENOENT)
      base::check(-1, "rename");
    fs::remove(directory / "zips" / (hash + std::string(kZipSuffix)));
    return true;
  }

  void release(const std::string& hash, const std::shared_ptr<Pins>& self) {
    const std::lock_guard lock(mutex);
    const auto count = counts.find(hash);
    if (--count->second > 0) return;
    counts.erase(count);
    if (!reclaim) return;
    reclaim([self, hash] {
      try {
        self->remove(hash, true);
      } catch (const std::exception& error) {
        base::log::error("an archive could not be removed", {{"sha256", hash}, {"reason", error.what()}});
      }
    });
  }

  const fs::path directory;
  std::mutex mutex;
  std::map<std::string, std::size_t, std::less<>> counts;
  std::function<void(std::function<void()>)> reclaim;
};

CodeStore::CodeStore(fs::path directory) : directory_(std::move(directory)), pins_(std::make_shared<Pins>(directory_)) {
  make_directories(directory_);
  repair();
}

fs::path CodeStore::make_directories(const fs::path& directory) {
  fs::create_directories(directory);
  make_directory(directory / "zips", 0700);
  make_directory(directory / "incoming", 0700);
  // The launcher mounts single trees out of it; functions run as other users.
  fs::path trees = directory / kTrees;
  make_directory(trees, 0755);
  return trees;
}

StoredCode CodeStore::check(std::string_view zip) {
  auto code = describe(zip);
  Nowhere nowhere;
  unpack(zip, nowhere);
  return code;
}

StoredCode CodeStore::add(std::string_view zip) {
  auto code = describe(zip);
  // Pinned before it is looked for: nobody removes it from here on.
  code.pin = pin(code.hash);
  if (contains(code.hash)) return code;
  const auto incoming = directory_ / "incoming";
  Incoming tree(incoming / (code.hash + "." + base::random_hex(8)));
  write_tree(tree.path(), zip);
  Incoming archive(incoming / (code.hash + "." + base::random_hex(8) + std::string(kZipSuffix)));
  write_file(archive.path(), zip);
  base::check(syncfs(open_directory(incoming).get()), "syncfs");
  archive.publish(directory_ / "zips" / (code.hash + std::string(kZipSuffix)));
  tree.publish(trees() / code.hash);
  sync_directory(directory_ / "zips");
  sync_directory(trees());
  return code;
}

bool CodeStore::contains(std::string_view hash) const {
  std::error_code ignored;
  return is_hash(hash) && fs::is_directory(trees() / hash, ignored) &&
         fs::exists(directory_ / "zips" / (std::string(hash) + std::string(kZipSuffix)), ignored);
}

std::optional<std::string> CodeStore::zip(std::string_view hash) const {
  if (!is_hash(hash)) return std::nullopt;
  const auto path = directory_ / "zips" / (std::string(hash) + std::string(kZipSuffix));
  const base::Fd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  base::check(file.get(), "open archive");
  struct stat status{};
  base::check(fstat(file.get(), &status), "stat archive");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const auto got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (base::check(got, "read archive") == 0) throw std::system_error(EIO, std::system_category(), "archive was cut");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

fs::path CodeStore::trees() const { return directory_ / kTrees; }

std::vector<std::string> CodeStore::hashes() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(directory_ / "zips")) {
    const auto stem = entry.path().stem().string();
    if (entry.path().extension() == kZipSuffix && is_hash(stem)) found.push_back(stem);
  }
  return found;
}

CodePin CodeStore::pin(std::string_view hash) const {
  const std::string held(hash);
  {
    const std::lock_guard lock(pins_->mutex);
    ++pins_->counts[held];
  }
  return {static_cast<const void*>(pins_.get()), [pins = pins_, held](const void*) { pins->release(held, pins); }};
}

void CodeStore::reclaim_through(std::function<void(std::function<void()>)> run) {
  const std::lock_guard lock(pins_->mutex);
  pins_->reclaim = std::move(run);
}

void CodeStore::stop_reclaiming() {
  const std::lock_guard lock(pins_->mutex);
  pins_->reclaim = nullptr;
}

std::size_t CodeStore::remove_unpinned() {
  std::size_t removed = 0;
  for (const auto& hash : hashes())
    if (pins_->remove(hash, false)) ++removed;
  return removed;
}

void CodeStore::repair() const {
  for (const auto& entry : fs::directory_iterator(directory_ / "incoming")) fs::remove_all(entry.path());
  for (const auto& hash : hashes()) {
    if (contains(hash)) continue;
    const auto bytes = zip(hash);
    if (!bytes || base::sha256_hex(*bytes) != hash) {
      base::log::error("a stored code archive is damaged", {{"sha256", hash}});
      continue;
    }
    Incoming tree(directory_ / "incoming" / hash);
    write_tree(tree.path(), *bytes);
    base::check(syncfs(open_directory(tree.path()).get()), "syncfs");
    tree.publish(trees() / hash);
    base::log::warn("unpacked a code archive again whose tree was missing", {{"sha256", hash}});
  }
  for (const auto& entry : fs::directory_iterator(trees()))
    if (!contains(entry.path().filename().string())) fs::remove_all(entry.path());
  sync_directory(trees());
}

}  // namespace lambent::store
