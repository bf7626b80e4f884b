// A function for provided.al2023 as small as they get: static, raw sockets, answers each event with itself. With an argument it
// ends at once: the floor of its cold start.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace {

constexpr std::string_view kNext = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n";

/// The value of a header of a response head, whose names this server writes as the documentation does.
std::string_view header(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + name.size());
  return head.substr(0, head.find("\r\n"));
}

/// One response with its body, taken from the front of what was received.
bool receive(int fd, std::string& unread, std::string& head, std::string& body) {
  std::size_t end = std::string::npos, length = 0;
  while (true) {
    if (end == std::string::npos && (end = unread.find("\r\n\r\n")) != std::string::npos) {
      head = unread.substr(0, end + 2);
      const std::string_view value = header(head, "Content-Length: ");
      length = value.empty() ? 0 : std::stoul(std::string(value));
    }
    if (end != std::string::npos && unread.size() >= end + 4 + length) break;
    char buffer[16384];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) return false;
    unread.append(buffer, static_cast<std::size_t>(got));
  }
  body = unread.substr(end + 4, length);
  unread.erase(0, end + 4 + length);
  return true;
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) return 0;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9001);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  std::string send(kNext), unread, head, body;
  while (true) {
    if (::write(fd, send.data(), send.size()) != static_cast<ssize_t>(send.size())) return 1;
    if (!receive(fd, unread, head, body)) return 1;
    // The answer to the POST that went out before comes first.
    if (header(head, "Lambda-Runtime-Aws-Request-Id: ").empty() && !receive(fd, unread, head, body)) return 1;
    const std::string id(header(head, "Lambda-Runtime-Aws-Request-Id: "));
    send = "POST /2018-06-01/runtime/invocation/" + id +
           "/response HTTP/1.1\r\nHost: r\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    send += kNext;
  }
}
