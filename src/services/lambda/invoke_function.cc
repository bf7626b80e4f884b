#include "base/bytes.h"
#include "services/lambda/async_operations.h"
#include "services/lambda/errors.h"
#include "services/lambda/invocation.h"
#include "services/lambda/json_check.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {
namespace {

/// "Up to 3,583 bytes of base64-encoded data" (API reference of Invoke).
constexpr std::size_t kMaxClientContext = 3583;
/// A larger event is checked on the CPU pool: at about 400 MB/s it would hold up the lane's other work for milliseconds.
constexpr std::size_t kCheckOnLane = 256 * 1024;

aws::Error invalid_content(std::string message) { return {"InvalidRequestContentException", std::move(message), 400}; }

/// The decoded JSON, or an empty string.
std::string client_context(const OptionalText& header) {
  if (!header || header->empty()) return {};
  if (header->size() > kMaxClientContext)
    throw invalid_content(
        fmt::format("Client context must be at most {} bytes when base64-encoded.", kMaxClientContext));
  auto text = base::unbase64(*header);
  const auto first = text ? text->find_first_not_of(" \t\r\n") : std::string::npos;
  if (first == std::string::npos || (*text)[first] != '{' || json_error(*text))
    throw invalid_content("Client context must be a valid Base64-encoded JSON object.");
  return std::move(*text);
}

/// No payload is an empty event, as AWS's runtimes see it.
base::Task<std::string> checked_payload(Lambda& lambda, std::optional<aws::Blob> blob) {
  std::string payload = blob ? std::move(blob->bytes) : std::string();
  if (payload.empty()) co_return "{}";
  std::optional<std::string> error;
  if (payload.size() <= kCheckOnLane) {
    error = json_error(payload);
  } else {
    auto check = [&payload] { return json_error(payload); };
    error = co_await lambda.parts().cpu.run(std::move(check));
  }
  if (error)
    throw invalid_content(
        fmt::format("Could not parse request body into json: Could not parse payload into json: {}", *error));
  co_return payload;
}

/// The function when it can be invoked. A Pending one is settled first: AWS answers 409 for the seconds that this takes
/// there; here it is one commit away.
base::Task<store::FunctionSnapshot> invocable(Lambda& lambda, const FunctionName& name) {
  auto function = lambda.target(name);
  if (function->state == "Pending") {
    co_await lambda.settle(function->key, function->version);
    function = lambda.target(name);
  }
  if (function->state != "Active")
    throw conflict(
        fmt::format("The operation cannot be performed at this time. The function is currently in the following "
                    "state: {}",
                    function->state));
  require_surroundings(lambda.parts().surroundings, *function);
  co_return function;
}

InvokeOutput answer_of(invoke::Outcome outcome, bool with_log) {
  InvokeOutput out;
  out.ExecutedVersion = std::move(outcome.executed_version);
  if (!outcome.function_error.empty()) out.FunctionError = std::move(outcome.function_error);
  if (with_log) out.LogResult = base::base64(outcome.log_tail);
  if (!outcome.trace_header.empty()) out.TraceId = std::move(outcome.trace_header);
  out.Payload = aws::Blob{std::move(outcome.payload)};
  return out;
}

}  // namespace

void require_tenant(const store::FunctionVersion& function, const OptionalText& tenant_id) {
  if (function.per_tenant && !tenant_id)
    throw invalid_parameter(
        "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try "
        "again.");
  if (!function.per_tenant && tenant_id)
    throw invalid_parameter(
        "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and "
        "try again.");
}

base::Task<invoke::Invocation> prepare_invocation(Lambda& lambda, FunctionName name, InvocationHead head,
                                                  std::optional<aws::Blob> blob) {
  invoke::Invocation invocation;
  invocation.function = co_await invocable(lambda, name);
  require_tenant(*invocation.function, head.tenant_id);
  invocation.tenant_id = head.tenant_id.value_or("");
  invocation.client_context = client_context(head.client_context);
  auto payload = checked_payload(lambda, std::move(blob));
  invocation.payload = co_await std::move(payload);
  invocation.request_id = std::move(head.request_id);
  invocation.invoked_function_arn = name.arn();
  co_return invocation;
}

base::Task<InvokeOutput> invoke_function(Lambda& lambda, aws::Caller caller, InvokeInput in) {
  const auto name = resolve_function(NamedBy::invoke, caller, in.FunctionName, in.Qualifier);
  const auto type = in.InvocationType.value_or("RequestResponse");
  InvocationHead head{caller.request_id, in.ClientContext, in.TenantId};
  auto prepared = prepare_invocation(lambda, name, std::move(head), std::move(in.Payload));
  invoke::Invocation invocation = co_await std::move(prepared);
  invocation.trace_id = caller.trace_header;
  if (type == "DryRun") {
    InvokeOutput allowed;
    allowed.StatusCode = 204;
    co_return allowed;
  }
  if (type == "Event") {
    InvokeOutput accepted;
    accepted.StatusCode = 202;
    auto acceptance = accept_event(lambda, name, std::move(invocation));
    accepted.TraceId = co_await std::move(acceptance);
    co_return accepted;
  }
  invocation.wants_log = in.LogType.value_or("None") == "Tail";
  const bool with_log = invocation.wants_log;
  auto outcome = co_await lambda.engine().invoke(std::move(invocation));
  co_return answer_of(std::move(outcome), with_log);
}

std::string invoke_function_resource(const aws::Caller& caller, const InvokeInput& in) {
  return resolve_function(NamedBy::invoke, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
