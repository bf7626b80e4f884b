#include "services/lambda/url_stream.h"

#include "services/lambda/invocation.h"
#include "services/lambda/url_response.h"

namespace lambent::lambda {
namespace {

using base::Task;
using base::http::Response;

/// What is left of the response. Whoever drops it does not stop the function.
class StreamedBody final : public aws::BodyStream {
 public:
  explicit StreamedBody(std::shared_ptr<invoke::ResponseStream> stream) : stream_(std::move(stream)) {}
  ~StreamedBody() override { stream_->abandon(); }

  /// The next part into `first`, where next() begins. False at the end.
  Task<bool> read_first() {
    auto part = co_await stream_->read();
    if (!part) co_return false;
    first = std::move(*part);
    co_return true;
  }

  Task<std::optional<std::string>> next() override {
    if (!first.empty()) co_return std::exchange(first, {});
    auto part = co_await stream_->read();
    if (!part && !outcome().function_error.empty()) throw std::runtime_error("the function failed");
    co_return part;
  }

  invoke::Outcome& outcome() { return stream_->outcome(); }
  std::string first;

 private:
  std::shared_ptr<invoke::ResponseStream> stream_;
};

aws::Answer answer(Response response, std::unique_ptr<StreamedBody> body = nullptr) {
  return {std::move(response), std::move(body)};
}

aws::Answer without_metadata(std::string type, std::unique_ptr<StreamedBody> body) {
  Response response;
  response.headers.add("Content-Type", type.empty() ? "application/octet-stream" : std::move(type));
  return answer(std::move(response), std::move(body));
}

Task<aws::Answer> with_metadata(std::unique_ptr<StreamedBody> body) {
  ResponseMetadata metadata;
  for (bool anything = false;; anything = true) {
    if (!co_await body->read_first()) {
      // AWS's runtime writes the metadata with the first byte: a response without any is empty and says nothing.
      const bool empty = !anything && body->outcome().function_error.empty();
      co_return empty ? without_metadata({}, std::move(body)) : answer(bad_gateway());
    }
    const auto state = metadata.take(std::exchange(body->first, {}));
    if (state == ResponseMetadata::State::malformed) co_return answer(bad_gateway());
    if (state == ResponseMetadata::State::complete) break;
  }
  body->first = std::move(metadata.body);
  co_return answer(std::move(metadata.head), std::move(body));
}

}  // namespace

Task<aws::Answer> stream_to_url(Lambda& lambda, invoke::Invocation invocation) {
  auto started = start_streaming(lambda, std::move(invocation));
  const auto stream = co_await std::move(started);
  auto body = std::make_unique<StreamedBody>(stream);
  auto type = co_await stream->begun();
  if (!type) {
    auto& outcome = stream->outcome();
    if (!outcome.function_error.empty()) co_return answer(bad_gateway());
    body->first = std::move(outcome.payload);
    co_return without_metadata(std::move(outcome.content_type), std::move(body));
  }
  if (*type == kMetadataType) {
    auto rest = with_metadata(std::move(body));
    co_return co_await std::move(rest);
  }
  const bool anything = co_await body->read_first();
  if (!anything && !body->outcome().function_error.empty()) co_return answer(bad_gateway());
  co_return without_metadata(std::move(*type), std::move(body));
}

}  // namespace lambent::lambda
