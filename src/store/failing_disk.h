// A disk under SQLite that counts its syncs and fails on command: a VFS in front of the real one, for tests.
//
// Made by a test before it opens its Database, default for all connections while it lives.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <string_view>

namespace lambent::store {

class FailingDisk {
 public:
  FailingDisk() {
    real() = sqlite3_vfs_find(nullptr);
    vfs_ = *real();
    vfs_.zName = "failing-disk";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real()->szOsFile;
    vfs_.xOpen = &FailingDisk::open;
    sqlite3_vfs_register(&vfs_, 1);
    syncs = 0;
    fail_sync = false;
    fail_one_sync = false;
    disk_full = false;
  }
  ~FailingDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real(), 1);
  }

  inline static std::atomic<int> syncs{0};
  inline static std::atomic<bool> fail_sync{false};
  /// The next one fails, and then the disk claims to be well.
  inline static std::atomic<bool> fail_one_sync{false};
  inline static std::atomic<bool> disk_full{false};

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<File*>(file)->below(); }
  static sqlite3_vfs*& real() {
    static sqlite3_vfs* vfs = nullptr;
    return vfs;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    std::memset(file, 0, sizeof(File));
    const int code = real()->xOpen(real(), name, below(file), flags, out_flags);
    if (code == SQLITE_OK) file->pMethods = &methods();
    return code;
  }
  static int close(sqlite3_file* file) { return below(file)->pMethods->xClose(below(file)); }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return below(file)->pMethods->xRead(below(file), to, size, at);
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    if (disk_full) return SQLITE_FULL;
    return below(file)->pMethods->xWrite(below(file), from, size, at);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return below(file)->pMethods->xTruncate(below(file), size);
  }
  static int sync(sqlite3_file* file, int flags) {
    ++syncs;
    if (fail_sync || fail_one_sync.exchange(false)) return SQLITE_IOERR_FSYNC;
    return below(file)->pMethods->xSync(below(file), flags);
  }
  static int size(sqlite3_file* file, sqlite3_int64* out) { return below(file)->pMethods->xFileSize(below(file), out); }
  static int lock(sqlite3_file* file, int level) { return below(file)->pMethods->xLock(below(file), level); }
  static int unlock(sqlite3_file* file, int level) { return below(file)->pMethods->xUnlock(below(file), level); }
  static int reserved(sqlite3_file* file, int* out) {
    return below(file)->pMethods->xCheckReservedLock(below(file), out);
  }
  static int control(sqlite3_file* file, int op, void* argument) {
    return below(file)->pMethods->xFileControl(below(file), op, argument);
  }
  static int sector(sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); }
  static int device(sqlite3_file* file) { return below(file)->pMethods->xDeviceCharacteristics(below(file)); }

  static const sqlite3_io_methods& methods() {
    // Version 1 has no shared memory: with an exclusive lock SQLite keeps the log's index in memory.
    static const sqlite3_io_methods table = [] {
      sqlite3_io_methods made{};
      made.iVersion = 1;
      made.xClose = &close;
      made.xRead = &read;
      made.xWrite = &write;
      made.xTruncate = &truncate;
      made.xSync = &sync;
      made.xFileSize = &size;
      made.xLock = &lock;
      made.xUnlock = &unlock;
      made.xCheckReservedLock = &reserved;
      made.xFileControl = &control;
      made.xSectorSize = &sector;
      made.xDeviceCharacteristics = &device;
      return made;
    }();
    return table;
  }

  sqlite3_vfs vfs_;
};

}  // namespace lambent::store
