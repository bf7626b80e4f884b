// One message with its descriptors, by raw system calls.
#pragma once

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

constexpr int kMaxReceivedFds = 16;

struct Message {
  /// 0: end of file; negative errno.
  long length = 0;
  int fds[kMaxReceivedFds];
  int fd_count = 0;
  /// Of the sender, in this process's namespace, where the socket passes it on; or 0.
  int sender_pid = 0;
};

/// Descriptors are close-on-exec. Blocks.
Message receive(int socket, void* buffer, std::size_t size);
/// All of it or nothing; a negative errno.
long send(int socket, const void* bytes, std::size_t size);

}  // namespace lambent::sandbox::jail
