// A directory of a test's own, and a disk that stops: the process is killed at any of its calls. For tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

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

/// What a life on a disk had appended, and what it was appending when it ended.
struct Appended {
  std::vector<std::string> done;
  std::string under_way;
};

/// Leads a new life in `path` again and again; every call that changes the disk is the last one once. After each, `found` reads
/// what a new process finds: all that was done, perhaps what was under way, nothing else. Says how many lives there were.
template <class Life, class Found>
int kill_between_any_two_calls(const std::filesystem::path& path, Life life, Found found) {
  bool finished = false;
  int steps = 0;
  for (; !finished; ++steps) {
    std::filesystem::remove_all(path);
    StoppingDisk disk(steps);
    Appended appended;
    try {
      life(disk, appended);
      finished = !disk.stopped();
    } catch (const Stopped&) {
    }
    std::vector<std::string> there = found();
    if (there.size() == appended.done.size() + 1) {
      EXPECT_EQ(there.back(), appended.under_way);
      there.pop_back();
    }
    EXPECT_EQ(there, appended.done) << "killed at call " << steps;
  }
  return steps;
}

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
