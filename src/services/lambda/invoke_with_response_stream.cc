#include "aws/event_stream.h"
#include "base/bytes.h"
#include "services/lambda/invocation.h"
#include "services/lambda/operations.h"

namespace lambent::lambda {
namespace {

using invoke::ResponseStream;

/// Runs to its end whether or not somebody still listens: a client that leaves does not stop the function.
base::Task<void> run(Lambda& lambda, invoke::Invocation invocation, std::shared_ptr<ResponseStream> stream) {
  std::exception_ptr failure;
  try {
    invoke::Outcome outcome = co_await lambda.engine().invoke(std::move(invocation));
    stream->finish(std::move(outcome));
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) stream->fail(failure);
}

/// The response as events: what the function wrote, part by part, then how it ended.
class ResponseEvents final : public aws::EventsOf<InvokeStreamEvent> {
 public:
  ResponseEvents(std::shared_ptr<ResponseStream> stream, bool with_log)
      : stream_(std::move(stream)), with_log_(with_log) {}
  ~ResponseEvents() override { stream_->abandon(); }

  base::Task<std::optional<InvokeStreamEvent>> next_event() override {
    if (complete_) co_return std::nullopt;
    InvokeStreamEvent event;
    if (auto part = co_await next_part()) {
      event.PayloadChunk.emplace();
      event.PayloadChunk->Payload.bytes = std::move(*part);
    } else {
      complete_ = true;
      event.InvokeComplete = completion();
    }
    co_return event;
  }

 private:
  base::Task<std::optional<std::string>> next_part() {
    auto part = co_await stream_->read();
    if (part || whole_sent_) co_return part;
    // A handler that does not stream: its answer is one part.
    whole_sent_ = true;
    invoke::Outcome& outcome = stream_->outcome();
    if (outcome.streamed || !outcome.function_error.empty() || outcome.payload.empty()) co_return std::nullopt;
    co_return std::move(outcome.payload);
  }

  InvokeStreamComplete completion() {
    invoke::Outcome& outcome = stream_->outcome();
    InvokeStreamComplete complete;
    if (!outcome.function_error.empty()) {
      complete.ErrorCode = std::move(outcome.function_error);
      complete.ErrorDetails = std::move(outcome.payload);
    }
    if (with_log_) complete.LogResult = base::base64(outcome.log_tail);
    return complete;
  }

  std::shared_ptr<ResponseStream> stream_;
  bool with_log_;
  bool whole_sent_ = false;
  bool complete_ = false;
};

}  // namespace

base::Task<std::shared_ptr<ResponseStream>> start_streaming(Lambda& lambda, invoke::Invocation invocation) {
  auto stream = std::make_shared<ResponseStream>(lambda.parts().clock);
  invocation.sink = stream;
  base::asio::co_spawn(co_await base::asio::this_coro::executor, run(lambda, std::move(invocation), stream),
                       base::asio::detached);
  co_return stream;
}

base::Task<InvokeWithResponseStreamOutput> invoke_with_response_stream(Lambda& lambda, aws::Caller caller,
                                                                       InvokeWithResponseStreamInput in) {
  const auto name = resolve_function(NamedBy::invoke, caller, in.FunctionName, in.Qualifier);
  InvocationHead head{caller.request_id, in.ClientContext, in.TenantId};
  auto prepared = prepare_invocation(lambda, name, std::move(head), std::move(in.Payload));
  invoke::Invocation invocation = co_await std::move(prepared);
  InvokeWithResponseStreamOutput out;
  if (in.InvocationType.value_or("RequestResponse") == "DryRun") {
    out.StatusCode = 204;
    co_return out;
  }
  const bool with_log = in.LogType.value_or("None") == "Tail";
  invocation.trace_id = caller.trace_header;
  invocation.wants_log = with_log;
  out.ExecutedVersion = invocation.function->version;
  auto started = start_streaming(lambda, std::move(invocation));
  auto stream = co_await std::move(started);
  auto content_type = co_await stream->begun();
  if (!content_type) content_type = stream->outcome().content_type;
  out.ResponseStreamContentType = content_type->empty() ? "application/octet-stream" : std::move(*content_type);
  out.EventStream.source = std::make_shared<ResponseEvents>(std::move(stream), with_log);
  co_return out;
}

std::string invoke_with_response_stream_resource(const aws::Caller& caller, const InvokeWithResponseStreamInput& in) {
  return resolve_function(NamedBy::invoke, caller, in.FunctionName, in.Qualifier).arn();
}

}  // namespace lambent::lambda
