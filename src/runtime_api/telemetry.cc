#include "runtime_api/telemetry.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <deque>

#include "runtime_api/protocol.h"
#include "runtime_api/subscription.h"

namespace lambent::runtime_api {

namespace asio = base::asio;
namespace http = base::http;
namespace json = boost::json;
using asio::ip::tcp;
using base::Task;
using std::chrono::milliseconds;

namespace {

constexpr auto kReturn = asio::as_tuple(asio::use_awaitable);
/// How much may wait for a subscriber that is slow, in its own buffers.
constexpr std::size_t kBuffers = 4;
/// An init has a start and, with ten extensions, as many subscriptions.
constexpr std::size_t kEarly = 32;
constexpr milliseconds kFirstPause{50}, kLongestPause{2000};
constexpr int kAttempts = 8;
constexpr std::chrono::seconds kDeliveryTime{10};
constexpr std::string_view kFellBehind =
    "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";

}  // namespace

/// Outlives its Telemetry by as long as its coroutine takes to notice.
struct Telemetry::Subscriber {
  Subscriber(asio::any_io_executor executor, const base::Clock& its_clock, Subscription wanted, MakeSocket make)
      : clock(its_clock), what(std::move(wanted)), make_socket(std::move(make)), timer(executor), socket(executor) {}

  const base::Clock& clock;
  Subscription what;
  MakeSocket make_socket;
  std::deque<std::string> events = {};
  std::size_t bytes = 0;
  std::size_t dropped_bytes = 0, dropped_records = 0;
  base::SteadyTime first_at = {};
  /// Sleeps of the delivery; cancelled when something has changed.
  asio::steady_timer timer;
  tcp::socket socket;
  bool delivering = false;
  bool paused = false;
  bool flushing = false;
  bool gone = false;

  void add(std::string event) {
    if (gone) return;
    if (bytes + event.size() > kBuffers * what.max_bytes || events.size() >= kBuffers * what.max_items) {
      dropped_bytes += event.size();
      ++dropped_records;
      return;
    }
    if (events.empty()) first_at = clock.steady();
    bytes += event.size();
    events.push_back(std::move(event));
    if (events.size() == 1 || full()) timer.cancel();
  }
  bool full() const { return events.size() >= what.max_items || bytes >= what.max_bytes; }
  bool due() const {
    if (events.empty() || paused) return false;
    return flushing || full() || clock.steady() - first_at >= what.timeout;
  }
  void say_what_was_dropped() {
    if (dropped_records == 0) return;
    const json::object record{
        {"droppedBytes", dropped_bytes}, {"droppedRecords", dropped_records}, {"reason", kFellBehind}};
    dropped_bytes = dropped_records = 0;
    if (what.wants("platform")) add(event_text(telemetry_time(clock), "platform.logsDropped", record));
  }
  /// The next batch, at most one buffer.
  std::vector<std::string> take() {
    std::vector<std::string> batch;
    std::size_t size = 0;
    while (!events.empty() && batch.size() < what.max_items && (batch.empty() || size < what.max_bytes)) {
      size += events.front().size();
      batch.push_back(std::move(events.front()));
      events.pop_front();
    }
    bytes -= size;
    first_at = clock.steady();
    return batch;
  }

  Task<void> sleep(milliseconds at_most) {
    timer.expires_after(at_most);
    co_await timer.async_wait(kReturn);
  }
  Task<bool> connect() {
    boost::system::error_code error;
    if (socket.is_open()) co_return true;
    base::Fd made = co_await make_socket();
    socket.assign(tcp::v4(), made.release(), error);
    if (error) co_return false;
    const auto [failed] = co_await socket.async_connect({asio::ip::address_v4::loopback(), what.port}, kReturn);
    if (failed) close();
    co_return !failed;
  }
  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }
  Task<bool> send(const std::string& bytes_out) {
    if (!co_await connect()) co_return false;
    const auto [error, written] = co_await asio::async_write(socket, asio::buffer(bytes_out), kReturn);
    if (error) close();
    if (error || !what.http) co_return !error;
    std::string answer;
    const auto [cut, head] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(answer, 64 * 1024), "\r\n", kReturn);
    close();
    co_return !cut && answer.starts_with("HTTP/1.") && answer.size() > 9 && answer[9] == '2';
  }
  /// False when it was not taken; a delivery that hangs is cut, but not while nobody there can run.
  Task<bool> send_in_time(const std::string& bytes_out) {
    auto watch = std::make_shared<asio::steady_timer>(timer.get_executor(), kDeliveryTime);
    auto cut = [](std::shared_ptr<asio::steady_timer> clock_of_it, Subscriber* self) -> Task<void> {
      while (true) {
        const auto [error] = co_await clock_of_it->async_wait(kReturn);
        if (error) co_return;
        if (!self->paused) break;
        clock_of_it->expires_after(kDeliveryTime);
      }
      self->close();
    };
    asio::co_spawn(timer.get_executor(), cut(watch, this), asio::detached);
    bool taken = false;
    try {
      taken = co_await send(bytes_out);
    } catch (const std::exception&) {
      // No socket to be had: the sandbox is ending.
    }
    watch->cancel();
    // The watch has let go of this object before the next step.
    co_await asio::post(timer.get_executor(), asio::use_awaitable);
    co_return taken;
  }
};

Telemetry::Telemetry(asio::any_io_executor executor, const base::Clock& clock, MakeSocket make_socket)
    : executor_(std::move(executor)), clock_(clock), make_socket_(std::move(make_socket)) {}

Telemetry::~Telemetry() { clear(); }

http::Response Telemetry::subscribe(Api api, const std::string& extension, const std::string& body, bool open) {
  const bool telemetry = api == Api::telemetry;
  if (!open) {
    const std::string name = telemetry ? "Telemetry" : "Logs";
    return refusal(403, name + ".SubscriptionClosed", name + " API subscription is closed already");
  }
  std::string wrong;
  Subscription wanted = read_subscription(body, !telemetry, wrong);
  const bool by_the_other_api = std::ranges::any_of(subscribers_, [&](const auto& each) {
    return each->what.extension == extension && each->what.logs_api == telemetry;
  });
  if (by_the_other_api && wrong.empty()) wrong = "the extension has subscribed by the other API already";
  if (!wrong.empty()) return refusal(400, telemetry ? "ValidationError" : "Logs.ValidationError", wrong);
  wanted.extension = extension;
  // A second subscription of an extension takes the place of its first.
  std::erase_if(subscribers_, [&](const auto& each) {
    const bool same = each->what.extension == extension;
    each->gone = each->gone || same;
    if (same) each->timer.cancel();
    return same;
  });
  auto subscriber = std::make_shared<Subscriber>(executor_, clock_, wanted, make_socket_);
  subscribers_.push_back(subscriber);
  for (const auto& [time, event] : early_) tell(*subscriber, time, event);
  wants_function_ = wants_function_ || wanted.wants("function");
  wants_extension_ = wants_extension_ || wanted.wants("extension");
  asio::co_spawn(executor_, deliver(subscriber), asio::detached);
  if (subscribed_) subscribed_(api, extension, wanted.types);
  http::Response answer;
  answer.headers.add("Content-Type", "text/plain");
  answer.body = "OK";
  return answer;
}

Task<void> Telemetry::deliver(std::shared_ptr<Subscriber> subscriber) {
  Subscriber& self = *subscriber;
  while (!self.gone) {
    self.say_what_was_dropped();
    if (!self.due()) {
      const auto rest = self.events.empty() || self.paused ? milliseconds(std::chrono::hours(1)) : self.what.timeout;
      co_await self.sleep(rest);
      continue;
    }
    const std::vector<std::string> batch = self.take();
    const std::string bytes = self.what.framed(batch);
    self.delivering = true;
    milliseconds pause = kFirstPause;
    bool taken = false;
    for (int attempt = 0; attempt < kAttempts && !taken && !self.gone; ++attempt) {
      taken = co_await self.send_in_time(bytes);
      if (taken || self.gone) break;
      co_await self.sleep(pause);
      pause = std::min(2 * pause, kLongestPause);
    }
    self.delivering = false;
    if (taken) continue;
    self.dropped_records += batch.size();
    for (const std::string& event : batch) self.dropped_bytes += event.size();
  }
  self.close();
}

void Telemetry::tell(Subscriber& subscriber, std::string_view time, const PlatformEvent& event) {
  const bool logs = subscriber.what.logs_api;
  const std::string& type = logs ? event.logs_type : event.type;
  if (type.empty() || !subscriber.what.wants("platform")) return;
  if (type == "platform.runtimeDone" && logs && !subscriber.what.runtime_done) return;
  subscriber.add(event_text(time, type, logs ? event.logs_record : event.record));
}

void Telemetry::platform(const PlatformEvent& event) {
  if (subscribers_.empty() && !in_init_) return;
  const std::string time = telemetry_time(clock_);
  for (const auto& subscriber : subscribers_) tell(*subscriber, time, event);
  if (in_init_ && early_.size() < kEarly) early_.emplace_back(time, event);
}

void Telemetry::end_init() {
  in_init_ = false;
  early_.clear();
  early_.shrink_to_fit();
}

void Telemetry::printed(std::string_view type, std::string_view line, bool structured) {
  std::string text;
  for (const auto& subscriber : subscribers_) {
    if (!subscriber->what.wants(type)) continue;
    if (text.empty()) {
      boost::system::error_code error;
      json::value record(as_utf8(line));
      if (structured && line.starts_with('{')) {
        json::value object = json::parse(line, error);
        if (!error && object.is_object()) record = std::move(object);
      }
      text = event_text(telemetry_time(clock_), type, record);
    }
    subscriber->add(text);
  }
}

void Telemetry::pause(bool paused) {
  for (const auto& subscriber : subscribers_) {
    subscriber->paused = paused;
    if (!paused) subscriber->timer.cancel();
  }
}

void Telemetry::flush() {
  for (const auto& subscriber : subscribers_) {
    subscriber->flushing = true;
    subscriber->timer.cancel();
  }
}

bool Telemetry::empty() const {
  return std::ranges::all_of(subscribers_, [](const auto& each) { return each->events.empty() && !each->delivering; });
}

void Telemetry::clear() {
  for (const auto& subscriber : subscribers_) {
    subscriber->gone = true;
    subscriber->timer.cancel();
    subscriber->close();
  }
  subscribers_.clear();
  wants_function_ = wants_extension_ = false;
  early_.clear();
  in_init_ = true;
}

std::string telemetry_time(base::WallTime now) {
  const auto second = fmt::gmtime(std::chrono::system_clock::to_time_t(now));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z", second, now.time_since_epoch().count() % 1000);
}

}  // namespace lambent::runtime_api
