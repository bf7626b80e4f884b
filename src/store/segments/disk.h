// The calls that segments make to change files, behind one seam: a test fails them, or stops between any two.
//
// This class is the real disk; it has no state. Any thread. All throw std::system_error naming the file where they know it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/fd.h"

namespace lambent::store::segments {

class Disk {
 public:
  virtual ~Disk() = default;
  /// Mode 0600, close-on-exec.
  virtual base::Fd open(const std::filesystem::path& file, int flags);
  /// All of `bytes` at `offset`, or throws; then any part of them may be there.
  virtual void write(int fd, std::string_view bytes, std::uint64_t offset);
  /// Room for `length` bytes from `offset` on: they read as zeros, and writing them cannot find the disk full.
  virtual void allocate(int fd, std::uint64_t offset, std::uint64_t length);
  /// Into a mapped part of a file: what is there stays there when the process is killed, as with write().
  virtual void copy(char* to, std::string_view bytes);
  virtual void truncate(int fd, std::uint64_t size);
  /// The file's bytes are on the medium afterwards (fdatasync).
  virtual void sync(int fd);
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to);
  /// No error when there is none.
  virtual void remove(const std::filesystem::path& file);
  virtual void make_directory(const std::filesystem::path& directory);
  /// New names and removals in the directory are on the medium afterwards.
  virtual void sync_directory(const std::filesystem::path& directory);
};

}  // namespace lambent::store::segments
