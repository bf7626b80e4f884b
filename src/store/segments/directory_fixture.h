// A directory of a test's own, and a disk that stops: the process is killed at any of its calls. For tests.
#pragma once

#include <filesystem>
#include <stdexcept>

#include "base/ids.h"
#include "store/segments/disk.h"

namespace lambent::store::segments {

class TestDirectory {
 public:
  TestDirectory() : path_(std::filesystem::temp_directory_path() / ("lambent-segments-" + base::random_hex(6))) {
    std::filesystem::create_directory(path_);
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("killed") {}
};

/// Lets `steps` changes through, does half of the next write, and nothing from then on.
class StoppingDisk final : public Disk {
 public:
  explicit StoppingDisk(int steps) : steps_(steps) {}

  base::Fd open(const std::filesystem::path& file, int flags) override {
    step();
    return Disk::open(file, flags);
  }
  void write(int fd, std::string_view bytes, std::uint64_t offset) override {
    if (steps_ == 0) Disk::write(fd, bytes.substr(0, bytes.size() / 2), offset);
    step();
    Disk::write(fd, bytes, offset);
  }
  void allocate(int fd, std::uint64_t offset, std::uint64_t length) override {
    step();
    Disk::allocate(fd, offset, length);
  }
  void copy(char* to, std::string_view bytes) override {
    if (steps_ == 0) Disk::copy(to, bytes.substr(0, bytes.size() / 2));
    step();
    Disk::copy(to, bytes);
  }
  void truncate(int fd, std::uint64_t size) override {
    step();
    Disk::truncate(fd, size);
  }
  void sync(int fd) override {
    step();
    Disk::sync(fd);
  }
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    step();
    Disk::rename(from, to);
  }
  void remove(const std::filesystem::path& file) override {
    step();
    Disk::remove(file);
  }
  void make_directory(const std::filesystem::path& directory) override {
    step();
    Disk::make_directory(directory);
  }
  void sync_directory(const std::filesystem::path& directory) override {
    step();
    Disk::sync_directory(directory);
  }
  bool stopped() const { return steps_ < 0; }

 private:
  void step() {
    if (steps_ <= 0) {
      steps_ = -1;
      throw Stopped();
    }
    --steps_;
  }
  int steps_;
};

/// A disk that is full when told so, and whose syncs fail when told so.
class FullDisk final : public Disk {
 public:
  bool full = false;
  bool fails_sync = false;
  int syncs = 0;
  void allocate(int fd, std::uint64_t offset, std::uint64_t length) override {
    if (full) throw std::system_error(ENOSPC, std::system_category(), "allocate");
    Disk::allocate(fd, offset, length);
  }
  void sync(int fd) override {
    ++syncs;
    if (fails_sync) throw std::system_error(EIO, std::system_category(), "sync");
    Disk::sync(fd);
  }
};

}  // namespace lambent::store::segments
