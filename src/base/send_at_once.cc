#include "base/send_at_once.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>

namespace lambent::base {

bool send_at_once(int socket, SendParts& parts) {
  std::array<iovec, std::tuple_size_v<SendParts>> bytes;
  for (std::size_t i = 0; i < parts.size(); ++i) bytes[i] = {const_cast<void*>(parts[i].data()), parts[i].size()};
  msghdr message{};
  message.msg_iov = bytes.data();
  message.msg_iovlen = bytes.size();
  const ssize_t sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  auto gone = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  for (asio::const_buffer& part : parts) {
    const std::size_t of_this = std::min(gone, part.size());
    part += of_this;
    gone -= of_this;
  }
  return asio::buffer_size(parts) == 0;
}

}  // namespace lambent::base
