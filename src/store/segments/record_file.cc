#include "store/segments/record_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/ids.h"
#include "base/log.h"

namespace lambent::store::segments {
namespace {

constexpr std::uint64_t kLargestFile = 1u << 30;

std::uint64_t random_salt() {
  const std::string bytes = base::random_bytes(sizeof(std::uint64_t));
  std::uint64_t salt;
  std::memcpy(&salt, bytes.data(), sizeof salt);
  return salt;
}

std::uint64_t file_size(int fd, const std::filesystem::path& file) {
  struct stat status;
  base::check(::fstat(fd, &status), file.c_str());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kLargestFile) throw std::system_error(EFBIG, std::system_category(), file.string());
  return size;
}

}  // namespace

std::string read_at(int fd, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t got = ::pread(fd, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (base::check(got, "read of a segment") == 0)
      throw std::system_error(ENODATA, std::system_category(), "a segment is shorter than its index says");
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

RecordFile::RecordFile(Disk& disk, std::filesystem::path path, base::Fd fd, FileHeader header, std::uint64_t size)
    : disk_(&disk),
      path_(std::move(path)),
      fd_(std::make_shared<base::Fd>(std::move(fd))),
      header_(header),
      size_(size) {}

RecordFile::~RecordFile() {
  if (window_ == nullptr) return;
  close_window();
  try {
    disk_->truncate(fd_->get(), size_);
  } catch (const std::exception&) {
    // What is ahead is cut when the file is opened again.
  }
}

std::unique_ptr<RecordFile> RecordFile::create(Disk& disk, std::filesystem::path file, std::uint64_t first_sequence,
                                               std::int64_t created_ms) {
  base::Fd fd = disk.open(file, O_RDWR | O_CREAT | O_TRUNC);
  const FileHeader header{first_sequence, created_ms, random_salt()};
  std::string bytes;
  append_header(bytes, FileHeader::kPlain, header);
  disk.write(fd.get(), bytes, 0);
  return std::unique_ptr<RecordFile>(new RecordFile(disk, std::move(file), std::move(fd), header, bytes.size()));
}

std::unique_ptr<RecordFile> RecordFile::open(Disk& disk, const std::filesystem::path& file, const Visit& visit) {
  base::Fd fd = disk.open(file, O_RDWR);
  const std::uint64_t size = file_size(fd.get(), file);
  const std::string bytes = read_at(fd.get(), 0, size);
  const auto header = read_header(bytes, FileHeader::kPlain);
  if (!header) return nullptr;
  RecordReader reader(std::string_view(bytes).substr(FileHeader::kBytes), header->salt, header->first_sequence);
  while (const auto record = reader.next()) visit(*record, FileHeader::kBytes + reader.begin());
  const std::uint64_t good = FileHeader::kBytes + reader.end();
  if (good < size) {
    // Zeros alone are the window of a server that was killed.
    if (bytes.find_first_not_of('\0', good) != std::string::npos)
      base::log::warn("the torn tail of a segment is cut", {{"file", file.string()}, {"bytes", size - good}});
    disk.truncate(fd.get(), good);
  }
  if (reader.damaged() > 0)
    base::log::error("a segment has damaged records", {{"file", file.string()}, {"bytes", reader.damaged()}});
  return std::unique_ptr<RecordFile>(new RecordFile(disk, file, std::move(fd), *header, good));
}

void RecordFile::close_window() noexcept {
  if (window_ != nullptr) ::munmap(window_, window_size_);
  window_ = nullptr;
}

/// Maps from the page that size() lies in to at least `need` bytes behind it.
void RecordFile::move_window(std::size_t need) {
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t begin = size_ / kPage * kPage;
  const std::size_t length =
      std::max(kWindow, static_cast<std::size_t>((size_ - begin + need + kPage - 1) / kPage * kPage));
  disk_->allocate(fd_->get(), begin, length);
  void* mapped = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_->get(), static_cast<off_t>(begin));
  if (mapped == MAP_FAILED) throw std::system_error(errno, std::system_category(), "mmap of a segment");
  close_window();
  window_ = static_cast<char*>(mapped);
  window_begin_ = begin;
  window_size_ = length;
}

void RecordFile::append(std::string_view records) {
  try {
    if (window_ == nullptr || size_ + records.size() > window_begin_ + window_size_) move_window(records.size());
    disk_->copy(window_ + (size_ - window_begin_), records);
  } catch (...) {
    // Zeros are no record, so nothing of these may stay: what comes next would stand behind them.
    close_window();
    try {
      disk_->truncate(fd_->get(), size_);
    } catch (const std::exception&) {
      whole_ = false;
    }
    throw;
  }
  size_ += records.size();
}

}  // namespace lambent::store::segments
