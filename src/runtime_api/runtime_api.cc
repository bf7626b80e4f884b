#include "runtime_api/runtime_api.h"

#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/http_server.h"
#include "runtime_api/protocol.h"
#include "runtime_api/signal.h"

namespace lambent::runtime_api {
namespace {

namespace http = base::http;
namespace asio = base::asio;
using base::Task;

/// The states of AWS's emulator (aws-lambda-rie, lambda/core), with its names in state_name().
enum class State { started, init_error, ready, running, response, error_response, response_sent, closed };

std::string_view state_name(State state) {
  switch (state) {
    case State::started:
      return "Started";
    case State::init_error:
      return "InitError";
    case State::ready:
      return "Ready";
    case State::running:
      return "Running";
    case State::response:
      return "InvocationResponse";
    case State::error_response:
      return "InvocationErrorResponse";
    case State::response_sent:
      return "RuntimeResponseSentState";
    case State::closed:
      return "Closed";
  }
  return "";
}

/// A function waits, pauses and is frozen for as long as it likes: the engine's time limit ends it, not the server's. Runtimes
/// send X-Ray causes of up to 1 MiB in a header. Connections are few, because each may make us hold such a header.
http::Limits limits() {
  http::Limits limits;
  limits.header_bytes = 1024 * 1024 + 64 * 1024;
  limits.header_time = limits.idle_time = limits.body_pause = http::Limits::kNever;
  limits.connections = 16;
  return limits;
}

http::Response said_after(http::BodyStatus status) {
  if (status == http::BodyStatus::complete) return accepted();
  return status == http::BodyStatus::too_large ? too_large() : truncated();
}

bool is_streaming(http::Exchange& exchange) {
  return response_mode(exchange.request().headers) == ResponseMode::streaming;
}

/// The function failed after it had begun to answer.
void take_trailers(const http::Headers& trailers, Answer& answer) {
  const std::string_view type = trailers.get("Lambda-Runtime-Function-Error-Type");
  if (type.empty()) return;
  answer.kind = Answer::Kind::error;
  answer.error_type = type;
  auto document = base::unbase64(trailers.get("Lambda-Runtime-Function-Error-Body"));
  const bool usable = document && !document->empty();
  answer.payload = usable ? std::move(*document) : error_document(type, "");
}

constexpr std::size_t kMaxSubscription = 64 * 1024;
const base::SystemClock kSystemClock;

/// The state machine. Shared by the handle and by the connections' coroutines, which may outlive it; on one lane.
class Machine : public std::enable_shared_from_this<Machine> {
 public:
  Machine(asio::any_io_executor executor, ApiParts parts)
      : extensions(std::move(parts.facts), [this] { extensions_changed(); }),
        telemetry(std::move(executor), parts.clock != nullptr ? *parts.clock : kSystemClock,
                  std::move(parts.make_socket)) {}

  void start(std::vector<std::string> external_extensions);
  Task<std::optional<Answer>> initialized();
  Task<Answer> invoke(Event event, std::shared_ptr<ResponseSink> sink);
  bool idle() const { return state_ == State::ready && !event_ && extensions.all_ready(); }
  Task<void> settled();
  void runtime_ended();
  void close();
  static Task<void> serve(std::shared_ptr<Machine> machine, http::Exchange& exchange);

  std::unique_ptr<http::Server> server;
  Extensions extensions;
  Telemetry telemetry;
  std::function<void()> asked;

 private:
  bool closed() const { return state_ == State::closed; }
  bool hopeless() const { return closed() || extensions.failure().has_value(); }
  Answer failed_extension() const;
  void extensions_changed();
  Task<void> subscribe(http::Exchange& exchange, Telemetry::Api api);
  Task<void> next(http::Exchange& exchange);
  Task<void> response(http::Exchange& exchange, std::string_view request_id);
  Task<void> error(http::Exchange& exchange, std::string_view request_id);
  Task<void> init_error(http::Exchange& exchange);
  Task<void> take_answer(http::Exchange& exchange, State while_reading, Answer answer);
  Task<http::BodyStatus> read_answer(http::Exchange& exchange, Answer& answer);
  Task<http::BodyStatus> read_stream(http::Exchange& exchange, Answer& answer, std::shared_ptr<ResponseSink> sink);
  /// Nothing when the runtime may answer this request now, the refusal otherwise.
  std::optional<http::Response> may_answer(std::string_view request_id, State wanted) const;
  void finish(Answer answer);

  State state_ = State::started;
  /// How often start() was called: what belongs to an earlier start says nothing any more.
  std::uint64_t generation_ = 0;
  /// Of the event that the runtime has, until it asks for another.
  std::string current_id_;
  /// What invoke() brought; kept while the runtime works on it.
  std::optional<Event> event_;
  std::optional<Answer> answer_;
  std::shared_ptr<ResponseSink> sink_;
  /// Set when init failed: the answer to every invoke.
  std::optional<Answer> init_failure_;
  /// The connection whose /next waits; a later one takes its place.
  http::Exchange* waiting_ = nullptr;
  Signal event_came_;
  Signal answer_came_;
  /// For initialized() and settled().
  Signal progress_;
};

void Machine::start(std::vector<std::string> external_extensions) {
  ++generation_;
  state_ = State::started;
  current_id_.clear();
  event_.reset();
  answer_.reset();
  init_failure_.reset();
  waiting_ = nullptr;
  telemetry.clear();
  extensions.start(std::move(external_extensions));
}

Answer Machine::failed_extension() const {
  Answer answer;
  answer.kind = Answer::Kind::extension_failed;
  answer.error_type = extensions.failure()->type;
  answer.payload = extensions.failure()->reason;
  return answer;
}

void Machine::extensions_changed() {
  progress_.notify();
  if (extensions.failure()) answer_came_.notify();
}

Task<std::optional<Answer>> Machine::initialized() {
  const auto keep = shared_from_this();
  const auto over = [this] {
    const bool asked = state_ != State::started && state_ != State::init_error;
    return hopeless() || init_failure_ || (asked && extensions.all_ready());
  };
  while (!over()) co_await progress_.wait();
  extensions.close_registration();
  telemetry.end_init();
  if (init_failure_) co_return init_failure_;
  if (closed()) co_return Answer{};
  if (extensions.failure()) co_return failed_extension();
  co_return std::nullopt;
}

Task<void> Machine::settled() {
  const auto keep = shared_from_this();
  while (!idle() && !hopeless()) co_await progress_.wait();
}

Task<Answer> Machine::invoke(Event event, std::shared_ptr<ResponseSink> sink) {
  const auto keep = shared_from_this();
  if (init_failure_) co_return *init_failure_;
  if (closed()) co_return Answer{};
  if (extensions.failure()) co_return failed_extension();
  event_ = std::move(event);
  sink_ = std::move(sink);
  answer_.reset();
  event_came_.notify();
  if (!extensions.none()) extensions.invoke(*event_);
  while (!answer_ && !hopeless()) co_await answer_came_.wait();
  event_.reset();
  sink_.reset();
  if (!answer_) co_return closed() ? Answer{} : failed_extension();
  Answer answer = *std::exchange(answer_, std::nullopt);
  co_return answer;
}

void Machine::runtime_ended() {
  state_ = State::closed;
  waiting_ = nullptr;
  event_came_.notify();
  answer_came_.notify();
  progress_.notify();
}

void Machine::close() {
  runtime_ended();
  extensions.stop();
  if (server) server->disconnect();
}

Task<void> Machine::serve(std::shared_ptr<Machine> machine, http::Exchange& exchange) {
  const Route where = route(exchange.request().method, exchange.request().path);
  http::Response answer;
  const bool for_runtime = where.call == Call::next || where.call == Call::response || where.call == Call::error ||
                           where.call == Call::init_error;
  if (for_runtime && machine->closed()) co_return;
  switch (where.call) {
    case Call::extension:
      co_return co_await machine->extensions.serve(exchange, where.rest);
    case Call::telemetry:
      co_return co_await machine->subscribe(exchange, Telemetry::Api::telemetry);
    case Call::logs:
      co_return co_await machine->subscribe(exchange, Telemetry::Api::logs);
    case Call::next:
      co_return co_await machine->next(exchange);
    case Call::response:
      co_return co_await machine->response(exchange, where.rest);
    case Call::error:
      co_return co_await machine->error(exchange, where.rest);
    case Call::init_error:
      co_return co_await machine->init_error(exchange);
    case Call::ping:
      answer = pong();
      break;
    case Call::wrong_method:
      answer = wrong_method();
      break;
    case Call::unknown:
      answer = not_found();
      break;
  }
  co_await exchange.respond(std::move(answer));
}

Task<void> Machine::subscribe(http::Exchange& exchange, Telemetry::Api api) {
  const auto read = co_await exchange.read_body(kMaxSubscription);
  if (read == http::BodyStatus::disconnected || read == http::BodyStatus::timed_out) co_return;
  const std::string_view identifier = exchange.request().headers.get("Lambda-Extension-Identifier");
  const auto name = extensions.name_of(identifier);
  http::Response answer =
      name ? telemetry.subscribe(api, *name, exchange.request().body, extensions.registration_open())
           : refusal(403, "Extension.UnknownExtensionIdentifier", "Unknown extension " + std::string(identifier));
  co_await exchange.respond(std::move(answer));
}

Task<void> Machine::next(http::Exchange& exchange) {
  const std::uint64_t generation = generation_;
  if (state_ == State::started || state_ == State::response_sent) {
    state_ = State::ready;
    current_id_.clear();
    progress_.notify();
    if (asked) asked();
  }
  if (state_ == State::ready) {
    // A client that gave up on its connection asks on a new one. Nobody reads the old one any more.
    waiting_ = &exchange;
    event_came_.notify();
    while (!event_ && state_ == State::ready && waiting_ == &exchange) co_await event_came_.wait();
    if (closed() || generation != generation_) co_return;
    if (waiting_ == &exchange && state_ == State::ready) {
      waiting_ = nullptr;
      state_ = State::running;
      current_id_ = event_->request_id;
    } else {
      exchange.close_after();
      http::Response superseded = invalid_transition(state_name(state_), state_name(State::ready));
      co_await exchange.respond(std::move(superseded));
      co_return;
    }
  }
  // A runtime that asks again while it works on an event is given the same one, as AWS's emulator does.
  http::Response answer = state_ == State::running && event_
                              ? event_response(*event_)
                              : invalid_transition(state_name(state_), state_name(State::ready));
  co_await exchange.respond(std::move(answer));
}

std::optional<http::Response> Machine::may_answer(std::string_view request_id, State wanted) const {
  if (current_id_.empty() || request_id != current_id_) return invalid_request_id();
  if (state_ != State::running) return invalid_transition(state_name(state_), state_name(wanted));
  return std::nullopt;
}

Task<http::BodyStatus> Machine::read_answer(http::Exchange& exchange, Answer& answer) {
  const auto status = co_await exchange.read_body(kMaxPayloadBytes);
  http::Request& request = exchange.request();
  answer.payload = std::move(request.body);
  answer.response_size = answer.payload.size();
  answer.content_type = request.headers.get("Content-Type");
  answer.error_type = request.headers.get("Lambda-Runtime-Function-Error-Type");
  if (status == http::BodyStatus::too_large) {
    answer.response_size = exchange.declared_length().value_or(kMaxPayloadBytes + 1);
    answer.payload.clear();
    answer.kind = Answer::Kind::response_too_large;
  } else if (status == http::BodyStatus::malformed) {
    answer.kind = Answer::Kind::error;
    answer.error_type = "Runtime.TruncatedResponse";
    answer.payload = error_document(answer.error_type, "Response body is truncated or malformed");
  } else if (status == http::BodyStatus::complete && is_streaming(exchange)) {
    take_trailers(exchange.trailers(), answer);
  }
  co_return status;
}

/// A streamed response goes on as it comes. What the runtime finds out too late for its status is in the trailers.
Task<http::BodyStatus> Machine::read_stream(http::Exchange& exchange, Answer& answer,
                                            std::shared_ptr<ResponseSink> sink) {
  answer.content_type = exchange.request().headers.get("Content-Type");
  if (answer.content_type.empty()) answer.content_type = "application/octet-stream";
  answer.streamed = true;
  sink->begin(answer.content_type);
  http::BodyStatus status;
  std::string part;
  while (true) {
    part.clear();
    status = co_await exchange.read_part(part);
    if (status != http::BodyStatus::complete || part.empty()) break;
    answer.response_size += part.size();
    if (!co_await sink->write(std::move(part))) {
      answer.kind = Answer::Kind::response_too_large;
      co_return http::BodyStatus::too_large;
    }
  }
  if (status == http::BodyStatus::complete) {
    take_trailers(exchange.trailers(), answer);
  } else {
    answer.kind = Answer::Kind::error;
    answer.error_type = "Runtime.TruncatedResponse";
    answer.payload = error_document(answer.error_type, "Response body is truncated or malformed");
  }
  co_return status;
}

void Machine::finish(Answer answer) {
  if (state_ == State::closed) return;
  state_ = State::response_sent;
  // Here, not where invoke() goes on: the runtime may ask for its next event before that.
  event_.reset();
  answer.ended = std::chrono::steady_clock::now();
  answer_ = std::move(answer);
  answer_came_.notify();
}

Task<void> Machine::response(http::Exchange& exchange, std::string_view request_id) {
  if (auto refused = may_answer(request_id, State::response)) {
    co_await exchange.respond(std::move(*refused));
    co_return;
  }
  Answer answer;
  answer.kind = Answer::Kind::response;
  if (response_mode(exchange.request().headers) == ResponseMode::invalid) {
    answer.kind = Answer::Kind::error;
    answer.error_type = "Runtime.InvalidResponseModeHeader";
    answer.payload = error_document(answer.error_type, "Invalid function response mode");
    finish(std::move(answer));
    http::Response refused = invalid_response_mode();
    co_await exchange.respond(std::move(refused));
    co_return;
  }
  co_await take_answer(exchange, State::response, std::move(answer));
}

Task<void> Machine::error(http::Exchange& exchange, std::string_view request_id) {
  if (auto refused = may_answer(request_id, State::error_response)) {
    co_await exchange.respond(std::move(*refused));
    co_return;
  }
  Answer answer;
  answer.kind = Answer::Kind::error;
  co_await take_answer(exchange, State::error_response, std::move(answer));
}

Task<void> Machine::take_answer(http::Exchange& exchange, State while_reading, Answer answer) {
  state_ = while_reading;
  const std::uint64_t generation = generation_;
  answer.began = std::chrono::steady_clock::now();
  const auto sink = answer.kind == Answer::Kind::response && is_streaming(exchange) ? sink_ : nullptr;
  http::BodyStatus status;
  if (sink)
    status = co_await read_stream(exchange, answer, sink);
  else
    status = co_await read_answer(exchange, answer);
  if (state_ != while_reading || generation != generation_) co_return;
  const bool cut = status == http::BodyStatus::disconnected || status == http::BodyStatus::timed_out;
  if (cut && !answer.streamed) {
    // Nothing has been answered: the runtime may say it again, or its end is the outcome.
    state_ = State::running;
    co_return;
  }
  finish(std::move(answer));
  // A runtime that has asked for its next event already is woken by that alone.
  http::Response said = said_after(status);
  co_await exchange.respond_with_next(std::move(said));
}

Task<void> Machine::init_error(http::Exchange& exchange) {
  if (state_ != State::started) {
    http::Response refused = invalid_transition(state_name(state_), state_name(State::init_error));
    co_await exchange.respond(std::move(refused));
    co_return;
  }
  Answer answer;
  answer.kind = Answer::Kind::init_error;
  state_ = State::init_error;
  const std::uint64_t generation = generation_;
  const auto status = co_await read_answer(exchange, answer);
  if (state_ != State::init_error || generation != generation_) co_return;
  if (status == http::BodyStatus::disconnected || status == http::BodyStatus::timed_out) {
    state_ = State::started;
    co_return;
  }
  answer.kind = Answer::Kind::init_error;
  init_failure_ = answer;
  answer_ = std::move(answer);
  progress_.notify();
  answer_came_.notify();
  http::Response said = said_after(status);
  co_await exchange.respond(std::move(said));
}

class Served final : public RuntimeApi {
 public:
  explicit Served(std::shared_ptr<Machine> machine) : machine_(std::move(machine)) {}
  ~Served() override {
    machine_->asked = nullptr;
    machine_->close();
    machine_->telemetry.clear();
    machine_->server->abort();
  }
  void start(std::vector<std::string> external) override { machine_->start(std::move(external)); }
  Task<std::optional<Answer>> initialized() override { return machine_->initialized(); }
  Task<Answer> invoke(Event event, std::shared_ptr<ResponseSink> sink) override {
    return machine_->invoke(std::move(event), std::move(sink));
  }
  bool idle() const override { return machine_->idle(); }
  Task<void> settled() override { return machine_->settled(); }
  void on_next(std::function<void()> observer) override { machine_->asked = std::move(observer); }
  void runtime_ended() override { machine_->runtime_ended(); }
  void close() override { machine_->close(); }
  Extensions& extensions() override { return machine_->extensions; }
  Telemetry& telemetry() override { return machine_->telemetry; }

 private:
  std::shared_ptr<Machine> machine_;
};

}  // namespace

std::unique_ptr<RuntimeApi> serve_runtime_api(base::asio::any_io_executor executor, base::Fd listener, ApiParts parts) {
  auto machine = std::make_shared<Machine>(executor, std::move(parts));
  // Weak: the server is the machine's own, and each running exchange holds the machine by itself.
  auto handler = [weak = std::weak_ptr<Machine>(machine)](http::Exchange& exchange) -> Task<void> {
    auto alive = weak.lock();
    return alive ? Machine::serve(std::move(alive), exchange) : []() -> Task<void> { co_return; }();
  };
  machine->server = http::serve(std::move(executor), std::move(listener), limits(), std::move(handler));
  return std::make_unique<Served>(std::move(machine));
}

}  // namespace lambent::runtime_api
