// Size-limited file systems for /tmp that do not count as the function's memory: a sparse ext4 image per environment on a
// loop device, copied from an image that is formatted once per size.
//
// No image ever has a name on disk for longer than the call that makes it: the loop device holds it, the mount holds the loop
// device, and the kernel frees all three with the environment's last mount namespace. Owned by the launcher.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

class ScratchImages {
 public:
  /// Beneath `directory`, whose file system the images fill. Has the first one formatted, which takes a while: see probe().
  explicit ScratchImages(const std::filesystem::path& directory);

  /// Once, before make(): tries an image. When that fails /tmp is a tmpfs from then on, which counts as memory, and `why_not`
  /// says so.
  void probe();
  /// A detached mount of an empty file system with `size_mib` to fill. Throws std::exception.
  base::Fd make(std::int32_t size_mib);
  /// Empty when images work.
  const std::string& why_not() const { return why_not_; }

 private:
  /// What a fresh file system has that is not zero.
  struct Piece {
    std::int64_t offset;
    std::string bytes;
  };
  struct Template {
    std::int64_t size_bytes = 0;
    std::vector<Piece> pieces;
  };

  /// mkfs.ext4 at work on an image in memory.
  class Formatting {
   public:
    explicit Formatting(std::int32_t size_mib);
    ~Formatting();
    Formatting(const Formatting&) = delete;
    Formatting& operator=(const Formatting&) = delete;

    std::int64_t size_bytes() const { return size_bytes_; }
    /// Waits for its end. The image; throws std::runtime_error when there is none.
    const base::Fd& finish();

   private:
    /// Its wait status.
    int reap();

    std::int64_t size_bytes_;
    base::Fd image_;
    pid_t pid_ = -1;
  };

  base::Fd nameless_file(std::int64_t size_bytes) const;
  const Template& formatted(std::int32_t size_mib);
  static Template template_of(Formatting& formatting);
  base::Fd make_image(std::int32_t size_mib);

  base::Fd directory_;
  std::optional<Formatting> first_;
  std::map<std::int32_t, Template> templates_;
  std::string why_not_;
};

}  // namespace lambent::sandbox::launcher
