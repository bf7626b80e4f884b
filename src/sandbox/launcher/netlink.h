// Requests to the kernel's network configuration: messages are collected, sent in one write and acknowledged each.
//
// A socket belongs to the network namespace that it was opened in and keeps speaking with that one. Used by the launcher, on
// its one thread; nothing waits, the kernel answers within the call.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

/// Messages to be sent together.
class Requests {
 public:
  /// `what` says in words what the message does, for the error.
  template <class Header>
  void begin(std::string what, std::uint16_t type, std::uint16_t flags, const Header& header) {
    begin_message(std::move(what), type, flags);
    append(&header, sizeof header);
  }
  template <class T>
  void put(std::uint16_t attribute, const T& value) {
    put_bytes(attribute, &value, sizeof value);
  }
  void put_text(std::uint16_t attribute, std::string_view text);
  void put_bytes(std::uint16_t attribute, const void* bytes, std::size_t size);
  /// Everything that `body` puts becomes the attribute's value.
  void nest(std::uint16_t attribute, const std::function<void()>& body);
  /// A structure without an attribute's header, at the start of a nested one.
  template <class T>
  void put_raw(const T& value) {
    append(&value, sizeof value);
  }

 private:
  friend class Netlink;
  struct Message {
    std::size_t offset;
    std::string what;
    bool acknowledged;
  };
  void begin_message(std::string what, std::uint16_t type, std::uint16_t flags);
  void append(const void* bytes, std::size_t size);
  /// Writes the last message's length.
  void finish();

  std::string bytes_;
  std::vector<Message> messages_;
};

class Netlink {
 public:
  /// NETLINK_ROUTE or NETLINK_NETFILTER. Throws std::system_error.
  explicit Netlink(int protocol);

  /// Throws std::system_error with the first message that was refused; those after it may or may not have been obeyed.
  void send(Requests& requests);
  /// Sends one message and hands each answer's bytes, after its header, to `each`: those of a dump, or the one of a question.
  void ask(Requests& requests, const std::function<void(std::string_view)>& each);
  int get() const { return socket_.get(); }

 private:
  std::size_t write(Requests& requests);
  std::string_view read();

  base::Fd socket_;
  std::uint32_t sequence_ = 0;
  std::string buffer_;
};

/// Walks the attributes of an answer, `skip` bytes (the fixed structure) after its start.
void each_attribute(std::string_view message, std::size_t skip,
                    const std::function<void(std::uint16_t, std::string_view)>& take);

}  // namespace lambent::sandbox::launcher
