#include "aws/event_stream.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>

#include "aws/binding.h"
#include "aws/json_writer.h"

namespace lambent::aws {
namespace {

constexpr char kStringHeader = 7;
constexpr std::size_t kLongestHeader = 32'767;

void append_big_endian(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(value >> shift & 0xFF);
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

const void* held(const MemberBinding& member, const void* structure) {
  if (member.field == nullptr) return nullptr;
  return member.field->type->get(static_cast<const char*>(structure) + member.field->offset);
}

/// An event is its one payload member as it is, or its members as a document.
std::string encode_event(const MemberBinding& member, const void* event) {
  std::string payload;
  std::string_view type = "application/json";
  const MemberBinding* whole = nullptr;
  for (const auto& each : member.binding->members)
    if (each.member.event_payload()) whole = &each;
  if (whole == nullptr) {
    append_json_body(payload, *member.binding, event);
  } else if (const void* value = held(*whole, event)) {
    type = whole->binding->type->kind == Kind::string ? "text/plain" : "application/octet-stream";
    payload = whole->binding->type->kind == Kind::string ? *static_cast<const std::string*>(value)
                                                         : static_cast<const Blob*>(value)->bytes;
  }
  return event_message({{":event-type", member.wire_name}, {":content-type", type}, {":message-type", "event"}},
                       payload);
}

class EncodedEvents final : public BodyStream {
 public:
  EncodedEvents(const Binding& events, std::shared_ptr<EventSource> source)
      : events_(events), source_(std::move(source)) {}

  base::Task<std::optional<std::string>> next() override {
    const void* event = co_await source_->next();
    if (event == nullptr) co_return std::nullopt;
    for (const auto& member : events_.members)
      if (const void* value = held(member, event)) co_return encode_event(member, value);
    throw std::logic_error("an event without a member that is present");
  }

 private:
  const Binding& events_;
  std::shared_ptr<EventSource> source_;
};

}  // namespace

std::string event_message(const std::vector<std::pair<std::string_view, std::string_view>>& headers,
                          std::string_view payload) {
  std::string block;
  for (const auto& [name, value] : headers) {
    if (name.size() > 255 || value.size() > kLongestHeader) throw std::length_error("an event's header is too long");
    block += static_cast<char>(name.size());
    block += name;
    block += kStringHeader;
    block += static_cast<char>(value.size() >> 8);
    block += static_cast<char>(value.size() & 0xFF);
    block += value;
  }
  std::string message;
  message.reserve(block.size() + payload.size() + 16);
  append_big_endian(message, static_cast<std::uint32_t>(block.size() + payload.size() + 16));
  append_big_endian(message, static_cast<std::uint32_t>(block.size()));
  append_big_endian(message, checksum(message));
  message += block;
  message += payload;
  append_big_endian(message, checksum(message));
  return message;
}

std::unique_ptr<BodyStream> encode_events(const Binding& events, const void* stream) {
  // Every EventStream<T> is its source alone.
  struct Any {};
  static_assert(sizeof(EventStream<Any>) == sizeof(std::shared_ptr<EventSource>));
  const auto& source = static_cast<const EventStream<Any>*>(stream)->source;
  return source ? std::make_unique<EncodedEvents>(events, source) : nullptr;
}

}  // namespace lambent::aws
