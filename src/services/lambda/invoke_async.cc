#include "services/lambda/async_operations.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"
#include "services/lambda/invocation.h"

namespace lambent::lambda {
namespace {

/// AWS quota "Invocation payload (asynchronous)", 1 MB since October 2025.
constexpr std::size_t kMaxEvent = 1'048'576;

}  // namespace

base::Task<std::string> accept_event(Lambda& lambda, const FunctionName& name, invoke::Invocation invocation) {
  // In AWS's words and under the code that its front answers with (aws-pdk issue 771), which is not the model's.
  if (invocation.payload.size() > kMaxEvent)
    throw aws::Error("RequestEntityTooLargeException",
                     fmt::format("{} byte payload is too large for the Event invocation type (limit {} bytes)",
                                 invocation.payload.size(), kMaxEvent),
                     413);
  invoke::NewEvent event;
  event.function = name.key;
  event.qualifier = name.qualifier;
  event.request_id = std::move(invocation.request_id);
  event.tenant_id = std::move(invocation.tenant_id);
  const std::string trace_header =
      lambda.asynchronous().admission.tracing().accept(invocation.trace_id, *invocation.function);
  event.trace_header = trace_header;
  event.payload = std::move(invocation.payload);
  auto accepted = lambda.asynchronous().queue.accept(std::move(event));
  co_await std::move(accepted);
  co_return trace_header;
}

base::Task<InvokeAsyncOutput> invoke_async(Lambda& lambda, aws::Caller caller, InvokeAsyncInput in) {
  const auto name = resolve_function(NamedBy::invoke, caller, in.FunctionName);
  auto prepared = prepare_invocation(lambda, name, {.request_id = caller.request_id}, std::move(in.InvokeArgs));
  invoke::Invocation invocation = co_await std::move(prepared);
  invocation.trace_id = caller.trace_header;
  auto accepted = accept_event(lambda, name, std::move(invocation));
  co_await std::move(accepted);
  co_return InvokeAsyncOutput{};
}

std::string invoke_async_resource(const aws::Caller& caller, const InvokeAsyncInput& in) {
  return resolve_function(NamedBy::invoke, caller, in.FunctionName).arn();
}

}  // namespace lambent::lambda
