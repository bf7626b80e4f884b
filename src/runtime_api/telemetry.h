// The Telemetry API (2022-07-01) and the older Logs API (2020-08-15) of one execution environment: who wants which events, and
// their delivery to listeners inside the sandbox.
//
// Owned by the RuntimeApi, on the environment's lane. Subscriptions are made during init and live until the next start. Events
// are buffered as the subscriber asked and delivered over HTTP or TCP, with retries; what a slow subscriber makes us drop is
// counted and said. Source: AWS Lambda Developer Guide, "Lambda Telemetry API" and "Lambda Logs API".
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/task.h"

namespace lambent::runtime_api {

/// One of the platform's own events, in the words of both APIs. An empty type: that API does not have it.
struct PlatformEvent {
  std::string type;
  boost::json::value record;
  std::string logs_type;
  boost::json::value logs_record;
};

class Telemetry {
 public:
  enum class Api { telemetry, logs };
  /// A TCP socket in the sandbox's network namespace.
  using MakeSocket = std::function<base::Task<base::Fd>()>;
  /// A subscription was made: the extension's name and the types.
  using Subscribed = std::function<void(Api, const std::string& name, const std::vector<std::string>& types)>;

  Telemetry(base::asio::any_io_executor executor, const base::Clock& clock, MakeSocket make_socket);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;

  void on_subscribed(Subscribed observer) { subscribed_ = std::move(observer); }

  /// Answers PUT /2022-07-01/telemetry or PUT /2020-08-15/logs of that extension.
  base::http::Response subscribe(Api api, const std::string& extension, const std::string& body, bool open);

  /// Somebody wants what functions or extensions print.
  bool wants_function() const { return wants_function_; }
  bool wants_extension() const { return wants_extension_; }
  bool any() const { return !subscribers_.empty(); }
  void platform(const PlatformEvent& event);
  /// Init is over: what comes from now on is not told to later subscribers, since there are none.
  void end_init();
  /// A line (without its end), or what the function logged as one JSON object when `structured`.
  void function(std::string_view line, bool structured) { printed("function", line, structured); }
  void extension(std::string_view line) { printed("extension", line, false); }

  /// Nothing is sent and no delivery is given up while the environment is frozen.
  void pause(bool paused);
  /// Sends what is buffered without waiting for more.
  void flush();
  /// Everything has been delivered or dropped.
  bool empty() const;
  /// Forgets the subscribers and what is buffered for them.
  void clear();

 private:
  struct Subscriber;
  static void tell(Subscriber& subscriber, std::string_view time, const PlatformEvent& event);
  void printed(std::string_view type, std::string_view line, bool structured);
  static base::Task<void> deliver(std::shared_ptr<Subscriber> subscriber);

  base::asio::any_io_executor executor_;
  const base::Clock& clock_;
  MakeSocket make_socket_;
  Subscribed subscribed_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  bool wants_function_ = false;
  bool wants_extension_ = false;
  /// What happened in this init so far, with its time: whoever subscribes is told of platform.initStart too.
  std::vector<std::pair<std::string, PlatformEvent>> early_;
  bool in_init_ = true;
};

/// 2022-10-12T00:00:15.064Z
std::string telemetry_time(base::WallTime time);
inline std::string telemetry_time(const base::Clock& clock) { return telemetry_time(clock.now()); }

}  // namespace lambent::runtime_api
