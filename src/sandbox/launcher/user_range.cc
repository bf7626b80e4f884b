#include "sandbox/launcher/user_range.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>

#include "sandbox/launcher/wire.h"

namespace lambent::sandbox::launcher {
namespace {

/// A name in the abstract namespace belongs to whoever binds it, for as long as that process lives. False: another has it.
bool claim(int socket, std::uint32_t first) {
  const std::string name = std::string(1, '\0') + "lambent-users-" + std::to_string(first);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof address.sun_path);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  if (errno != EADDRINUSE) base::check(-1, "claiming user ids");
  return false;
}

}  // namespace

UserRange::UserRange(std::uint32_t wanted)
    : claim_(base::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "making a socket to claim user ids with")),
      first_(wanted) {
  // The last id means nobody.
  constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max() - 2 * wire::kUids;
  while (!claim(claim_.get(), first_)) {
    if (first_ > kLast) throw std::runtime_error("no user ids are left for environments");
    first_ += wire::kUids;
  }
}

}  // namespace lambent::sandbox::launcher
