// A user namespace for mounts whose owners are others than the disk's.
#pragma once

#include <cstdint>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

/// Who is who: an id on the disk, and the same one's in the mount.
struct SameOne {
  std::uint32_t on_disk;
  std::uint32_t in_mount;
};

/// A namespace in which these two are the only ones, for MOUNT_ATTR_IDMAP. Throws std::system_error.
base::Fd make_user_space(const SameOne& user, const SameOne& group);

}  // namespace lambent::sandbox::launcher
