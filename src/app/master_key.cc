#include "app/master_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/ids.h"
#include "base/log.h"

namespace lambent::app {
namespace {

namespace fs = std::filesystem;
using base::check;
using base::Fd;

constexpr std::size_t kMaxFileBytes = 1 << 16;
constexpr std::size_t kKeyBytes = 32;

[[noreturn]] void refuse(const fs::path& file, std::string_view reason) {
  throw std::runtime_error(fmt::format("the master key file {} {}", file.string(), reason));
}

bool lies_in(const fs::path& file, const fs::path& directory) {
  const fs::path path = fs::weakly_canonical(file), root = fs::canonical(directory);
  return std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

bool is_kms_key(std::string_view arn) {
  return arn.starts_with("arn:aws") && arn.find(":kms:") != std::string_view::npos &&
         arn.find(":key/") != std::string_view::npos;
}

store::VaultKey read_line(const fs::path& file, std::size_t number, std::string_view line) {
  store::VaultKey key;
  const auto space = line.find_first_of(" \t");
  if (space != std::string_view::npos) {
    key.arn = line.substr(0, space);
    line = base::trim(line.substr(space));
    if (!is_kms_key(key.arn)) refuse(file, fmt::format("has no key's ARN where line {} begins", number));
  }
  const auto secret = base::unbase64(line);
  // The line itself is not shown: it may be a key.
  if (!secret || secret->size() != kKeyBytes)
    refuse(file, fmt::format("has no 32 bytes in base64 in line {}: `openssl rand -base64 32` makes such", number));
  key.secret = *secret;
  return key;
}

store::Vault read_keys(const fs::path& file, std::string_view text) {
  std::vector<store::VaultKey> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = base::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.front() != '#') keys.push_back(read_line(file, number, line));
  }
  try {
    return store::Vault(keys);
  } catch (const std::invalid_argument& error) {
    refuse(file, fmt::format("is of no use: {}", error.what()));
  }
}

/// The whole file, when nobody but its owner may read it. It may be a link, as mounted secrets are.
std::string read_private_file(const fs::path& file) {
  const Fd fd(check(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), file.c_str()));
  struct stat about{};
  check(::fstat(fd.get(), &about), file.c_str());
  if (!S_ISREG(about.st_mode)) refuse(file, "is not a file");
  if ((about.st_mode & 077) != 0) refuse(file, "may be read by others than its owner: `chmod 600` it");
  if (about.st_uid != 0 && about.st_uid != ::geteuid())
    refuse(file, "belongs neither to root nor to the server's user");
  std::string text(kMaxFileBytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = check(::read(fd.get(), text.data() + size, text.size() - size), file.c_str());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxFileBytes) refuse(file, "has more than 64 KiB");
  text.resize(size);
  return text;
}

/// Synced before it is used: a key that a crash loses takes everything with it that it sealed.
void make_file(const fs::path& file, const DataDirectory& data) {
  const std::string line = base::base64(base::random_bytes(kKeyBytes));
  try {
    data.write_secret(file, "# Lambent's master key: without it the secrets in " + data.root().string() +
                                " cannot be read. Keep a copy of it, apart from the backups of that directory.\n" +
                                line + "\n");
  } catch (const std::system_error& error) {
    refuse(file, fmt::format("is not there and cannot be made: {}", error.code().message()));
  }
  base::log::info("master key made", {{"file", file.string()}});
}

fs::path note_of(const DataDirectory& data) { return data.root() / "keys" / "master-key-id"; }

/// The id that was noted; nothing when nothing was sealed yet.
std::optional<std::string> noted_id(const DataDirectory& data) {
  auto noted = read_small_file(note_of(data));
  if (noted && noted->ends_with('\n')) noted->pop_back();
  return noted;
}

}  // namespace

fs::path default_master_key_file(const DataDirectory& data) {
  fs::path root = data.root().lexically_normal();
  if (!root.has_filename()) root = root.parent_path();
  return root.string() + ".master-key";
}

store::Vault read_master_keys(const fs::path& file, const DataDirectory& data) {
  if (lies_in(file, data.root())) refuse(file, "must not lie in the data directory, whose secrets it protects");
  const auto noted = noted_id(data);
  if (!fs::exists(file)) {
    if (noted)
      refuse(file, fmt::format("is not there: put it back, or say with --master-key-file where it is. {} was sealed "
                               "with its key {}, and without it what is sealed cannot be read",
                               data.root().string(), *noted));
    make_file(file, data);
  }
  auto vault = read_keys(file, read_private_file(file));
  if (noted && !vault.has_key(*noted))
    refuse(file, fmt::format("does not have the key {} that {} was sealed with: put that key's line back into it",
                             *noted, data.root().string()));
  return vault;
}

void note_master_key(const DataDirectory& data, const store::Vault& vault) {
  const auto noted = noted_id(data);
  if (noted && *noted == vault.current_id()) return;
  data.write_secret(note_of(data), vault.current_id() + "\n");
}

}  // namespace lambent::app
