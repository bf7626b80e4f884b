// Outputs that stream: a handler hands out a source of events, the gateway sends them one by one as
// application/vnd.amazon.eventstream.
//
// A source is made by the handler and pulled by the gateway on the connection's lane; destroying it tells the handler's side
// that nobody listens any more. Format: AWS General Reference, "Amazon event stream encoding" (Smithy).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http.h"
#include "base/task.h"

namespace lambent::aws {

/// A body part by part. Pulled by one coroutine.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// The next bytes; nothing at the end. An exception means that the body has no proper end.
  virtual base::Task<std::optional<std::string>> next() = 0;
};

/// A head and what follows it; `body` is null when the response is all there is.
struct Answer {
  base::http::Response response;
  std::unique_ptr<BodyStream> body = {};
};

/// Erased; derive from EventsOf.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// A pointer at the struct of events, good until the next call; null at the end.
  virtual base::Task<const void*> next() = 0;
};

/// `Events` is the described struct that EventStream<Events> names, with one member present in each event.
template <class Events>
class EventsOf : public EventSource {
 public:
  base::Task<const void*> next() final {
    event_ = co_await next_event();
    co_return event_ ? &*event_ : nullptr;
  }
  /// Nothing at the end.
  virtual base::Task<std::optional<Events>> next_event() = 0;

 private:
  std::optional<Events> event_;
};

struct Binding;

/// `stream` points at an EventStream, `events` is the binding of its struct. Null when the stream has no source.
std::unique_ptr<BodyStream> encode_events(const Binding& events, const void* stream);

/// One message: its headers (all of them strings of at most 32,767 bytes) and its payload with prelude and checksums.
std::string event_message(const std::vector<std::pair<std::string_view, std::string_view>>& headers,
                          std::string_view payload);

}  // namespace lambent::aws
