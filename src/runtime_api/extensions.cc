#include "runtime_api/extensions.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "base/ids.h"
#include "runtime_api/protocol.h"
#include "runtime_api/signal.h"

namespace lambent::runtime_api {

namespace http = base::http;
namespace json = boost::json;
using base::Task;

namespace {

constexpr std::size_t kMaxBody = 256 * 1024;
constexpr std::string_view kIdentifier = "Lambda-Extension-Identifier";
constexpr std::string_view kErrorType = "Lambda-Extension-Function-Error-Type";
constexpr std::size_t kLongestErrorType = 1024;

http::Response invalid_state(std::string_view from, std::string_view to, std::string_view who) {
  return refusal(403, "Extension.InvalidExtensionState",
                 "State transition from " + std::string(from) + " to " + std::string(to) + " failed for extension " +
                     std::string(who) + ". Error: State transition is not allowed");
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

/// The events that a registration asks for, or why it cannot be read.
struct Registration {
  std::vector<std::string> events;
  std::string malformed;
};

Registration read_registration(const std::string& body) {
  Registration found;
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error || !document.is_object()) {
    found.malformed = error ? "the body is not JSON: " + error.message() : "the body is not a JSON object";
    return found;
  }
  const auto* keys = document.as_object().if_contains("configurationKeys");
  if (keys != nullptr && keys->is_array() && !keys->as_array().empty())
    found.malformed = "configurationKeys are deprecated; use environment variables instead";
  const auto* events = document.as_object().if_contains("events");
  if (events == nullptr || events->is_null()) return found;
  if (!events->is_array()) found.malformed = "events is not a list";
  if (!found.malformed.empty()) return found;
  for (const json::value& event : events->as_array()) {
    if (!event.is_string())
      found.malformed = "events is not a list of strings";
    else
      found.events.emplace_back(std::string_view(event.as_string()));
  }
  return found;
}

}  // namespace

struct Extensions::Extension {
  enum class State { started, registered, ready, running, init_error, exit_error, exited, launch_error };

  std::string name;
  std::string identifier;
  bool external = false;
  std::vector<std::string> events = {};
  State state = State::started;
  std::string error_type = {};
  /// What its /next is answered with.
  std::string pending = {};
  Signal event_came = {};
  http::Exchange* waiting = nullptr;
  /// Nobody answers its requests any more.
  bool gone = false;

  bool wants(std::string_view event) const { return std::ranges::find(events, event) != events.end(); }
  bool over() const {
    return state == State::init_error || state == State::exit_error || state == State::exited ||
           state == State::launch_error;
  }
  std::string_view state_name() const {
    switch (state) {
      case State::started:
        return "Started";
      case State::registered:
        return "Registered";
      case State::ready:
        return "Ready";
      case State::running:
        return "Running";
      case State::init_error:
        return "InitError";
      case State::exit_error:
        return "ExitError";
      case State::exited:
        return "Exited";
      case State::launch_error:
        return "LaunchError";
    }
    return "";
  }
};

Extensions::Extensions(FunctionFacts facts, std::function<void()> changed)
    : facts_(std::move(facts)), changed_(std::move(changed)) {}

Extensions::~Extensions() = default;

void Extensions::start(std::vector<std::string> external) {
  stop();
  all_.clear();
  failure_.reset();
  open_ = true;
  shutting_down_ = false;
  for (std::string& name : external) {
    auto made = std::make_shared<Extension>();
    made->name = std::move(name);
    made->identifier = base::uuid();
    made->external = true;
    all_.push_back(std::move(made));
  }
}

void Extensions::stop() {
  for (const Held& extension : all_) {
    extension->gone = true;
    extension->event_came.notify();
  }
}

Extensions::Held Extensions::find(std::string_view identifier) const {
  const auto found = std::ranges::find_if(all_, [&](const Held& each) {
    return each->identifier == identifier && each->state != Extension::State::started;
  });
  return found == all_.end() ? nullptr : *found;
}

std::optional<std::string> Extensions::name_of(std::string_view identifier) const {
  const Held found = find(identifier);
  if (!found) return std::nullopt;
  return found->name;
}

bool Extensions::any_external() const {
  return std::ranges::any_of(all_, [](const Held& each) { return each->external; });
}

bool Extensions::any_internal() const {
  return std::ranges::any_of(all_, [](const Held& each) { return !each->external; });
}

bool Extensions::all_ready() const {
  return std::ranges::all_of(all_, [](const Held& each) { return each->state == Extension::State::ready; });
}

bool Extensions::all_gone() const {
  return std::ranges::none_of(
      all_, [](const Held& each) { return each->external && !each->over() && each->wants("SHUTDOWN"); });
}

std::vector<ExtensionReport> Extensions::reports() const {
  std::vector<ExtensionReport> reports;
  for (const Held& each : all_)
    reports.push_back({each->name, std::string(each->state_name()), each->events, each->error_type});
  return reports;
}

Task<void> Extensions::serve(http::Exchange& exchange, std::string_view action) {
  http::Response answer;
  if (action == "register") co_return co_await enroll(exchange);
  const std::string_view identifier = exchange.request().headers.get(kIdentifier);
  const Held extension = find(identifier);
  if (identifier.empty()) {
    answer = refusal(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header");
  } else if (!extension) {
    answer = is_uuid(identifier)
                 ? refusal(403, "Extension.UnknownExtensionIdentifier", "Unknown extension " + std::string(identifier))
                 : refusal(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier");
  } else if (action == "event/next") {
    co_return co_await next(exchange, extension);
  } else {
    const auto read = co_await exchange.read_body(kMaxBody);
    if (read == http::BodyStatus::disconnected || read == http::BodyStatus::timed_out) co_return;
    answer = report_error(exchange, *extension, action == "init/error");
  }
  co_await exchange.respond(std::move(answer));
}

std::optional<http::Response> Extensions::refusal_to_register(std::string_view name,
                                                              const std::vector<std::string>& events) {
  const auto known = std::ranges::find_if(all_, [&](const Held& each) { return each->name == name; });
  const bool external = known != all_.end() && (*known)->external;
  for (const std::string& event : events) {
    const bool fine = event == "INVOKE" || (event == "SHUTDOWN" && external);
    if (event == "SHUTDOWN" && !external)
      return refusal(403, "Extension.InvalidEventType", "SHUTDOWN: event not supported for internal extensions");
    if (!fine) return refusal(403, "Extension.InvalidEventType", event + ": invalid event");
  }
  if (external) {
    if ((*known)->state == Extension::State::started) return std::nullopt;
    return invalid_state((*known)->state_name(), "Registered", name);
  }
  if (!open_) return refusal(403, "Extension.RegistrationClosed", "Extension registration closed already");
  if (all_.size() >= kMost)
    return refusal(403, "Extension.TooManyExtensions", "Extension limit (" + std::to_string(kMost) + ") reached");
  if (known != all_.end())
    return refusal(403, "Extension.InvalidExtensionState", "Extension with this name already registered");
  return std::nullopt;
}

Task<void> Extensions::enroll(http::Exchange& exchange) {
  const auto read = co_await exchange.read_body(kMaxBody);
  if (read == http::BodyStatus::disconnected || read == http::BodyStatus::timed_out) co_return;
  const http::Request& request = exchange.request();
  const std::string name(request.headers.get("Lambda-Extension-Name"));
  const Registration wanted = read_registration(request.body);
  std::optional<http::Response> refused;
  if (name.empty())
    refused = refusal(403, "Extension.InvalidExtensionName", "Empty extension name");
  else if (name.size() > 255)
    refused = refusal(403, "Extension.InvalidExtensionName", "Extension name is too long");
  else if (!wanted.malformed.empty())
    refused = refusal(403, "InvalidRequestFormat", wanted.malformed);
  else
    refused = refusal_to_register(name, wanted.events);
  if (refused) {
    co_await exchange.respond(std::move(*refused));
    co_return;
  }
  auto place = std::ranges::find_if(all_, [&](const Held& each) { return each->name == name; });
  if (place == all_.end()) {
    auto made = std::make_shared<Extension>();
    made->name = name;
    made->identifier = base::uuid();
    place = all_.insert(all_.end(), std::move(made));
  }
  Extension& extension = **place;
  extension.state = Extension::State::registered;
  extension.events = wanted.events;
  json::object facts{{"functionName", facts_.name}, {"functionVersion", facts_.version}, {"handler", facts_.handler}};
  if (request.headers.get("Lambda-Extension-Accept-Feature").find("accountId") != std::string_view::npos)
    facts["accountId"] = facts_.account;
  http::Response answer;
  answer.headers.add("Content-Type", "application/json");
  answer.headers.add(std::string(kIdentifier), extension.identifier);
  answer.body = json::serialize(facts);
  changed_();
  co_await exchange.respond(std::move(answer));
}

Task<void> Extensions::next(http::Exchange& exchange, Held extension) {
  if (extension->over()) {
    http::Response refused = invalid_state(extension->state_name(), "Ready", extension->identifier);
    co_await exchange.respond(std::move(refused));
    co_return;
  }
  extension->state = Extension::State::ready;
  // A client that gave up on its connection asks on a new one.
  extension->waiting = &exchange;
  extension->event_came.notify();
  changed_();
  while (extension->pending.empty() && extension->waiting == &exchange && !extension->gone)
    co_await extension->event_came.wait();
  if (extension->gone) co_return;
  if (extension->waiting != &exchange) {
    exchange.close_after();
    http::Response superseded = invalid_state("Ready", "Ready", extension->identifier);
    co_await exchange.respond(std::move(superseded));
    co_return;
  }
  extension->waiting = nullptr;
  http::Response answer;
  answer.headers.add("Content-Type", "application/json");
  answer.headers.add("Lambda-Extension-Event-Identifier", base::uuid());
  answer.body = std::exchange(extension->pending, {});
  extension->state = Extension::State::running;
  co_await exchange.respond(std::move(answer));
}

http::Response Extensions::report_error(http::Exchange& exchange, Extension& extension, bool init) {
  const std::string_view type = exchange.request().headers.get(kErrorType);
  const std::string_view wanted = init ? "InitError" : "ExitError";
  if (type.empty()) return refusal(403, "Extension.MissingHeader", std::string(kErrorType) + " not found");
  const bool allowed = init ? extension.state == Extension::State::registered : !extension.over();
  if (!allowed) return invalid_state(extension.state_name(), wanted, extension.identifier);
  extension.state = init ? Extension::State::init_error : Extension::State::exit_error;
  extension.error_type = type.substr(0, kLongestErrorType);
  // An external one says more with its exit status, which follows; an internal one has no process of its own.
  if (!extension.external && !failure_ && !shutting_down_)
    failure_ = ExtensionFailure{"Extension." + std::string(wanted), extension.error_type};
  changed_();
  return accepted();
}

void Extensions::invoke(const Event& event) {
  const json::object document{{"eventType", "INVOKE"},
                              {"deadlineMs", event.deadline_ms},
                              {"requestId", event.request_id},
                              {"invokedFunctionArn", event.invoked_function_arn},
                              {"tracing", json::object{{"type", "X-Amzn-Trace-Id"}, {"value", event.trace_id}}}};
  for (const Held& each : all_) {
    if (!each->wants("INVOKE") || each->over()) continue;
    each->pending = json::serialize(document);
    // It works on the event from now on, whether or not it has been woken yet.
    if (each->state == Extension::State::ready) each->state = Extension::State::running;
    each->event_came.notify();
  }
}

void Extensions::shut_down(std::string_view reason, std::int64_t deadline_ms) {
  shutting_down_ = true;
  const json::object document{{"eventType", "SHUTDOWN"}, {"shutdownReason", reason}, {"deadlineMs", deadline_ms}};
  for (const Held& each : all_) {
    if (!each->wants("SHUTDOWN") || each->over()) continue;
    each->pending = json::serialize(document);
    each->event_came.notify();
  }
}

void Extensions::ended(std::size_t index, int status, std::string reason) {
  if (index >= all_.size() || !all_[index]->external) return;
  Extension& extension = *all_[index];
  std::string type = "Extension.Crash";
  if (extension.state == Extension::State::init_error) {
    type = "Extension.InitError";
  } else if (extension.state == Extension::State::exit_error) {
    type = "Extension.ExitError";
  } else if (extension.state == Extension::State::started && (status == kCannotExecute || status == kNotFound)) {
    type = extension.error_type = "Extension.LaunchError";
    extension.state = Extension::State::launch_error;
  } else {
    extension.state = Extension::State::exited;
  }
  if (!failure_ && !shutting_down_) failure_ = ExtensionFailure{std::move(type), std::move(reason)};
  extension.gone = true;
  extension.event_came.notify();
  changed_();
}

}  // namespace lambent::runtime_api
