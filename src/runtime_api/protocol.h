// The words of the Runtime API: its paths, answers and errors. Pure functions; runtime_api.cc holds the state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/http.h"
#include "runtime_api/runtime_api.h"

namespace lambent::runtime_api {

/// AWS's MaxPayloadSize: 6 MiB and 100 bytes.
constexpr std::size_t kMaxPayloadBytes = 6 * 1024 * 1024 + 100;

enum class Call { next, response, error, init_error, ping, extension, telemetry, logs, unknown, wrong_method };

struct Route {
  Call call = Call::unknown;
  /// Of `response` and `error`: the request id; of `extension`: what is wanted. A part of the path given.
  std::string_view rest;
};

Route route(std::string_view method, std::string_view path);

/// How the runtime says that it sends its response.
enum class ResponseMode { buffered, streaming, invalid };
ResponseMode response_mode(const base::http::Headers& headers);

/// 200 with the event. The payload is copied: a runtime that lost its connection may ask for the event again.
base::http::Response event_response(const Event& event);
base::http::Response accepted();
/// {"errorMessage", "errorType"} as AWS's emulator writes it.
base::http::Response refusal(int status, std::string_view type, std::string_view message);
base::http::Response invalid_request_id();
base::http::Response invalid_transition(std::string_view from, std::string_view to);
base::http::Response too_large();
base::http::Response truncated();
base::http::Response invalid_response_mode();
base::http::Response not_found();
base::http::Response wrong_method();
base::http::Response pong();

/// An error document of the platform's own, as the caller of Invoke gets it.
std::string error_document(std::string_view type, std::string_view message);

}  // namespace lambent::runtime_api
