#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

#include "base/http_server.h"

namespace lambent::base::http {

using asio::ip::tcp;

Fd listen_tcp(const std::string& address, std::uint16_t port, std::uint16_t* bound_port) {
  const tcp::endpoint endpoint(asio::ip::make_address(address), port);
  Fd fd(check(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const int on = 1;
  check(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  check(::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())), "bind");
  check(::listen(fd.get(), SOMAXCONN), "listen");
  if (bound_port != nullptr) {
    tcp::endpoint bound;
    socklen_t size = static_cast<socklen_t>(bound.capacity());
    check(getsockname(fd.get(), bound.data(), &size), "getsockname");
    bound.resize(size);
    *bound_port = bound.port();
  }
  return fd;
}

}  // namespace lambent::base::http
