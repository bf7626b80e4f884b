#include "sandbox/jail/receive.h"

#include <sys/socket.h>

#include <cerrno>

#include "sandbox/jail/raw.h"

namespace lambent::sandbox::jail {
namespace {

/// Copied by bytes: there is no libc everywhere that this runs.
void copy(void* to, const void* from, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) static_cast<volatile char*>(to)[i] = static_cast<const char*>(from)[i];
}

void take_control(const cmsghdr& header, Message& message) {
  const auto* const data = reinterpret_cast<const char*>(&header) + CMSG_LEN(0);
  if (header.cmsg_level != SOL_SOCKET) return;
  if (header.cmsg_type == SCM_RIGHTS) {
    const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count && message.fd_count < kMaxReceivedFds; ++i)
      copy(&message.fds[message.fd_count++], data + i * sizeof(int), sizeof(int));
  } else if (header.cmsg_type == SCM_CREDENTIALS) {
    ucred sender{};
    copy(&sender, data, sizeof sender);
    message.sender_pid = sender.pid;
  }
}

}  // namespace

Message receive(int socket, void* buffer, std::size_t size) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxReceivedFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
  iovec part{buffer, size};
  msghdr header;
  header.msg_name = nullptr;
  header.msg_namelen = 0;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_flags = 0;
  Message message;
  do {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    message.length = raw(SYS_recvmsg, socket, &header, MSG_CMSG_CLOEXEC);
  } while (message.length == -EINTR);
  if (message.length < 0) return message;
  std::size_t at = 0;
  while (at + sizeof(cmsghdr) <= header.msg_controllen) {
    const auto& entry = *reinterpret_cast<const cmsghdr*>(control + at);
    if (entry.cmsg_len < sizeof(cmsghdr) || at + entry.cmsg_len > header.msg_controllen) break;
    take_control(entry, message);
    at += CMSG_ALIGN(entry.cmsg_len);
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) message.length = -EMSGSIZE;
  return message;
}

long send(int socket, const void* bytes, std::size_t size) {
  for (;;) {
    const long sent = raw(SYS_sendto, socket, bytes, static_cast<long>(size), MSG_NOSIGNAL, nullptr, 0L);
    if (sent != -EINTR) return sent;
  }
}

}  // namespace lambent::sandbox::jail
