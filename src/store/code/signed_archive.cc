#include "store/code/signed_archive.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/digest.h"
#include "store/code/archive.h"
#include "store/code/zip_records.h"

namespace lambent::store {
namespace {

/// Gathers the manifest's records, and the signature; the digest is taken at the end, in order.
class Manifest final : public TreeSink {
 public:
  void directory(std::string_view path) override {
    if (path != kSignatureDirectory) add('d', path, base::sha256_hex(""));
  }
  void begin_file(std::string_view path) override { path_ = path; }
  void write(std::string_view bytes) override {
    content_.update(bytes);
    if (path_ != kSignaturePath || too_large_) return;
    signature_ += bytes;
    too_large_ = signature_.size() > kMaxSignatureBytes;
    if (too_large_) signature_.clear();
  }
  void end_file(bool executable) override {
    const auto digest = base::hex(content_.finish());
    if (path_ != kSignaturePath) add(executable ? 'x' : 'f', path_, digest);
  }
  void symlink(std::string_view path, std::string_view target) override {
    if (path != kSignaturePath) add('l', path, base::sha256_hex(target));
  }

  std::string signature() const { return signature_; }
  std::string statement() const { return fmt::format("lambent-code-v1 sha256:{}\n", digest()); }

 private:
  std::string digest() const {
    base::Sha256 all;
    for (const auto& [path, record] : records_) {
      all.update(record);
      all.update(path);
      all.update(std::string_view("\0", 1));
    }
    return base::hex(all.finish());
  }
  void add(char kind, std::string_view path, const std::string& sha256) {
    records_.emplace(path, fmt::format("{} {} ", kind, sha256));
  }

  std::map<std::string, std::string, std::less<>> records_;
  std::string path_;
  base::Sha256 content_;
  std::string signature_;
  bool too_large_ = false;
};

std::string little_endian(std::uint64_t value, std::size_t width) {
  std::string out;
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

/// What a local header and a row of the table have in common, for a stored file: version, flags, method, time, checksum, sizes.
std::string common_fields(std::string_view content) {
  const auto crc = crc32_z(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(content.data()), content.size());
  // 1980-01-01, the first day a zip can name: the same archive and signature give the same bytes.
  constexpr std::uint32_t kFirstDay = 0x00210000;
  return little_endian(20, 2) + little_endian(0, 2) + little_endian(0, 2) + little_endian(kFirstDay, 4) +
         little_endian(crc, 4) + little_endian(content.size(), 4) + little_endian(content.size(), 4) +
         little_endian(kSignaturePath.size(), 2) + little_endian(0, 2);
}

std::string local_entry(std::string_view content) {
  return "PK\x03\x04" + common_fields(content) + std::string(kSignaturePath) + std::string(content);
}

std::string table_row(std::string_view content, std::uint64_t local_offset) {
  constexpr std::uint16_t kMadeOnUnix = 3 << 8 | 20;
  constexpr std::uint32_t kMode = static_cast<std::uint32_t>(S_IFREG | 0644) << 16;
  return "PK\x01\x02" + little_endian(kMadeOnUnix, 2) + common_fields(content) + little_endian(0, 2) +
         little_endian(0, 2) + little_endian(0, 2) + little_endian(kMode, 4) + little_endian(local_offset, 4) +
         std::string(kSignaturePath);
}

}  // namespace

bool has_signature(std::string_view zip) {
  const auto contents = read_contents(zip);
  return std::ranges::any_of(contents.files_and_links,
                             [](const auto& entry) { return entry.path == kSignaturePath; }) ||
         std::ranges::find(contents.directories, kSignaturePath) != contents.directories.end();
}

std::string statement_of(std::string_view zip) {
  Manifest manifest;
  unpack(zip, manifest);
  return manifest.statement();
}

std::optional<SignedCode> signed_code(std::string_view zip) {
  if (!has_signature(zip)) return std::nullopt;
  Manifest manifest;
  unpack(zip, manifest);
  return SignedCode{manifest.statement(), manifest.signature()};
}

std::string with_signature(std::string_view zip, std::string_view signature) {
  if (has_signature(zip)) throw BadArchive("the archive has a signature already");
  if (signature.empty() || signature.size() > kMaxSignatureBytes)
    throw BadArchive(fmt::format("a signature has 1 to {} bytes", kMaxSignatureBytes));
  const auto directory = zip::find_directory(zip);
  const auto end_at = directory.offset + directory.size;
  // Without zip64 the end record follows the table at once.
  constexpr std::uint64_t kMaxShort = 0xfffe;
  if (zip.substr(end_at, 4) != "PK\x05\x06" || directory.entries >= kMaxShort)
    throw BadArchive("an archive in zip64 form cannot be given a signature here");
  const auto entries = directory.entries + 1;
  const auto entry = local_entry(signature);
  const auto row = table_row(signature, directory.offset);
  std::string out(zip.substr(0, directory.offset));
  out += entry;
  out += zip.substr(directory.offset, directory.size);
  out += row;
  out += "PK\x05\x06" + little_endian(0, 4) + little_endian(entries, 2) + little_endian(entries, 2) +
         little_endian(directory.size + row.size(), 4) + little_endian(directory.offset + entry.size(), 4);
  constexpr std::size_t kCommentAt = 20;
  out += zip.substr(end_at + kCommentAt);
  // Two names may still be at odds: a file called META-INF, say.
  read_contents(out);
  return out;
}

}  // namespace lambent::store
