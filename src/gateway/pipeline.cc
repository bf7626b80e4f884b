// The way of every request, in order. Refusals are thrown as aws::Error by whichever step refuses and become an answer
// here, in `serve`, and nowhere else.
#include <fmt/format.h>

#include "auth/error_words.h"
#include "auth/sigv4.h"
#include "base/ids.h"
#include "base/log.h"
#include "gateway/gateway.h"

namespace lambent::gateway {

using base::Task;
using base::http::BodyStatus;
using base::http::Exchange;
using base::http::Response;

namespace {

/// Hashing and decoding more than this takes longer than a hop to another thread and back.
constexpr std::size_t kLargeBody = 256 * 1024;

}  // namespace

struct Gateway::Request {
  Exchange& exchange;
  Door door;
  std::string id;
  const aws::Service* service = nullptr;
  aws::Match match;
  std::string operation;
  auth::Claim claim;
  BodyBudget::Share share;
  aws::Caller caller;
  aws::Value input;

  const base::http::Request& http() const { return exchange.request(); }

  void find_operation() {
    match = service->match(http());
    operation = service->operation_name(match);
  }
};

Task<aws::Answer> Gateway::run(Request& request) {
  const aws::Service& service = *(request.service = choose_service(request.http()));
  // The operation is looked for in the path that the signature covers, which outside S3 is the normalised one.
  if (service.protocol() != aws::Protocol::rest_xml)
    request.exchange.request().path = auth::sigv4::normalised_path(request.http().path);

  if (!service.matches_after_body()) request.find_operation();
  if (options_.verify_signatures || request.door == Door::function)
    request.claim = authenticator_.check_head(request.http(), service.signing_name());

  co_await read_body(request);
  co_await understand(request);

  const aws::Row& row = service.row(request.match);
  if (row.authorization == aws::Authorization::policy) {
    const std::string resource = row.resource(request.caller, request.input.get());
    const std::string action = service.action(request.match);
    const std::string policy = row.policy ? row.policy(request.caller, request.input.get()) : std::string();
    auto keys = row.keys ? row.keys(request.caller, request.input.get()) : aws::ConditionKeys();
    authorizer_.require(request.caller,
                        {.action = action, .resource = resource, .policy = policy, .context = std::move(keys)});
  }

  const aws::Value output = co_await service.call(request.match, request.caller, std::move(request.input));
  aws::Answer answer;
  answer.response = service.encode(request.match, output.get(), request.id);
  answer.body = service.body_stream(request.match, output.get());
  co_return answer;
}

/// A body that has no proper end leaves the answer unended, which closes the connection: the client sees that it is not whole.
Task<void> Gateway::send(Exchange& exchange, const std::string& request_id, aws::Answer answer) {
  if (!answer.body) {
    co_await exchange.respond(std::move(answer.response));
    co_return;
  }
  try {
    bool heard = co_await exchange.begin_response(std::move(answer.response));
    while (heard) {
      const auto part = co_await answer.body->next();
      if (!part) break;
      heard = co_await exchange.write_part(*part);
    }
    if (heard) co_await exchange.end_response();
  } catch (const std::exception& error) {
    base::log::warn("a streamed answer ended early", {{"request_id", request_id}, {"reason", error.what()}});
  }
}

Task<void> Gateway::understand(Request& request) {
  auto work = [this, &request] {
    request.caller = identify(request);
    if (request.service->matches_after_body()) request.find_operation();
    request.input = request.service->decode(request.match, request.http());
    return true;
  };
  if (request.http().body.size() < kLargeBody)
    work();
  else
    co_await cpu_.run(work);
}

Task<void> Gateway::serve(Exchange& exchange, Door door) {
  if (door == Door::server) {
    if (auto id = hosted(exchange)) {
      auto task = serve_hosted(exchange, std::move(*id));
      co_return co_await std::move(task);
    }
  }
  if (door == Door::server && exchange.request().path.starts_with("/_lambent/")) {
    Response answer = co_await internal(exchange);
    co_await exchange.respond(std::move(answer));
    co_return;
  }
  const auto begin = clock_.steady();
  Request request{exchange, door, base::uuid()};
  aws::Answer answer;
  try {
    answer = co_await run(request);
  } catch (const aws::Error& error) {
    answer.response = refuse(request, error);
  } catch (const std::exception& error) {
    base::log::error("request failed",
                     {{"request_id", request.id}, {"operation", request.operation}, {"reason", error.what()}});
    answer.response = refuse(request, aws::Error("ServiceException", "An internal error occurred. Please retry.", 500));
  }
  request.share = {};
  const double seconds = std::chrono::duration<double>(clock_.steady() - begin).count();
  count(request, answer.response, seconds);
  auto sent = send(exchange, request.id, std::move(answer));
  co_await std::move(sent);
}

Task<void> Gateway::read_body(Request& request) {
  const aws::Service& service = *request.service;
  const aws::Match& match = request.match;
  const bool matched = match.operation != nullptr;
  const std::size_t limit = matched ? service.max_body(match) : service.max_body_before_match();
  const auto too_large = [&] {
    return matched ? service.too_large(match) : aws::Error("RequestEntityTooLarge", "Request body is too large", 413);
  };
  const auto declared = request.exchange.declared_length();
  if (declared && *declared > limit) throw too_large();
  request.share = budget_.take(static_cast<std::size_t>(declared.value_or(limit)));
  if (!request.share) throw aws::Error("ServiceUnavailableException", "The server is busy. Please retry.", 503);
  const BodyStatus status = co_await request.exchange.read_body(limit);
  if (status == BodyStatus::too_large) throw too_large();
  if (status != BodyStatus::complete)
    throw aws::Error("BadRequest", "The request's body could not be read", status == BodyStatus::timed_out ? 408 : 400);
}

void Gateway::describe(aws::Caller& caller, const base::http::Request& request) {
  caller.source_ip = request.peer;
  caller.user_agent = request.headers.get("User-Agent");
  caller.referer = request.headers.get("Referer");
  caller.over_tls = request.tls;
}

aws::Caller Gateway::identify(Request& request) const {
  aws::Caller caller;
  if (options_.verify_signatures || request.door == Door::function) {
    caller = authenticator_.verify(request.claim, request.http());
  } else {
    caller.account = options_.account;
    caller.region = auth::Authenticator::scope_region(request.http()).value_or("us-east-1");
    caller.arn = caller.identity_arn = "arn:aws:iam::" + options_.account + ":root";
    caller.user_id = options_.account;
  }
  describe(caller, request.http());
  caller.request_id = request.id;
  caller.trace_header = request.http().headers.get("X-Amzn-Trace-Id");
  caller.endpoint = fmt::format("{}://{}", request.http().tls ? "https" : "http", request.http().headers.get("Host"));
  return caller;
}

Response Gateway::refuse(const Request& request, const aws::Error& error) const {
  if (request.service == nullptr) return aws::encode_error(aws::Protocol::rest_json, error, request.id);
  if (request.service->protocol() == aws::Protocol::query)
    return request.service->encode_error(auth::in_query_words(error), request.id);
  return request.service->encode_error(error, request.id);
}

void Gateway::count(const Request& request, const Response& response, double seconds) {
  const std::string service(request.service != nullptr ? request.service->name() : "none");
  const std::string operation = request.operation.empty() ? "none" : request.operation;
  requests_.at({service, operation, std::to_string(response.status)}).add();
  latency_.at({service, operation}).observe(seconds);
  if (!base::log::enabled(base::log::Level::debug)) return;
  base::log::debug("request", {{"request_id", request.id},
                               {"service", service},
                               {"operation", operation},
                               {"status", response.status},
                               {"access_key", request.claim.access_key_id},
                               {"seconds", seconds}});
}

}  // namespace lambent::gateway
