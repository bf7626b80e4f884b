// User ids that the environments of one launcher have and those of no other launcher on this machine at the same time: the
// kernel counts processes, messages, pipes and watches by user, and one environment's count shall be nobody else's.
//
// Launchers in different network namespaces (containers) do not see each other's. Owned by the launcher; the kernel forgets it
// with the launcher's process.
#pragma once

#include <cstdint>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

class UserRange {
 public:
  /// wire::kUids ids from `wanted` on, or from the first multiple of that many beyond it that nobody has. Throws
  /// std::runtime_error when all are taken, std::system_error when there can be no socket.
  explicit UserRange(std::uint32_t wanted);

  std::uint32_t first() const { return first_; }

 private:
  base::Fd claim_;
  std::uint32_t first_;
};

}  // namespace lambent::sandbox::launcher
