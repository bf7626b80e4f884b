// The name server of the functions: hands their questions to the host's name servers and the answers back, unread.
//
// A process of its own, without any privilege, in the host's network namespace with two sockets in the router's: so it works
// where the host's resolver listens on loopback, and follows /etc/resolv.conf when that changes. Each question goes out
// from a socket of its own with a random port; nothing is kept. A watcher process starts it anew if it should end. Both end with
// the launcher.
#pragma once

#include <sys/types.h>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

class NameRelay {
 public:
  /// Forks: to be called by the launcher before it leaves the host's mounts. Throws std::system_error.
  NameRelay(const base::Fd& datagrams, const base::Fd& connections);
  ~NameRelay();
  NameRelay(const NameRelay&) = delete;
  NameRelay& operator=(const NameRelay&) = delete;

 private:
  pid_t watcher_;
};

/// The relay's loop, in the calling process, which it never leaves. `resolv_conf` is read again whenever it has changed.
[[noreturn]] void relay_names(int datagrams, int connections, const char* resolv_conf);

}  // namespace lambent::sandbox::launcher
