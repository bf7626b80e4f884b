// One message, with its descriptors, over a SOCK_SEQPACKET socket. Both ends use it.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

/// Zero, or an errno. All of the message goes or nothing.
int send_message(int socket, std::span<const char> bytes, std::span<const int> descriptors = {}, int flags = 0);

struct Received {
  /// The length of the message; 0 at end of file; negative errno.
  long length = 0;
  /// Fewer than were sent when this process may open no more: then none.
  std::vector<base::Fd> descriptors;
};
/// A message longer than the buffer counts as -EMSGSIZE.
Received receive_message(int socket, std::span<char> buffer, int flags);

template <class T>
std::span<const char> bytes_of(const T& message) {
  return {reinterpret_cast<const char*>(&message), sizeof message};
}

}  // namespace lambent::sandbox::launcher
