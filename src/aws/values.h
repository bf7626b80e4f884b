// The values that AWS's models know and C++ has no word for. Plain std types serve for the rest:
// bool, std::int32_t, std::int64_t, double, std::string, std::vector<T>, std::map<std::string, T>,
// described structs, and std::optional<T> of any of them for a member that may be absent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace lambent::aws {

/// Bytes: base64 in JSON and query bodies, raw as an HTTP payload.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

/// Milliseconds since 1970 UTC; written as the protocol or the member's timestampFormat prescribes.
struct Timestamp {
  std::int64_t ms = 0;
  bool operator==(const Timestamp&) const = default;
};

class EventSource;

/// A streaming output: the events of the described struct `Events`, one of whose members is present in each. They are
/// encoded and sent one by one as the source gives them.
template <class Events>
struct EventStream {
  std::shared_ptr<EventSource> source;
};

}  // namespace lambent::aws
