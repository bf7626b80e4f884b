#include "invoke/async/ending.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <stdexcept>

#include "aws/arn.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "invoke/async/schedule.h"

namespace lambent::invoke {
namespace {

namespace json = boost::json;

/// "ErrorMessage: the first 1 KB of the error message" (Dead-letter queues, Developer Guide).
constexpr std::size_t kDeadLetterMessage = 1024;
/// As deep as Invoke takes an event.
constexpr std::size_t kMaxDepth = 1000;
constexpr std::string_view kFunctionError = "200";
constexpr std::string_view kThrottled = "429";

std::string json_text(std::string_view text) { return json::serialize(json::string(text)); }

std::string time_text(std::int64_t ms, std::string_view form) {
  const auto seconds = fmt::gmtime(static_cast<std::time_t>(ms / 1000));
  return fmt::format(fmt::runtime(form), seconds);
}

bool is_json(const std::string& text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  json::parse(text, error, {}, options);
  return !error;
}

/// As it is when it is JSON; a function may answer anything, and a record must stay JSON.
std::string as_json(const std::string& payload) {
  if (is_json(payload)) return payload;
  return base::is_utf8(payload) ? json_text(payload) : json_text(base::base64(payload));
}

/// What the function called its error.
std::string error_message(const Ending::Run& run) {
  boost::system::error_code error;
  const json::value document = json::parse(run.payload, error);
  if (error || !document.is_object()) return {};
  const auto* message = document.as_object().if_contains("errorMessage");
  if (message == nullptr || !message->is_string()) return {};
  std::string text(std::string_view(message->as_string()));
  if (text.size() <= kDeadLetterMessage) return text;
  text.resize(kDeadLetterMessage);
  // Not in the middle of a character.
  while (!text.empty() && !base::is_utf8(text)) text.pop_back();
  return text;
}

void make_dead_letter(const store::AsyncEvent& event, const Ending& ending, aws::Delivery& delivery) {
  delivery.body = event.payload;
  std::string message = ending.run ? error_message(*ending.run) : "Rate Exceeded.";
  delivery.attributes["RequestID"] = {"String", event.request_id};
  delivery.attributes["ErrorCode"] = {"Number", std::string(ending.run ? kFunctionError : kThrottled)};
  // Neither SQS nor SNS takes an empty attribute.
  if (!message.empty()) delivery.attributes["ErrorMessage"] = {"String", std::move(message)};
}

/// aws/lambda/async/NAME/2026/01/31/2026-01-31T12.34.56-UUID, as the Developer Guide names S3 destinations' objects.
std::string object_key(const store::AsyncEvent& event, const Ending& ending) {
  return fmt::format("aws/lambda/async/{}/{}/{}-{}", event.function.name, time_text(ending.ended_ms, "{:%Y/%m/%d}"),
                     time_text(ending.ended_ms, "{:%Y-%m-%dT%H.%M.%S}"), base::uuid());
}

}  // namespace

std::string Ending::text() const {
  json::object out{{"condition", condition},
                   {"invoke_count", invoke_count},
                   {"ended_ms", ended_ms},
                   {"function_arn", function_arn},
                   {"role_arn", role_arn}};
  if (run)
    // In base64: what a function answers need not be text.
    out["run"] = json::object{{"executed_version", run->executed_version},
                              {"function_error", run->function_error},
                              {"payload", base::base64(run->payload)},
                              {"trace_header", run->trace_header}};
  json::array targets;
  for (const Notice& notice : notices)
    targets.push_back(json::object{{"dead_letter", notice.dead_letter}, {"target_arn", notice.target_arn}});
  out["notices"] = std::move(targets);
  return json::serialize(out);
}

Ending Ending::parse(const std::string& text) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  if (error || !document.is_object()) throw std::runtime_error("the ending of an event is not readable");
  const auto string_of = [](const json::value& value) { return std::string(std::string_view(value.as_string())); };
  Ending ending;
  ending.condition = string_of(document.at("condition"));
  ending.invoke_count = document.at("invoke_count").to_number<std::int32_t>();
  ending.ended_ms = document.at("ended_ms").to_number<std::int64_t>();
  ending.function_arn = string_of(document.at("function_arn"));
  ending.role_arn = string_of(document.at("role_arn"));
  if (const auto* run = document.as_object().if_contains("run"))
    ending.run = Run{string_of(run->at("executed_version")), string_of(run->at("function_error")),
                     base::unbase64(string_of(run->at("payload"))).value_or(""), string_of(run->at("trace_header"))};
  for (const json::value& notice : document.at("notices").as_array())
    ending.notices.push_back({notice.at("dead_letter").as_bool(), string_of(notice.at("target_arn"))});
  return ending;
}

std::string record_of(const store::AsyncEvent& event, const Ending& ending) {
  std::string record = fmt::format(
      R"({{"version":"1.0","timestamp":"{}.{:03d}Z","requestContext":{{"requestId":{},"functionArn":{},"condition":{},"approximateInvokeCount":{}}},"requestPayload":{})",
      time_text(ending.ended_ms, "{:%Y-%m-%dT%H:%M:%S}"), ending.ended_ms % 1000, json_text(event.request_id),
      json_text(ending.function_arn), json_text(ending.condition), ending.invoke_count, as_json(event.payload));
  if (ending.run) {
    record += fmt::format(R"(,"responseContext":{{"statusCode":200,"executedVersion":{})",
                          json_text(ending.run->executed_version));
    if (!ending.run->function_error.empty())
      record += fmt::format(R"(,"functionError":{})", json_text(ending.run->function_error));
    record += fmt::format(R"(}},"responsePayload":{})", as_json(ending.run->payload));
  }
  record += '}';
  return record;
}

aws::Delivery delivery_of(const store::AsyncEvent& event, const Ending& ending, const Ending::Notice& notice) {
  aws::Delivery delivery;
  delivery.sender = {ending.role_arn, ending.function_arn, event.function.account, event.function.region};
  delivery.target_arn = notice.target_arn;
  delivery.trace_header =
      ending.run && !ending.run->trace_header.empty() ? ending.run->trace_header : event.trace_header;
  if (notice.dead_letter) {
    make_dead_letter(event, ending, delivery);
    return delivery;
  }
  delivery.body = record_of(event, ending);
  delivery.source = "lambda";
  delivery.detail_type =
      fmt::format("Lambda Function Invocation Result - {}", ending.condition == kSuccess ? "Success" : "Failure");
  delivery.resource = ending.function_arn;
  delivery.key = object_key(event, ending);
  return delivery;
}

}  // namespace lambent::invoke
