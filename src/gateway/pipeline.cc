// The way of every request, in order. Refusals are thrown as aws::Error by whichever step refuses and become an answer
// here, in `serve`, and nowhere else.
#include <fmt/format.h>

#include "auth/error_words.h"
#include "base/ids.h"
#include "base/log.h"
#include "gateway/gateway.h"

namespace lambent::gateway {

using base::Task;
using base::http::BodyStatus;
using base::http::Exchange;
using base::http::Response;

struct Gateway::Request {
  Exchange& exchange;
  Door door;
  std::string id;
  const aws::Service* service = nullptr;
  std::string operation;
  auth::Claim claim;
  BodyBudget::Share share;

  const base::http::Request& http() const { return exchange.request(); }
};

Task<Response> Gateway::run(Request& request) {
  const aws::Service& service = *(request.service = choose_service(request.http()));

  aws::Match match;
  if (!service.matches_after_body()) {
    match = service.match(request.http());
    request.operation = service.operation_name(match);
  }
  const bool verify = options_.verify_signatures || request.door == Door::function;
  if (verify) request.claim = authenticator_.check_head(request.http(), service.signing_name());

  co_await read_body(request, match);
  const aws::Caller caller = identify(request);

  if (service.matches_after_body()) {
    match = service.match(request.http());
    request.operation = service.operation_name(match);
  }
  aws::Value input = service.decode(match, request.http());

  const aws::Row& row = service.row(match);
  if (row.authorization == aws::Authorization::policy) {
    const std::string resource = row.resource(caller, input.get());
    authorizer_.require(caller, service.action(match), resource);
  }

  const aws::Value output = co_await service.call(match, caller, std::move(input));
  co_return service.encode(match, output.get(), request.id);
}

Task<void> Gateway::serve(Exchange& exchange, Door door) {
  if (door == Door::server && exchange.request().path.starts_with("/_lambent/")) {
    Response answer = co_await internal(exchange);
    co_await exchange.respond(std::move(answer));
    co_return;
  }
  const auto begin = clock_.steady();
  Request request{exchange, door, base::uuid(), nullptr, {}, {}, {}};
  Response response;
  try {
    response = co_await run(request);
  } catch (const aws::Error& error) {
    response = refuse(request, error);
  } catch (const std::exception& error) {
    base::log::error("request failed", {{"request_id", request.id}, {"operation", request.operation}, {"reason", error.what()}});
    response = refuse(request, aws::Error("ServiceException", "An internal error occurred. Please retry.", 500));
  }
  request.share = {};
  const double seconds = std::chrono::duration<double>(clock_.steady() - begin).count();
  count(request, response, seconds);
  co_await exchange.respond(std::move(response));
}

Task<void> Gateway::read_body(Request& request, const aws::Match& match) {
  const aws::Service& service = *request.service;
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
  caller.request_id = request.id;
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
