// The process's file descriptors: how many it may have, and one kept back for when there are no more.
#pragma once

#include <cstddef>
#include <mutex>

#include "base/fd.h"

namespace lambent::base {

/// Raises the soft limit of open files to the hard one, which is what a service manager means; the limit from then on.
std::size_t raise_descriptor_limit();

/// Out of descriptors, a connection cannot even be refused: it waits until its client gives up. With the one that is kept here it is
/// accepted and closed. One of a process, any thread.
class ReserveDescriptor {
 public:
  /// Opened by the first call, so before it is needed.
  static ReserveDescriptor& of_process();
  /// Closes connections that wait at `listener`, which does not block; how many, at most 64.
  std::size_t shed(int listener);

 private:
  ReserveDescriptor();

  std::mutex mutex_;
  Fd kept_;
};

}  // namespace lambent::base
