#include "targets/messages.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <stdexcept>

#include "base/bytes.h"

namespace lambent::targets {
namespace {

namespace json = boost::json;
using Kind = aws::DeliveryOutcome::Kind;

base::http::Request json_call(std::string target, std::string_view version, const json::object& body) {
  base::http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", fmt::format("application/x-amz-json-{}", version));
  request.headers.add("X-Amz-Target", std::move(target));
  request.body = json::serialize(body);
  return request;
}

json::object attribute(const aws::MessageAttribute& from) {
  return {{"DataType", from.type}, {"StringValue", from.value}};
}

base::http::Request send_message(const aws::Delivery& delivery, const aws::Arn& queue, const Endpoint& endpoint) {
  json::object body{{"QueueUrl", fmt::format("{}://{}{}/{}/{}", endpoint.tls ? "https" : "http", endpoint.authority(),
                                             endpoint.path, queue.account, queue.resource)},
                    {"MessageBody", delivery.body}};
  json::object attributes;
  for (const auto& [name, value] : delivery.attributes) attributes[name] = attribute(value);
  if (!attributes.empty()) body["MessageAttributes"] = std::move(attributes);
  if (!delivery.trace_header.empty())
    body["MessageSystemAttributes"] = json::object{{"AWSTraceHeader", attribute({"String", delivery.trace_header})}};
  return json_call("AmazonSQS.SendMessage", "1.0", body);
}

base::http::Request publish(const aws::Delivery& delivery, const aws::Arn& topic) {
  base::http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  std::string& form = request.body;
  form = "Action=Publish&Version=2010-03-31&TopicArn=" + base::percent_encode(topic.text()) +
         "&Message=" + base::percent_encode(delivery.body);
  int number = 0;
  for (const auto& [name, value] : delivery.attributes) {
    const std::string entry = fmt::format("&MessageAttributes.entry.{}.", ++number);
    form += entry + "Name=" + base::percent_encode(name);
    form += entry + "Value.DataType=" + base::percent_encode(value.type);
    form += entry + "Value.StringValue=" + base::percent_encode(value.value);
  }
  if (!delivery.trace_header.empty()) request.headers.add("X-Amzn-Trace-Id", delivery.trace_header);
  return request;
}

base::http::Request put_events(const aws::Delivery& delivery, const aws::Arn& bus) {
  json::object entry{{"Source", delivery.source},
                     {"DetailType", delivery.detail_type},
                     {"Detail", delivery.body},
                     {"Resources", json::array{bus.text(), delivery.resource}},
                     {"EventBusName", bus.text()}};
  if (!delivery.trace_header.empty()) entry["TraceHeader"] = delivery.trace_header;
  return json_call("AWSEvents.PutEvents", "1.1", {{"Entries", json::array{std::move(entry)}}});
}

base::http::Request put_object(const aws::Delivery& delivery, const aws::Arn& bucket) {
  base::http::Request request;
  request.method = "PUT";
  request.path = "/" + base::percent_encode(bucket.resource) + "/" + base::percent_encode(delivery.key, true);
  request.headers.add("Content-Type", "application/json");
  request.body = delivery.body;
  return request;
}

/// The error's code and words out of an answer in JSON or XML, for the log: at most its beginning.
std::string reason_of(const base::http::Response& response) {
  constexpr std::size_t kShown = 300;
  std::string text = response.body.substr(0, kShown);
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return fmt::format("{} {}", response.status, text);
}

/// PutEvents answers 200 and names the entries that it did not take.
bool entry_failed(const base::http::Response& response) {
  boost::system::error_code error;
  const json::value answer = json::parse(response.body, error);
  if (error || !answer.is_object()) return false;
  const auto* failed = answer.as_object().if_contains("FailedEntryCount");
  return failed != nullptr && failed->is_int64() && failed->as_int64() > 0;
}

}  // namespace

std::optional<std::string> action_of(std::string_view service) {
  if (service == "sqs") return "sqs:SendMessage";
  if (service == "sns") return "sns:Publish";
  if (service == "events") return "events:PutEvents";
  if (service == "s3") return "s3:PutObject";
  if (service == "lambda") return "lambda:InvokeFunction";
  return std::nullopt;
}

base::http::Request message_of(const aws::Delivery& delivery, const aws::Arn& target, const Endpoint& endpoint) {
  base::http::Request request;
  if (target.service == "sqs")
    request = send_message(delivery, target, endpoint);
  else if (target.service == "sns")
    request = publish(delivery, target);
  else if (target.service == "events")
    request = put_events(delivery, target);
  else if (target.service == "s3")
    request = put_object(delivery, target);
  else
    throw std::invalid_argument("no messages go to " + target.service);
  if (request.path.empty()) request.path = "/";
  request.path = endpoint.path + request.path;
  request.headers.add("Host", endpoint.authority());
  return request;
}

aws::DeliveryOutcome outcome_of(std::string_view service, const base::http::Response& response) {
  const int status = response.status;
  if (status >= 200 && status < 300) {
    if (service == "events" && entry_failed(response)) return {Kind::unavailable, reason_of(response)};
    return {Kind::delivered, ""};
  }
  // Throttled under whatever code: AWS's older services answer 400 for it.
  const bool throttled = status == 429 || response.body.find("Throttl") != std::string::npos;
  if (status >= 500 || status == 408 || throttled) return {Kind::unavailable, reason_of(response)};
  return {Kind::refused, reason_of(response)};
}

}  // namespace lambent::targets
