// One growing file of records: what was appended is there again after kill -9, a torn tail is cut when it is opened.
//
// Records are copied into a mapped window of the file, which takes a microsecond where write(2) takes five, and survive a kill
// of the process just so. The window moves on in steps; what it has ahead reads as zeros, is no record, and is cut off when
// the file is closed or opened again. Owned by a Journal or by whoever keeps a small list on disk. One thread at a time; readers
// may pread() what lies below size().
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "store/segments/disk.h"
#include "store/segments/record.h"

namespace lambent::store::segments {

class RecordFile {
 public:
  static constexpr std::size_t kWindow = 256 * 1024;

  ~RecordFile();
  RecordFile(const RecordFile&) = delete;

  /// A new file with its header, written and not yet synced. Throws std::system_error.
  static std::unique_ptr<RecordFile> create(Disk& disk, std::filesystem::path file, std::uint64_t first_sequence,
                                            std::int64_t created_ms);

  /// `visit(record, offset)`, in order, for each record that is good. What was cut or passed over is logged.
  using Visit = std::function<void(const Record&, std::uint64_t offset)>;
  /// Nothing when the file has no whole header: whoever made it was killed before anything was acknowledged. Throws
  /// std::system_error, also for a file of over 1 GiB, which is none of ours.
  static std::unique_ptr<RecordFile> open(Disk& disk, const std::filesystem::path& file, const Visit& visit);

  /// Records made by append_record() with header().salt. Throws std::system_error; nothing of them is
  /// then in the file, unless it could not be cut either: whole() is false from then on and the file takes no more.
  void append(std::string_view records);
  bool whole() const { return whole_; }

  const FileHeader& header() const { return header_; }
  std::uint64_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }
  /// Shared with readers and with whoever syncs it.
  const std::shared_ptr<base::Fd>& fd() const { return fd_; }

 private:
  RecordFile(Disk& disk, std::filesystem::path path, base::Fd fd, FileHeader header, std::uint64_t size);
  void move_window(std::size_t need);
  void close_window() noexcept;

  Disk* disk_;
  std::filesystem::path path_;
  std::shared_ptr<base::Fd> fd_;
  FileHeader header_;
  std::uint64_t size_;
  bool whole_ = true;
  char* window_ = nullptr;
  std::uint64_t window_begin_ = 0;
  std::size_t window_size_ = 0;
};

/// `length` bytes from `offset`. Throws std::system_error, also when the file ends before.
std::string read_at(int fd, std::uint64_t offset, std::size_t length);

}  // namespace lambent::store::segments
