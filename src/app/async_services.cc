#include "app/async_services.h"

#include <algorithm>
#include <optional>

#include "aws/arn.h"
#include "aws/error.h"
#include "base/ids.h"
#include "services/lambda/invocation.h"
#include "targets/targets.h"

namespace lambent::app {
namespace {

/// For a delivery: signed, sent and done within seconds.
constexpr std::int64_t kDeliverySession_s = 900;
/// AWS quota "Invocation payload (asynchronous)".
constexpr std::size_t kMaxEvent = 1'048'576;

invoke::AdmissionOptions admission_options(const ServeOptions& options) {
  invoke::AdmissionOptions admission;
  admission.account_limit = options.concurrency;
  admission.gain_per_10_s = options.scaling_rate;
  return admission;
}

/// arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
std::optional<lambda::FunctionName> function_of(const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  constexpr std::string_view kPrefix = "function:";
  if (!arn || arn->service != "lambda" || !arn->resource.starts_with(kPrefix)) return std::nullopt;
  const std::string rest = arn->resource.substr(kPrefix.size());
  const auto colon = rest.find(':');
  lambda::FunctionName name;
  name.key = {arn->account, arn->region, rest.substr(0, colon)};
  if (colon != std::string::npos) name.qualifier = rest.substr(colon + 1);
  return name;
}

}  // namespace

AsyncServices::AsyncServices(AsyncServicesParts parts)
    : parts_(parts),
      events_(parts.database),
      configs_(parts.database),
      concurrency_(parts.database),
      admission_(admission_options(parts.options), concurrency_, parts.clock, parts.metrics),
      engine_(invoke::make_admitting_engine(parts.engine, admission_)),
      allocations_(parts.engine, admission_, concurrency_, parts.functions),
      targets_(make_targets()),
      queue_(make_queue()),
      for_lambda_{*queue_, admission_, configs_, concurrency_, *targets_, allocations_} {
  parts_.functions.when_removed(
      [this](store::Transaction& transaction, const store::FunctionKey& function, std::string_view qualifier) {
        configs_.forget(transaction, function, qualifier);
        concurrency_.forget(transaction, function, qualifier);
      });
  parts_.metrics.gauge("lambent_store_lost_commits",
                       "Commits that were on disk and that the database did not have at start.",
                       [this] { return static_cast<double>(parts_.database.lost_commits()); });
}

std::unique_ptr<aws::Targets> AsyncServices::make_targets() {
  std::map<std::string, targets::Endpoint> endpoints;
  for (const std::string& text : parts_.options.target_endpoints)
    endpoints.insert(targets::parse_target_endpoint(text));
  const auto may_send = [this](const aws::Sender& sender, const store::Role& role) {
    const auto function = function_of(sender.source_arn);
    const std::string source = function ? function->key.arn() : sender.source_arn;
    return parts_.authorizer.service_may_assume("lambda.amazonaws.com", role, source);
  };
  auto credentials = [this, may_send](const aws::Sender& sender) -> targets::Credentials {
    const auto role = parts_.identities.role_by_arn(sender.role_arn);
    if (!role || !may_send(sender, *role))
      throw aws::Error("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", 403);
    const auto function = function_of(sender.source_arn);
    const std::string session_name = function ? function->key.name : "lambda";
    const auto session =
        parts_.tokens.issue(sender.account, sender.role_arn, role->id, session_name, kDeliverySession_s);
    return {session.access_key_id, session.secret_access_key, session.session_token};
  };
  auto caller = [this, may_send](const aws::Sender& sender) -> std::optional<aws::Caller> {
    const auto role = parts_.identities.role_by_arn(sender.role_arn);
    if (!role || !may_send(sender, *role)) return std::nullopt;
    aws::Caller made;
    made.kind = aws::Principal::assumed_role;
    made.account = sender.account;
    made.region = sender.region;
    made.identity_arn = sender.role_arn;
    made.user_id = role->id + ":lambda";
    made.token_issued_ms = parts_.clock.now_ms();
    made.arn = "arn:aws:sts::" + role->account + ":assumed-role/" + role->name + "/lambda";
    return made;
  };
  auto invoke_function = [this](const aws::Delivery& delivery) { return this->invoke_function(delivery); };
  auto exists = [this](const std::string& arn) {
    const auto name = function_of(arn);
    return name && resolve(name->key, name->qualifier) != nullptr;
  };
  targets::TargetsParts parts{parts_.authorizer, parts_.clock, caller, credentials, invoke_function, exists};
  return targets::make_targets(std::move(endpoints), std::move(parts));
}

std::unique_ptr<invoke::AsyncQueue> AsyncServices::make_queue() {
  invoke::AsyncOptions options;
  options.time_scale = parts_.options.time_scale;
  // A tenth is left to those who wait for their answers.
  options.concurrency = std::max(1, parts_.options.concurrency - parts_.options.concurrency / 10);
  auto resolve = [this](const store::FunctionKey& function, const std::string& qualifier) {
    return this->resolve(function, qualifier);
  };
  invoke::AsyncParts parts{parts_.lanes.lane(0), *engine_,       events_, configs_, concurrency_, *targets_,
                           parts_.clock,         parts_.metrics, resolve};
  return invoke::make_async_queue(options, std::move(parts));
}

store::FunctionSnapshot AsyncServices::resolve(const store::FunctionKey& function, const std::string& qualifier) const {
  try {
    return lambda_->target({function, qualifier});
  } catch (const aws::Error&) {
    return nullptr;
  }
}

/// A function as a destination: its event is the record.
base::Task<void> AsyncServices::invoke_function(const aws::Delivery& delivery) {
  const auto name = function_of(delivery.target_arn);
  if (!name) throw aws::Error("ResourceNotFoundException", "Function not found: " + delivery.target_arn, 404);
  if (delivery.body.size() > kMaxEvent)
    throw aws::Error("RequestEntityTooLargeException", "the record is too large for an event", 413);
  // A record has no tenant.
  if (const auto function = resolve(name->key, name->qualifier)) lambda::require_tenant(*function, std::nullopt);
  invoke::NewEvent event;
  event.function = name->key;
  event.qualifier = name->qualifier;
  event.request_id = base::uuid();
  event.trace_header = delivery.trace_header;
  event.payload = delivery.body;
  auto accepted = queue_->accept(std::move(event));
  co_await std::move(accepted);
}

void AsyncServices::start(const lambda::Lambda& lambda) {
  lambda_ = &lambda;
  allocations_.start();
  queue_->start();
}

}  // namespace lambent::app
