// One growing file of records: what was appended is there again after kill -9, a torn tail is cut when it is opened.
//
// Owned by a Journal or by whoever keeps a small list on disk. One thread at a time; readers may pread() what lies below size().
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
  /// A new file with its header, written and not yet synced. Throws std::system_error.
  static RecordFile create(Disk& disk, std::filesystem::path file, std::uint64_t first_sequence,
                           std::int64_t created_ms);

  /// `visit(record, offset)`, in order, for each record that is good. What was cut or passed over is logged.
  using Visit = std::function<void(const Record&, std::uint64_t offset)>;
  /// Nothing when the file has no whole header: whoever made it was killed before anything was acknowledged. Throws
  /// std::system_error, also for a file of over 1 GiB, which is none of ours.
  static std::unique_ptr<RecordFile> open(Disk& disk, const std::filesystem::path& file, const Visit& visit);

  /// Records made by append_record() with header().salt, all with one write. Throws std::system_error; nothing of them is
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

  Disk* disk_;
  std::filesystem::path path_;
  std::shared_ptr<base::Fd> fd_;
  FileHeader header_;
  std::uint64_t size_;
  bool whole_ = true;
};

/// `length` bytes from `offset`. Throws std::system_error, also when the file ends before.
std::string read_at(int fd, std::uint64_t offset, std::size_t length);

}  // namespace lambent::store::segments
