#include "gateway/gateway.h"

#include "base/bytes.h"
#include "base/ids.h"

namespace lambent::gateway {

using base::Task;
using base::http::Exchange;
using base::http::Response;

Gateway::Gateway(Options options, std::vector<const aws::Service*> services, const auth::Authenticator& authenticator,
                 const auth::Authorizer& authorizer, const base::Clock& clock, base::Metrics& metrics,
                 base::CpuPool& cpu)
    : options_(std::move(options)),
      services_(std::move(services)),
      authenticator_(authenticator),
      authorizer_(authorizer),
      clock_(clock),
      cpu_(cpu),
      budget_(options_.body_budget_bytes),
      requests_(metrics.counter("lambent_requests_total", "API requests by service, operation and HTTP status.",
                                {"service", "operation", "status"})),
      latency_(metrics.histogram("lambent_request_seconds", "Time from a request's head to its answer.",
                                 {"service", "operation"})) {}

base::http::Server::Handler Gateway::handler(Door door) {
  return [this, door](Exchange& exchange) { return serve(exchange, door); };
}

Response Gateway::refusal(int status, std::string_view reason) {
  return aws::encode_error(aws::Protocol::rest_json, aws::Error("BadRequest", std::string(reason), status),
                           base::uuid());
}

// The credential scope names the service; without one, the request's form does: JSON services are named by their target, query
// services send a form, the rest is Lambda's REST.
const aws::Service* Gateway::choose_service(const base::http::Request& head) const {
  const auto named = auth::Authenticator::scope_service(head);
  const bool form = base::lower(head.headers.get("Content-Type")).starts_with("application/x-www-form-urlencoded");
  const auto is_meant = [&](const aws::Service& service) {
    if (named) return service.signing_name() == *named;
    if (!head.headers.get("X-Amz-Target").empty()) return service.is_target(head);
    if (form) return service.protocol() == aws::Protocol::query;
    return service.protocol() == aws::Protocol::rest_json;
  };
  for (const aws::Service* service : services_)
    if (is_meant(*service)) return service;
  throw aws::Error("NotImplementedException",
                   "This server does not offer the service '" + named.value_or("unknown") + "'", 501);
}

Task<Response> Gateway::internal(Exchange& exchange) {
  const base::http::Request& request = exchange.request();
  Response response;
  for (const InternalRoute& route : routes_) {
    if (!request.path.starts_with(route.prefix)) continue;
    const bool local = request.peer == "127.0.0.1" || request.peer == "::1" || request.peer == "::ffff:127.0.0.1";
    if (route.local_only && !local) break;
    if (request.method == "GET" || request.method == "HEAD") {
      response = co_await route.answer(request);
    } else {
      response.status = 405;
      response.headers.add("Allow", "GET, HEAD");
    }
    response.headers.add("x-amzn-RequestId", base::uuid());
    co_return response;
  }
  response.status = 404;
  response.headers.add("x-amzn-RequestId", base::uuid());
  co_return response;
}

}  // namespace lambent::gateway
