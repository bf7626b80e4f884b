#include "sandbox/launcher/netlink.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace lambent::sandbox::launcher {
namespace {

/// The kernel answers with at most this much at a time.
constexpr std::size_t kBuffer = 64 * 1024;
constexpr int kSocketBuffer = 4 << 20;

constexpr std::size_t aligned(std::size_t size) { return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}; }

nlmsghdr header_at(std::string_view bytes) {
  nlmsghdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

/// Calls `take` for each message of a datagram.
void each_message(std::string_view bytes, const std::function<void(const nlmsghdr&, std::string_view)>& take) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const nlmsghdr header = header_at(bytes);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) return;
    take(header, bytes.substr(sizeof header, header.nlmsg_len - sizeof header));
    bytes.remove_prefix(std::min(aligned(header.nlmsg_len), bytes.size()));
  }
}

int error_of(std::string_view body) {
  nlmsgerr error{};
  if (body.size() < sizeof error.error) return EBADMSG;
  std::memcpy(&error.error, body.data(), sizeof error.error);
  return -error.error;
}

}  // namespace

void Requests::begin_message(std::string what, std::uint16_t type, std::uint16_t flags) {
  finish();
  messages_.push_back({bytes_.size(), std::move(what), (flags & NLM_F_ACK) != 0});
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&header, sizeof header);
}

void Requests::append(const void* bytes, std::size_t size) {
  bytes_.append(static_cast<const char*>(bytes), size);
  bytes_.resize(aligned(bytes_.size()), '\0');
}

void Requests::put_bytes(std::uint16_t attribute, const void* bytes, std::size_t size) {
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + size), attribute};
  append(&header, sizeof header);
  append(bytes, size);
}

void Requests::put_text(std::uint16_t attribute, std::string_view text) {
  const std::string terminated(text);
  put_bytes(attribute, terminated.c_str(), terminated.size() + 1);
}

void Requests::nest(std::uint16_t attribute, const std::function<void()>& body) {
  const std::size_t start = bytes_.size();
  nlattr header{0, static_cast<std::uint16_t>(attribute | NLA_F_NESTED)};
  append(&header, sizeof header);
  body();
  header.nla_len = static_cast<std::uint16_t>(bytes_.size() - start);
  std::memcpy(bytes_.data() + start, &header, sizeof header);
}

void Requests::finish() {
  if (messages_.empty()) return;
  const std::size_t offset = messages_.back().offset;
  nlmsghdr header = header_at(std::string_view(bytes_).substr(offset));
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size() - offset);
  std::memcpy(bytes_.data() + offset, &header, sizeof header);
}

Netlink::Netlink(int protocol)
    : socket_(base::check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "opening a netlink socket")),
      buffer_(kBuffer, '\0') {
  // The answer to a refused message need not repeat it.
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // Every rule of a batch is acknowledged, and an acknowledgement for which there is no room is lost. Where the larger buffers are
  // refused, large batches fail.
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBuffer, sizeof kSocketBuffer);
}

std::size_t Netlink::write(Requests& requests) {
  requests.finish();
  std::size_t awaited = 0;
  for (const Requests::Message& message : requests.messages_) {
    const std::uint32_t number = ++sequence_;
    std::memcpy(requests.bytes_.data() + message.offset + offsetof(nlmsghdr, nlmsg_seq), &number, sizeof number);
    if (message.acknowledged) ++awaited;
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  base::check(::sendto(socket_.get(), requests.bytes_.data(), requests.bytes_.size(), 0,
                       reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel),
              "writing to a netlink socket");
  return awaited;
}

std::string_view Netlink::read() {
  const ssize_t got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
  return {buffer_.data(), static_cast<std::size_t>(base::check(got, "reading from a netlink socket"))};
}

void Netlink::send(Requests& requests) {
  const std::uint32_t first = sequence_ + 1;
  std::size_t awaited = write(requests);
  int error = 0;
  std::string what;
  const auto take = [&](const nlmsghdr& header, std::string_view body) {
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq - first >= requests.messages_.size()) return;
    const Requests::Message& message = requests.messages_[header.nlmsg_seq - first];
    if (message.acknowledged) --awaited;
    const int result = error_of(body);
    if (result == 0 || error != 0) return;
    error = result;
    what = message.what;
  };
  while (awaited > 0 && error == 0) each_message(read(), take);
  if (error == 0) return;
  // A refused batch of rules is not acknowledged to its end: what is still there belongs to nobody.
  while (::recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT) > 0) continue;
  throw std::system_error(error, std::system_category(), what);
}

void Netlink::ask(Requests& requests, const std::function<void(std::string_view)>& each) {
  write(requests);
  bool done = false;
  int error = 0;
  const auto take = [&](const nlmsghdr& header, std::string_view body) {
    if (header.nlmsg_seq != sequence_) return;
    if (header.nlmsg_type == NLMSG_ERROR) error = error_of(body);
    done = done || header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE ||
           (header.nlmsg_flags & NLM_F_MULTI) == 0;
    if (header.nlmsg_type != NLMSG_ERROR && header.nlmsg_type != NLMSG_DONE) each(body);
  };
  while (!done) each_message(read(), take);
  if (error != 0) throw std::system_error(error, std::system_category(), requests.messages_.front().what);
}

void each_attribute(std::string_view message, std::size_t skip,
                    const std::function<void(std::uint16_t, std::string_view)>& take) {
  message.remove_prefix(std::min(aligned(skip), message.size()));
  while (message.size() >= sizeof(nlattr)) {
    nlattr header{};
    std::memcpy(&header, message.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > message.size()) return;
    take(header.nla_type & NLA_TYPE_MASK, message.substr(sizeof header, header.nla_len - sizeof header));
    message.remove_prefix(std::min(aligned(header.nla_len), message.size()));
  }
}

}  // namespace lambent::sandbox::launcher
