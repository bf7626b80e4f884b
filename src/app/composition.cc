#include "app/composition.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <iostream>

#include "app/commands.h"
#include "app/master_key.h"
#include "app/resource_tags.h"
#include "app/zones.h"
#include "auth/policy.h"
#include "aws/coverage.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "runtimes/bootstraps.h"
#include "services/lambda/function_url.h"
#include "store/migrations.h"
#include "store/sealing.h"

namespace lambent::app {

namespace asio = base::asio;
namespace http = base::http;
using base::Task;

namespace {

/// Longer than an environment may live, so that no function ever holds credentials that have run out.
constexpr std::int64_t kRoleSession_s = 6 * 3600;

/// The root key given in the environment, which is forgotten at once.
std::optional<store::AccessKey> given_root_key(const std::string& account) {
  const char* id = std::getenv("LAMBENT_ROOT_ACCESS_KEY_ID");
  const char* secret = std::getenv("LAMBENT_ROOT_SECRET_ACCESS_KEY");
  if (id == nullptr && secret == nullptr) return std::nullopt;
  store::AccessKey key;
  key.id = id != nullptr ? id : "";
  key.secret = secret != nullptr ? secret : "";
  key.account = account;
  unsetenv("LAMBENT_ROOT_ACCESS_KEY_ID");
  unsetenv("LAMBENT_ROOT_SECRET_ACCESS_KEY");
  const auto is_id_char = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (key.id.size() < 16 || key.id.size() > 128 || !std::ranges::all_of(key.id, is_id_char))
    throw std::invalid_argument("LAMBENT_ROOT_ACCESS_KEY_ID wants 16 to 128 characters of A-Z and 0-9");
  if (key.secret.size() < 16 || key.secret.size() > 128)
    throw std::invalid_argument("LAMBENT_ROOT_SECRET_ACCESS_KEY wants 16 to 128 characters");
  return key;
}

store::Vault noted(const DataDirectory& data, store::Vault vault) {
  note_master_key(data, vault);
  return vault;
}

/// The database, once all its secrets rest under the keys of today. That it came to that is noted beside it: whoever can write the
/// database could take its own mark away.
store::Database& sealed(const DataDirectory& data, store::Database& database) {
  const std::filesystem::path note = data.root() / "keys" / "everything-is-sealed";
  const bool noted = std::filesystem::exists(note);
  const std::size_t records = store::seal_records(database, noted);
  if (records > 0) base::log::info("secrets were sealed anew", {{"records", records}});
  if (!noted) data.write_secret(note, "Without this file a database is taken whose secrets are not sealed.\n");
  return database;
}

http::Response json_response(std::string body) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace

void require_isolation(const std::vector<sandbox::LauncherProcess>& launchers) {
  for (const sandbox::LauncherProcess& launcher : launchers)
    if (launcher.isolation.level == sandbox::Isolation::none)
      throw std::runtime_error("functions cannot be isolated here: " + launcher.isolation.reason);
}

std::filesystem::path roots_of(const ServeOptions& options, const DataDirectory& data) {
  return options.runtimes_dir.empty() ? data.roots() : std::filesystem::absolute(options.runtimes_dir);
}

Composition::Composition(const ServeOptions& options, const DataDirectory& data, Privileged privileged)
    : options_(options),
      lanes_(options.lanes),
      cpu_(2),
      catalog_("/", roots_of(options, data)),
      vault_(noted(data, std::move(privileged.vault))),
      database_(data.database(), store::migrations(), data.commit_mark(), vault_),
      identities_(sealed(data, database_)),
      code_(data.code()),
      functions_(database_, [this](std::string_view hash) { return code_.pin(hash); }),
      layers_(database_, [this](std::string_view hash) { return code_.pin(hash); }),
      urls_(database_, functions_),
      mappings_(database_),
      root_key_(identities_.ensure_root_key(options.account, given_root_key(options.account), clock_.now_ms())),
      tokens_(data.key("session-tokens", vault_), clock_),
      authenticator_(identities_, tokens_, clock_),
      authorizer_(identities_, clock_, [this](std::string_view arn) { return tags_of(arn); }),
      log_services_({data.logs(), database_, identities_, authorizer_, clock_, cpu_, metrics_, options.auth != "off",
                     options.print_function_logs}),
      code_services_({options, database_, functions_, identities_, tokens_, clock_, metrics_}),
      code_url_(data.key("code-urls", vault_), clock_),
      iam_(identities_, clock_),
      sts_(identities_, authorizer_, tokens_),
      listeners_(std::move(privileged.listeners)),
      roots_in_use_(std::move(privileged.roots_in_use)),
      runtimes_(data.runtimes()) {
  runtimes::write_bootstraps(runtimes_);
  take_reports(privileged.launchers);
  invoke::EngineOptions engine;
  engine.idle_time = std::chrono::seconds(options.idle_s);
  engine.spare_memory_mib = options.spare_memory_mib;
  engine.keep_free_mib = options.keep_free_mib;
  engine_ = invoke::make_engine(engine, engine_parts(std::move(privileged.launchers)));
  async_ = std::make_unique<AsyncServices>(AsyncServicesParts{options, lanes_, database_, functions_, identities_,
                                                              tokens_, authorizer_, clock_, metrics_, *engine_});
  lambda_ = std::make_unique<lambda::Lambda>(lambda_parts());
  services_.push_back(lambda::lambda_service(*lambda_));
  services_.push_back(iam::iam_service(iam_));
  services_.push_back(sts::sts_service(sts_));
  services_.push_back(log_services_.service());

  std::vector<const aws::Service*> served;
  for (const aws::Service& service : services_) served.push_back(&service);
  gateway::Options gateway;
  gateway.verify_signatures = options.auth != "off";
  gateway.account = options.account;
  gateway_ = std::make_unique<gateway::Gateway>(gateway, std::move(served), authenticator_, authorizer_, clock_,
                                                metrics_, cpu_);
  add_routes();
  serve_function_urls();
  if (!options.tls_cert.empty()) certificate_ = std::make_unique<Certificate>(options.tls_cert, options.tls_key);
}

Composition::~Composition() {
  lanes_.stop();
  if (looking_.joinable()) looking_.join();
  // Commands still queued publish into repositories that end before the database does.
  database_.flush();
}

void Composition::take_reports(std::vector<sandbox::LauncherProcess>& launchers) {
  if (launchers.back().isolation.level == sandbox::Isolation::none) sandbox::await_launcher(launchers.back());
  require_isolation(launchers);
  isolation_ = launchers.front().isolation;
  for (const sandbox::LauncherProcess& launcher : launchers) networks_.push_back(launcher.network);
}

auth::Tags Composition::tags_of(std::string_view arn) const {
  return resource_tags({functions_, mappings_, code_services_.configs(), log_services_.groups()}, arn);
}

invoke::RoleCredentials Composition::role_credentials(const store::FunctionVersion& function) const {
  const auto role = identities_.role_by_arn(function.role);
  if (!role || !authorizer_.service_may_assume("lambda.amazonaws.com", *role, function.key.arn()))
    throw aws::Error("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", 403);
  const auto session = tokens_.issue(function.key.account, function.role, role->id, function.key.name, kRoleSession_s,
                                     function.key.arn());
  return {session.access_key_id, session.secret_access_key, session.session_token};
}

lambda::Surroundings Composition::surroundings() const {
  lambda::Surroundings out;
  out.knows_key = [this](std::string_view arn) { return vault_.knows(arn); };
  Zones zones = parse_zones(options_);
  out.subnets = std::move(zones.vpc_of_subnet);
  out.security_groups = std::move(zones.vpc_of_group);
  for (const std::string& text : options_.file_systems) out.access_points.insert(text.substr(0, text.find('=')));
  return out;
}

lambda::LambdaParts Composition::lambda_parts() {
  return {
      .functions = functions_,
      .code = code_,
      .engine = async_->engine(),
      .catalog = catalog_,
      .clock = clock_,
      .cpu = cpu_,
      .code_url = code_url_,
      .layers = layers_,
      .urls = urls_,
      .mappings = mappings_,
      .lambda_may_assume =
          [this](std::string_view role_arn, std::string_view function_arn) {
            const auto role = identities_.role_by_arn(role_arn);
            return role && authorizer_.service_may_assume("lambda.amazonaws.com", *role, function_arn);
          },
      .allowed =
          [this](const aws::Caller& caller, std::string_view action, std::string_view resource,
                 std::string_view policy) {
            return authorizer_.allowed(caller, {.action = action, .resource = resource, .policy = policy});
          },
      .allowed_by_url =
          [this](const aws::Caller* caller, std::string_view action, std::string_view resource, std::string_view policy,
                 const auth::RequestContext& context) {
            const auth::ResourceRequest request{
                .action = action, .resource = resource, .policy = policy, .context = context};
            return caller ? authorizer_.allowed(*caller, request) : authorizer_.anybody_allowed(request);
          },
      .require_pass_role = [this](const aws::Caller& caller,
                                  std::string_view role) { authorizer_.require_pass_role(caller, role, "lambda"); },
      .require =
          [this](const aws::Caller& caller, std::string_view action, std::string_view resource,
                 const aws::ConditionKeys& context) {
            authorizer_.require(caller, {.action = action, .resource = resource, .context = context});
          },
      .check_resource_policy = [](std::string_view policy) { auth::check_policy(policy, auth::PolicyUse::resource); },
      .reserved_concurrency =
          [this](std::string_view account, std::string_view region) {
            const auto& concurrency = async_->concurrency();
            return concurrency.reserved_total(account, region) + concurrency.provisioned_total(account, region);
          },
      .concurrency = options_.concurrency,
      .strict_runtimes = options_.strict_runtimes,
      .refuse_retired = options_.retired == "refuse",
      .code_storage_bytes = options_.code_storage_gb << 30,
      .block_public_policies = options_.block_public_policies,
      .asynchronous = async_->for_lambda(),
      .surroundings = surroundings(),
      .objects = code_services_.objects(),
      .signing = code_services_.signing()};
}

invoke::EngineParts Composition::engine_parts(std::vector<sandbox::LauncherProcess> processes) {
  std::vector<std::unique_ptr<sandbox::Launcher>> launchers;
  for (std::size_t i = 0; i < processes.size(); ++i)
    launchers.push_back(sandbox::attach_launcher(lanes_.lane(i), std::move(processes[i])));
  auto serve_api = [this](asio::any_io_executor executor, base::Fd listener) {
    http::Limits limits;
    limits.connections = 64;
    return http::serve(executor, std::move(listener), limits, gateway_->handler(gateway::Door::function), nullptr,
                       gateway::Gateway::refusal);
  };
  auto open_log = [this](const store::FunctionVersion& function, std::string stream) {
    return log_services_.open(function, std::move(stream));
  };
  auto credentials = [this](const store::FunctionVersion& function) { return role_credentials(function); };
  return {lanes_,    std::move(launchers), catalog_,     clock_, metrics_, credentials,
          serve_api, std::move(open_log),  code_.trees()};
}

void Composition::add_routes() {
  gateway_->add_route({"/_lambent/health", false, [](const http::Request&) -> Task<http::Response> {
                         co_return json_response("{\"status\":\"ok\",\"version\":\"" + version() + "\"}");
                       }});
  gateway_->add_route({"/_lambent/metrics", true, [this](const http::Request&) -> Task<http::Response> {
                         http::Response response;
                         response.headers.add("Content-Type", "text/plain; version=0.0.4");
                         response.body = metrics_.text();
                         co_return response;
                       }});
  gateway_->add_route({"/_lambent/coverage", true, [this](const http::Request&) -> Task<http::Response> {
                         std::vector<const aws::Service*> services;
                         for (const aws::Service& service : services_) services.push_back(&service);
                         http::Response response;
                         response.headers.add("Content-Type", "text/markdown");
                         response.body = aws::coverage_markdown(services);
                         co_return response;
                       }});
  gateway_->add_route(
      {std::string(lambda::CodeUrl::kPrefix), false, [this](const http::Request& request) -> Task<http::Response> {
         const std::string target = request.path + "?" + request.query;
         http::Response response;
         const auto hash = code_url_.verify(target);
         if (!hash) {
           response.status = 403;
           co_return response;
         }
         auto read = [this, &hash] { return code_.zip(*hash); };
         auto zip = co_await cpu_.run(read);
         response.status = zip ? 200 : 404;
         response.headers.add("Content-Type", "application/zip");
         if (zip) response.body = std::move(*zip);
         co_return response;
       }});
}

void Composition::serve_function_urls() {
  gateway::HostRoute urls;
  urls.id_of = lambda::function_url_id;
  urls.max_body = lambda::kMaxUrlBody;
  urls.answer = [this](const http::Request& request, std::string id, std::string request_id,
                       std::function<aws::Caller()> verify) {
    return lambda::answer_function_url(*lambda_, request, std::move(id), std::move(request_id), std::move(verify));
  };
  gateway_->set_host_route(std::move(urls));
}

void Composition::start() {
  lanes_.start();
  // What a crash left half done is finished before anybody can ask for more.
  asio::co_spawn(lanes_.lane(0), lambda_->start(), asio::use_future).get();
  async_->start(*lambda_);
  http::Limits limits;
  // Half of the descriptors are for functions, logs and the store, whoever connects.
  const std::size_t connections = base::raise_descriptor_limit() / 2 / (lanes_.count() * listeners_.size());
  limits.connections = std::clamp<std::size_t>(connections, 16, limits.connections);
  std::function<std::shared_ptr<asio::ssl::context>()> tls;
  if (certificate_) tls = [this] { return certificate_->context(); };
  for (const base::Fd& listener : listeners_)
    for (std::size_t i = 0; i < lanes_.count(); ++i) {
      base::Fd own(base::check(::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0), "dup"));
      servers_.push_back(http::serve(lanes_.lane(i).get_executor(), std::move(own), limits,
                                     gateway_->handler(gateway::Door::server), tls, gateway::Gateway::refusal));
    }
  looking_ = std::thread([this] { look_for_runtimes(); });
}

/// Programs are asked for their versions, and Python compiles: nobody waits for that but who wants a runtime.
void Composition::look_for_runtimes() const noexcept {
  try {
    catalog_.look();
    runtimes::compile_bootstraps(runtimes_, catalog_.pythons());
  } catch (const std::exception& error) {
    base::log::error("not every runtime could be prepared", {{"reason", error.what()}});
  }
}

std::size_t Composition::open_connections() {
  std::size_t open = 0;
  for (const auto& server : servers_) open += server->connections();
  return open;
}

Task<void> Composition::stop() {
  const auto on_lanes = [this](void (http::Server::*call)()) -> Task<void> {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      http::Server& server = *servers_[i];
      auto work = [&server, call]() -> Task<void> {
        (server.*call)();
        co_return;
      };
      co_await base::on(lanes_.lane(i % lanes_.count()), work);
    }
  };
  co_await on_lanes(&http::Server::stop);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto deadline = clock_.steady() + std::chrono::seconds(options_.grace_s);
  while (open_connections() > 0 && clock_.steady() < deadline) {
    timer.expires_after(std::chrono::milliseconds(5));
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_await lambda_->stop();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady());
  co_await async_->queue().stop(std::max(left, std::chrono::milliseconds(0)));
  co_await engine_->stop(std::chrono::seconds(0));
  co_await async_->queue().finish();
  co_await on_lanes(&http::Server::abort);
  lanes_.stop();
}

void Composition::reload() {
  if (!certificate_) return;
  try {
    certificate_->reload();
    base::log::info("certificate read again");
  } catch (const std::exception& error) {
    base::log::error("the new certificate is unusable, the old one stays", {{"reason", error.what()}});
  }
}

}  // namespace lambent::app
