// The gateway: from an HTTP request to an AWS operation and back, the same for every service.
//
// It knows no service by name: it is handed bound operation tables. One Gateway serves every socket of the process, on
// whatever lane a connection was accepted; it is made by the composition root and outlives every server that calls it.
// pipeline.cc is the whole way of a request on one page.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/authorizer.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/cpu_pool.h"
#include "base/http_server.h"
#include "base/metrics.h"
#include "gateway/body_budget.h"

namespace lambent::gateway {

/// Where a request came in, which decides what is believed without proof.
enum class Door {
  /// The server's own sockets: signatures are checked unless the server runs with --auth=off.
  server,
  /// The API socket inside a function's sandbox: signatures are checked, always, and there is nothing but the API.
  function,
};

struct Options {
  /// False only for --auth=off: every request is the root user's of `account`.
  bool verify_signatures = true;
  /// The account of unsigned requests with --auth=off.
  std::string account;
  /// The most memory that bodies of requests being read may take together, in bytes.
  std::size_t body_budget_bytes = 512u << 20;
};

/// What lies beneath /_lambent/ and needs no signature. `local_only` paths answer loopback peers only.
struct InternalRoute {
  std::string prefix;
  bool local_only = false;
  std::function<base::Task<base::http::Response>(const base::http::Request&)> answer;
};

/// What hosts of their own answer, function URLs: signed or not, as they decide.
struct HostRoute {
  /// What the Host names; nothing for a host of the services.
  std::function<std::optional<std::string>(std::string_view host)> id_of;
  std::size_t max_body = 0;
  /// `verify` gives the caller of a signed request and throws aws::Error for one that is not; the request outlives the task.
  std::function<base::Task<aws::Answer>(const base::http::Request&, std::string id, std::string request_id,
                                        std::function<aws::Caller()> verify)>
      answer;
};

class Gateway {
 public:
  /// Everything referred to must outlive the gateway.
  Gateway(Options options, std::vector<const aws::Service*> services, const auth::Authenticator& authenticator,
          const auth::Authorizer& authorizer, const base::Clock& clock, base::Metrics& metrics, base::CpuPool& cpu);

  /// Before the first request.
  void add_route(InternalRoute route) { routes_.push_back(std::move(route)); }

  void set_host_route(HostRoute route) { host_route_ = std::move(route); }

  /// The handler for servers behind `door`.
  base::http::Server::Handler handler(Door door);
  /// What the HTTP server answers when a request cannot even be read.
  static base::http::Response refusal(int status, std::string_view reason);

 private:
  struct Request;  // one request on its way, see pipeline.cc

  base::Task<void> serve(base::http::Exchange& exchange, Door door);
  base::Task<aws::Answer> run(Request& request);
  base::Task<void> send(base::http::Exchange& exchange, const std::string& request_id, aws::Answer answer);
  base::Task<base::http::Response> internal(base::http::Exchange& exchange);

  const aws::Service* choose_service(const base::http::Request& head) const;
  base::Task<void> read_body(Request& request);
  aws::Caller identify(Request& request) const;
  /// What conditions may ask of the request itself.
  static void describe(aws::Caller& caller, const base::http::Request& request);
  // host_route.cc
  std::optional<std::string> hosted(base::http::Exchange& exchange) const;
  base::Task<void> serve_hosted(base::http::Exchange& exchange, std::string id);
  aws::Caller verified(const base::http::Request& request, std::string_view signing_name) const;
  /// identify() and decode(), off the lane when the body is large.
  base::Task<void> understand(Request& request);
  base::http::Response refuse(const Request& request, const aws::Error& error) const;
  void count(const Request& request, const base::http::Response& response, double seconds);

  Options options_;
  std::vector<const aws::Service*> services_;
  const auth::Authenticator& authenticator_;
  const auth::Authorizer& authorizer_;
  const base::Clock& clock_;
  base::CpuPool& cpu_;
  BodyBudget budget_;
  std::vector<InternalRoute> routes_;
  HostRoute host_route_;
  base::Family<base::Counter>& requests_;
  base::Family<base::Histogram>& latency_;
};

}  // namespace lambent::gateway
